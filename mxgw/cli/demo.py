"""``mxgw demo``: everything on loopback, and what to type to see it work."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mxgw.cli.bilingual import Bilingual, japanese, said
from mxgw.cli.columns import width
from mxgw.cli.serve import run
from mxgw.cli.terminal import AddressOption, config_option, console, load_or_fail, program
from mxgw.config import Address, Config, Role
from mxgw.config.forms import peer_address
from mxgw.mailbox import MAGIC_MEANINGS

if TYPE_CHECKING:
    from mxgw.service import DemoAddresses

DEFAULT_MAIL_DIR = Path("var/mail")
DEFAULT_RECIPIENT = "taro@example.com"
SENDER = "hanako@example.org"
NAME_COLUMNS = 10


@click.command("demo", cls=Bilingual)
@click.option(
    "--smtp", type=AddressOption(listen=True), help="Where to accept mail. [default: 127.0.0.1:2525]"
)
@click.option("--http", type=AddressOption(listen=True), help="The status page. [default: 127.0.0.1:8080]")
@click.option(
    "--mail-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_MAIL_DIR,
    show_default=True,
    help="Where the mailboxes are kept.",
)
@config_option
def command(smtp: Address | None, http: Address | None, mail_dir: Path, toml: Path | None) -> None:
    """Start the gateway, an embedded mailbox and the status page, all on loopback.

    Prints what to type to send a mail and to read it. Ctrl-C ends it; the mail stays.

    Example: mxgw demo --smtp 127.0.0.1:2525
    """
    options = {
        "MXGW_LISTEN": None if smtp is None else str(smtp),
        "MXGW_HTTP_LISTEN": None if http is None else str(http),
    }
    config = load_or_fail(Role.DEMO, toml=toml, options=options)
    # Imported here: a mistake in the configuration is told before anything slow is loaded.
    from mxgw.service import run_demo

    def announce(addresses: DemoAddresses) -> None:
        welcome(config, addresses, mail_dir)

    sys.exit(run(lambda: run_demo(config, mail_dir=mail_dir, announce=announce)))


def welcome(config: Config, addresses: DemoAddresses, mail_dir: Path) -> None:
    """Say what is running and what to type: on stderr, for stdout has the log."""
    from rich.text import Text

    text = Text()
    text.append(said("mxgw demo is running"), style="bold green")
    text.append(f"{said('; Ctrl-C ends it, the mail stays')}\n")
    for heading, rows in guide(config, addresses, mail_dir).items():
        text.append(f"\n{heading}\n", style="bold")
        for name, words in rows.items():
            text.append(f"  {name}{' ' * (NAME_COLUMNS - width(name))}")
            text.append(f"{words}\n", style="" if "@" in name else "cyan")
    console(stderr=True).print(text, soft_wrap=True)


def guide(config: Config, addresses: DemoAddresses, mail_dir: Path) -> dict[str, dict[str, str]]:
    """What is running and what to type, by heading and name."""
    reachable = reachable_address(addresses.smtp)
    host, port = str(reachable.host), reachable.port
    mailbox = f"taro@{config.domains.names[0]}"
    mxgw = program()
    server = "" if str(reachable) == "127.0.0.1:2525" else f" --server {reachable}"
    to = "" if mailbox == DEFAULT_RECIPIENT else f" --to {mailbox}"
    where = "" if mail_dir == DEFAULT_MAIL_DIR else f" --mail-dir {quote(str(mail_dir))}"
    # The time makes each message another one: the same octets again would be kept once.
    curl = (
        rf'printf "From: {SENDER}\r\nSubject: curl at $(date +%T)\r\n\r\nHello.\r\n" | '
        f"curl -sS smtp://{reachable} --mail-from {SENDER} --mail-rcpt {mailbox} -T -"
    )
    python = (
        f"python3 -c 'import smtplib, time; "
        f'smtplib.SMTP("{host}", {port}).sendmail("{SENDER}", ["{mailbox}"], '
        f'f"From: {SENDER}\\nSubject: python at {{time.ctime()}}\\n\\nHello.\\n")\''
    )
    return {
        said("Doors"): {
            "SMTP": f"{addresses.smtp}   {said('for {domains}', domains=', '.join(config.domains.names))}",
            said("mailbox"): f"{addresses.lmtp}   {said('LMTP, stores in {place}', place=mail_dir)}",
            said("status"): f"http://{reachable_address(addresses.http)}/",
        },
        said("Send a mail"): {
            "mxgw": f"{mxgw} send{server}{to}",
            "swaks": f"swaks --server {reachable} --from {SENDER} --to {mailbox}",
            "curl": curl,
            "python": python,
        },
        said("Read it"): {said("list"): f"{mxgw} read{where}", said("show"): f"{mxgw} read{where} last"},
        said("Addresses that force an answer"): {
            f"{local}@": _meaning(meaning) for local, meaning in MAGIC_MEANINGS.items()
        },
    }


def _meaning(english: str) -> str:
    if not japanese():
        return english
    from mxgw.cli.bilingual_words import MAGIC

    return MAGIC[english]


def reachable_address(text: str) -> Address:
    """Where a client on this machine connects to: listening at all addresses is no address."""
    address = peer_address(text)
    return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host), address.port)
