"""``mxgw demo``: everything on loopback, and what to type to see it work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mxgw.cli.common import AddressOption, config_option, console, load_or_fail
from mxgw.cli.serve import run
from mxgw.config import Address, Config, Role
from mxgw.mailbox import MAGIC_MEANINGS

if TYPE_CHECKING:
    from mxgw.service import DemoAddresses

DEFAULT_MAIL_DIR = Path("var/mail")
SENDER = "hanako@example.org"


@click.command("demo")
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

    domain = config.domains.names[0]
    host, _, port = addresses.smtp.rpartition(":")
    host = host.strip("[]")
    mailbox = f"taro@{domain}"
    read_option = "" if mail_dir == DEFAULT_MAIL_DIR else f" --mail-dir {mail_dir}"
    server_option = "" if addresses.smtp == "127.0.0.1:2525" else f" --server {addresses.smtp}"
    text = Text()

    def heading(words: str) -> None:
        text.append(f"\n{words}\n", style="bold")

    def row(name: str, words: str, style: str = "cyan") -> None:
        text.append(f"  {name:<12}").append(f"{words}\n", style=style)

    text.append("mxgw demo is running", style="bold green").append("; Ctrl-C ends it\n")
    heading("Doors")
    row("SMTP", f"{addresses.smtp}   for {', '.join(config.domains.names)}", style="")
    row("mailbox", f"{addresses.lmtp}   LMTP, stores in {mail_dir}", style="")
    row("status", f"http://{addresses.http}/", style="underline")
    heading("Send a mail")
    row("mxgw", f"mxgw send{server_option} --to {mailbox}")
    row("swaks", f"swaks --server {addresses.smtp} --from {SENDER} --to {mailbox}")
    row(
        "curl",
        rf"printf 'Subject: hello\r\n\r\nHello.\r\n' | curl smtp://{addresses.smtp}"
        f" --mail-from {SENDER} --mail-rcpt {mailbox} -T -",
    )
    row(
        "python",
        f'python3 -c \'import smtplib; smtplib.SMTP("{host}", {port}).sendmail('
        f'"{SENDER}", ["{mailbox}"], "Subject: hello\\n\\nHello.\\n")\'',
    )
    heading("Read it")
    row("list", f"mxgw read{read_option}")
    row("show", f"mxgw read{read_option} last")
    heading("Addresses that force an answer")
    for local, meaning in MAGIC_MEANINGS.items():
        row(f"{local}@", meaning, style="")
    console(stderr=True).print(text, soft_wrap=True)
