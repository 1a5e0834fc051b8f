"""``mxgw load verify``: holds what was acknowledged against what is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mxgw.cli.terminal import FAILURE, AddressOption, console, fail, on_terminal, plain
from mxgw.config import Address
from mxgw.load import ledger, stored
from mxgw.load.ledger import Entry, LedgerError
from mxgw.load.stored import StoredError
from mxgw.load.stored_imap import Account, imap_copies
from mxgw.load.verify import MEANINGS, WRONG, Copy, Finding, Verdict, compare

if TYPE_CHECKING:
    from rich.table import Table

MAX_LISTED = 10_000
"""What a person may look through; the counts are complete anyway."""


@click.command("verify")
@click.argument("sent", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SENT-LEDGER...")
@click.option(
    "--sink",
    "sinks",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="LEDGER",
    help="What a sink kept; may be repeated.",
)
@click.option(
    "--maildir",
    "maildirs",
    multiple=True,
    metavar="DIR",
    help="A Maildir, or a directory with many; %d, %n and %u in it stand for domain, local part and address. "
    "Not for Dovecot's sdbox and mdbox: use --imap.",
)
@click.option("--imap", type=AddressOption(listen=False), help="A mailbox server; port 993 means TLS.")
@click.option("--user", "users", multiple=True, help="Whose folders to read by IMAP; may be repeated.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The password of these users, in the first line.",
)
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="ADDRESS",
    help="Compare only what was sent to this address; may be repeated. [default with --imap: the users]",
)
@click.option(
    "--list",
    "listed",
    type=click.IntRange(0, MAX_LISTED),
    default=10,
    show_default=True,
    help="Name up to so many of each finding.",
)
def command(
    sent: tuple[Path, ...],
    sinks: tuple[Path, ...],
    maildirs: tuple[str, ...],
    imap: Address | None,
    users: tuple[str, ...],
    password_file: Path | None,
    recipients: tuple[str, ...],
    listed: int,
) -> None:
    """Compare what senders were promised with what is stored.

    A message that was acknowledged and is not stored is lost. That number must be 0; so must those of
    altered and of duplicated messages. What was refused, or got no answer, may be stored or not.

    A table on a terminal, else one line of JSON. The exit code is 1 where anything was lost, altered or
    duplicated, and 2 where there is nothing to compare, or it cannot be read.

    \b
    Examples:
      mxgw load verify sent.jsonl --sink stored.jsonl
      mxgw load verify sent.jsonl --maildir '/var/mail/%d/%n/Maildir'
      mxgw load verify sent.jsonl --maildir ~/Maildir --recipient taro@example.com
      mxgw load verify sent.jsonl --imap mail.example.com:993 --user taro@example.com --password-file pw
    """
    accounts = _accounts(imap, users, password_file, recipients)
    if not (sinks or maildirs or accounts):
        fail("nothing to compare with: give --sink, --maildir or --imap")
    if accounts and not recipients and not (sinks or maildirs):
        recipients = tuple(account.owner for account in accounts)
    owner = recipients[0] if len(recipients) == 1 else ""

    def entries() -> Iterator[Entry]:
        return chain.from_iterable(ledger.read(path) for path in sent)

    def copies() -> Iterator[Copy]:
        return chain(
            chain.from_iterable(stored.sink_copies(path) for path in sinks),
            chain.from_iterable(
                stored.maildir_copies(path, owner=own or owner)
                for pattern in maildirs
                for path, own in stored.maildirs(pattern)
            ),
            chain.from_iterable(imap_copies(account) for account in accounts),
        )

    try:
        verdict = compare(entries, copies, recipients=frozenset(recipients), listed=listed)
    except (LedgerError, StoredError, OSError) as error:
        fail(plain(str(error)))
    if not verdict.sent:
        fail("the ledgers hold nothing to compare" + (" for these recipients" if recipients else ""))
    if on_terminal():
        _show(verdict)
    else:
        click.echo(json.dumps(_values(verdict)))
    if verdict.wrong:
        fail(", ".join(f"{verdict.counts[one]:,} {one}" for one in verdict.wrong), code=FAILURE)


def _accounts(
    imap: Address | None, users: tuple[str, ...], password_file: Path | None, recipients: tuple[str, ...]
) -> list[Account]:
    if imap is None:
        if users or password_file:
            fail("--user and --password-file go with --imap")
        return []
    if not users or password_file is None:
        fail("--imap needs --user and --password-file")
    try:
        password = password_file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{password_file}: {error}")
    own = recipients[0] if len(users) == len(recipients) == 1 else ""
    accounts = [Account(imap, user, password, own or user) for user in users]
    nameless = [account.user for account in accounts if "@" not in account.owner]
    if nameless:
        fail(f"{nameless[0]!r} is no mail address: say which one is sent to with --recipient")
    return accounts


def _values(verdict: Verdict) -> dict[str, object]:
    return {
        "sent": verdict.sent,
        "acknowledged": verdict.acknowledged,
        "copies": verdict.copies,
        **{finding.value: verdict.counts[finding] for finding in Finding},
        "twice-for-want-of-a-reply": verdict.twice_for_want_of_a_reply,
        "without-id": verdict.without_id,
        "other-runs": dict(verdict.other_runs),
        "elsewhere": verdict.elsewhere,
        "listed": {
            finding.value: [{"id": identity, "recipient": recipient} for identity, recipient in names]
            for finding, names in verdict.listed.items()
        },
    }


def _show(verdict: Verdict) -> None:
    screen = console()
    screen.print(_table(verdict))
    for finding, names in verdict.listed.items():
        more = verdict.counts[finding] - len(names)
        screen.print(f"\n{finding.value}:")
        for identity, recipient in names:
            screen.print(f"  {plain(identity)}  {plain(recipient)}")
        if more:
            screen.print(f"  and {more:,} more (--list)")


def _table(verdict: Verdict) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="messages x recipients", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_row("sent", f"{verdict.sent:,}", "in the ledgers of the senders")
    table.add_row("acknowledged", f"{verdict.acknowledged:,}", "promised with 2xx")
    table.add_row("copies", f"{verdict.copies:,}", "stored", end_section=True)
    for finding in Finding:
        count = verdict.counts[finding]
        if finding in WRONG:
            number = Text(f"{count:,}", style="bold red" if count else "bold green")
        elif count:
            number = Text(f"{count:,}")
        else:
            continue
        table.add_row(finding.value, number, _meaning(finding, verdict))
    for name, count, meaning in (
        ("without id", verdict.without_id, "stored, not of `mxgw load send`"),
        ("other runs", verdict.other_runs.total(), "stored, of runs that are not in these ledgers"),
        ("elsewhere", verdict.elsewhere, "for other recipients: not compared"),
    ):
        if count:
            table.add_row(name, f"{count:,}", meaning)
    return table


def _meaning(finding: Finding, verdict: Verdict) -> str:
    if finding is Finding.DUPLICATED and verdict.twice_for_want_of_a_reply:
        return f"{MEANINGS[finding]}; {verdict.twice_for_want_of_a_reply:,} after an attempt without 2xx"
    return MEANINGS[finding]
