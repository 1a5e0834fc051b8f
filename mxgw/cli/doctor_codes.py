"""``mxgw doctor M34``: what a reply of the gateway means, and who does what about it."""

from __future__ import annotations

from mxgw.admin import forms
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Language
from mxgw.admin.words.text import Text
from mxgw.cli.admin_call import Call
from mxgw.cli.terminal import console
from mxgw.doctor.reply_codes import code_in
from mxgw.doctor.words.codes import CODES

ALL = "codes"


def explain(call: Call, given: tuple[str, ...]) -> None:
    """Tell of each code; ``codes`` lists them all. A whole reply may be given, as a bounce has it."""
    if given == (ALL,):
        wanted = list(CODES)
    else:
        # Unquoted, the words of a reply come one by one; the last one is its code.
        texts = given if all(code_in(text) for text in given) else (" ".join(given),)
        wanted = [_known(text) for text in texts]
    if call.as_json:
        call.print_json([{"code": code, **_facts(call, code)} for code in wanted])
    elif given == (ALL,):
        call.show(
            ("code", "meaning"),
            [(code, _said(call, CODES[code].what)) for code in wanted],
            [],
        )
    else:
        for code in wanted:
            _tell(call, code)


def _known(text: str) -> str:
    code = code_in(text)
    if code is None or code not in CODES:
        raise Refused("no-such-code", text=forms.shown(text), example="M34")
    return code


def _facts(call: Call, code: str) -> dict[str, str]:
    one = CODES[code]
    return {
        "what": _said(call, one.what),
        "sender": _said(call, one.sender),
        "admin": _said(call, one.admin),
    }


def _tell(call: Call, code: str) -> None:
    from rich.table import Table

    from mxgw.cli.sentence import Sentence

    facts = _facts(call, code)
    table = Table(box=None, show_header=False, title=f"#{code}", title_justify="left", title_style="bold")
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in facts.items():
        table.add_row(call.words(f"code-{name}"), Sentence(text))
    console().print(table)


def _said(call: Call, text: Text) -> str:
    return text.ja if call.words.language is Language.JA else text.en
