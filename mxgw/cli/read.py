"""``mxgw read``: what the demo's mailboxes hold."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mxgw.cli.bilingual import Bilingual, said
from mxgw.cli.demo import DEFAULT_MAIL_DIR
from mxgw.cli.terminal import console, fail, on_terminal, plain
from mxgw.header import MAX_HEADER_OCTETS
from mxgw.mailbox import StoredMessage, messages

if TYPE_CHECKING:
    from mxgw.cli.letter import Letter


@click.command("read", cls=Bilingual)
@click.argument("number", required=False, metavar="[NUMBER|last]")
@click.option(
    "--mail-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_MAIL_DIR,
    show_default=True,
    help="Where the mailboxes are kept.",
)
@click.option("--raw", is_flag=True, help="The message as it was stored, octet for octet.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(number: str | None, mail_dir: Path, raw: bool, as_json: bool) -> None:
    """List the messages that `mxgw demo` has stored, or show one of them decoded.

    \b
    Examples:
      mxgw read
      mxgw read last
      mxgw read 3 --raw | sha256sum
    """
    stored = messages(mail_dir)
    if number is None:
        if raw:
            fail(said("--raw shows one message: give its number, for example: mxgw read 1 --raw"))
        _list(stored, mail_dir, as_json=as_json)
        return
    index = _index(number, len(stored), mail_dir)
    try:
        octets = stored[index].path.read_bytes()
    except OSError as error:
        fail(said("message {number} cannot be read: {why}", number=index + 1, why=error.strerror))
    if raw:
        sys.stdout.buffer.write(octets)
        return
    # Imported here: the parser of letters is not needed for --raw.
    from mxgw.cli.letter import parse_letter

    letter = parse_letter(octets)
    if as_json:
        click.echo(json.dumps({"number": index + 1, **_facts(stored[index], letter)}, ensure_ascii=False))
    else:
        _show(letter)


def _index(number: str, count: int, mail_dir: Path) -> int:
    if not count:
        fail(said("there is no message in {place}; send one with: mxgw send", place=mail_dir))
    if number == "last":
        return count - 1
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= count):
        sentence = "there is no message {number!r}; there are 1 to {count}, or say: last"
        fail(said(sentence, number=number, count=count))
    return int(number) - 1


def _head(message: StoredMessage) -> Letter:
    from mxgw.cli.letter import parse_letter

    try:
        with message.path.open("rb") as file:
            return parse_letter(file.read(MAX_HEADER_OCTETS), headers_only=True)
    except OSError:
        return parse_letter(b"", headers_only=True)


def _list(stored: list[StoredMessage], mail_dir: Path, *, as_json: bool) -> None:
    rows = [(number, message, _head(message)) for number, message in enumerate(stored, 1)]
    if as_json:
        facts = [{"number": number, **_facts(message, letter)} for number, message, letter in rows]
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    elif not rows:
        sentence = "There is no message in {place} yet; send one with: mxgw send"
        click.echo(said(sentence, place=mail_dir), err=True)
    elif on_terminal():
        _print_table(rows)
    else:
        for number, message, letter in rows:
            words = (str(number), _when(message), letter.delivered_to, letter.sender, letter.subject)
            click.echo("\t".join(plain(word) for word in (*words, str(message.octets))))


def _print_table(rows: list[tuple[int, StoredMessage, Letter]]) -> None:
    from mxgw.cli.listing import print_list

    labels = ["#", said("time"), said("to"), said("from"), said("subject"), said("octets")]
    told = [
        [
            (str(number), ""),
            (_when(message), "dim"),
            *((plain(word), "") for word in (letter.delivered_to, letter.sender, letter.subject)),
            (f"{message.octets:,}", "green"),
        ]
        for number, message, letter in rows
    ]
    print_list(console(), labels, told)


def _show(letter: Letter) -> None:
    from rich.text import Text

    text = Text()
    for name, value in letter.fields:
        text.append(f"{plain(name)}: ", style="bold").append(f"{plain(value)}\n")
    text.append(f"\n{plain(letter.text)}\n")
    for attachment in letter.attachments:
        name = plain(attachment.name) or said("without a name")
        text.append(
            f"\n[{said('attachment')}: {name}, {attachment.content_type}, {attachment.octets:,} octets]"
        )
    if letter.attachments:
        text.append("\n")
    console().print(text, soft_wrap=True, end="")


def _when(message: StoredMessage) -> str:
    return datetime.fromtimestamp(message.stored_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _facts(message: StoredMessage, letter: Letter) -> dict[str, object]:
    facts = asdict(letter)
    return {
        "path": str(message.path),
        "stored_at": datetime.fromtimestamp(message.stored_at)
        .astimezone()
        .isoformat(timespec="milliseconds"),
        "octets": message.octets,
        **facts,
    }
