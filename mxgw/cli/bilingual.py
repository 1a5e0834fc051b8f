"""Commands of the gateway that owners of a mail server call, too: in English, and in Japanese beside it.

``mxgw admin``, ``doctor``, ``deploy`` and ``trace`` have catalogues of their own.
"""

from __future__ import annotations

import copy
from typing import Any, Final

import click

LANGUAGES: Final = ("en", "ja")
_JAPANESE: Final = "mxgw.cli.bilingual.japanese"


class Bilingual(click.Command):
    """Becomes a command with Japanese help where --lang or the locale says so."""

    def __init__(self, *args: Any, **settings: Any) -> None:  # click's own settings
        super().__init__(*args, **settings)
        self.params.append(
            click.Option(
                ["--lang"],
                type=click.Choice(LANGUAGES),
                expose_value=False,
                help="Language. [default: that of LANG]",
            )
        )

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command in the user's language; click goes on with that."""
        # Imported here: --help of the program needs none of it.
        from mxgw.admin.words import Language
        from mxgw.cli.admin_spoken import words_for

        words = words_for(args)
        if words.language is Language.EN:
            return super().make_context(info_name, args, parent, **extra)
        from mxgw.cli.admin_spoken import Spoken
        from mxgw.cli.bilingual_words import HELPS, OPTIONS

        name = self.name or ""
        params = [copy.copy(one) for one in self.params]
        for one in params:
            if isinstance(one, click.Option):
                one.help = {**OPTIONS, **HELPS[name].options}[one.opts[-1]]
                # What it is without the option, the help says in its own words.
                one.show_default = False
        made = Spoken(name, words, callback=self.callback, params=params, help=HELPS[name].text)
        ctx = made.make_context(info_name, args, parent, **extra)
        ctx.meta[_JAPANESE] = True
        return ctx


def japanese() -> bool:
    """Whether the command that runs now is to speak Japanese."""
    ctx = click.get_current_context(silent=True)
    return bool(ctx and ctx.meta.get(_JAPANESE))


def said(english: str, **facts: object) -> str:
    """A sentence in the user's language, with its placeholders filled; it must be among the Japanese ones."""
    if not japanese():
        return english.format(**facts)
    from mxgw.cli.bilingual_words import SENTENCES

    return SENTENCES[english].format(**facts)
