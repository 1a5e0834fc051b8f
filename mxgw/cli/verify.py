"""``mxgw verify``: what the edge would find out about a saved message, step by step."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mxgw.cli.bilingual import Bilingual, japanese
from mxgw.cli.terminal import console, fail, on_terminal, plain
from mxgw.config import DmarcPolicy, DnsblPolicy, NullMxPolicy, forms

if TYPE_CHECKING:
    from mxgw.cli.explanation import Explanation

MAX_FILE_OCTETS = 1024 * 1024 * 1024
"""The largest message that a gateway can be told to take (MXGW_MAX_MESSAGE_OCTETS)."""


class Form(click.ParamType[Any]):
    """An option that is parsed as the setting of the same meaning is."""

    def __init__(self, name: str, parse: Callable[[str], object], expected: str) -> None:
        self.name = name
        self._parse = parse
        self._expected = expected

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """The value, or click's usage error with an example."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}; expected {self._expected}", param, ctx)


@click.command("verify", cls=Bilingual)
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option(
    "--ip",
    type=Form("address", ip_address, "an IP address, for example 192.0.2.1"),
    help="The client's address. [default: out of the topmost Received of a hop from outside]",
)
@click.option("--helo", help="What the client called itself. [default: as --ip]")
@click.option(
    "--mail-from",
    help="The reverse-path, '' for <>. [default: out of Return-Path]",
)
@click.option(
    "--dns",
    envvar="MXGW_DNS",
    type=Form("address[:port]", forms.resolvers, "address[:port], for example 127.0.0.1 or [::1]:5353"),
    default=(),
    help="Resolvers to ask, separated by commas. [default: $MXGW_DNS, else the system's]",
)
@click.option(
    "--dmarc",
    envvar="MXGW_DMARC",
    type=click.Choice([policy.value for policy in DmarcPolicy]),
    default=DmarcPolicy.QUARANTINE.value,
    show_default=True,
    help="The most that is done with a message that fails DMARC.",
)
@click.option(
    "--arc-trusted",
    envvar="MXGW_ARC_TRUSTED",
    type=Form("domains", forms.domain_names, "domains separated by commas"),
    default=(),
    help="Sealers of ARC chains whose word excuses a failure. [default: $MXGW_ARC_TRUSTED]",
)
@click.option(
    "--null-mx",
    envvar="MXGW_NULL_MX",
    type=click.Choice([policy.value for policy in NullMxPolicy]),
    default=NullMxPolicy.REPORT.value,
    show_default=True,
    help="What is done where the domain of MAIL FROM takes no mail itself.",
)
@click.option(
    "--dnsbl-zones",
    envvar="MXGW_DNSBL_ZONES",
    type=Form("zones", forms.domain_names, "DNS zones separated by commas, for example zen.spamhaus.org"),
    default=(),
    help="DNS lists to ask for the client. [default: $MXGW_DNSBL_ZONES]",
)
@click.option(
    "--dnsbl",
    envvar="MXGW_DNSBL",
    type=click.Choice([policy.value for policy in DnsblPolicy]),
    default=DnsblPolicy.REPORT.value,
    show_default=True,
    help="What is done with a client that one of them names.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as is done where stdout is no terminal.")
def command(
    file: BinaryIO,
    *,
    ip: IPv4Address | IPv6Address | None,
    helo: str | None,
    mail_from: str | None,
    dns: tuple[Any, ...],
    dmarc: str,
    arc_trusted: tuple[str, ...],
    null_mx: str,
    dnsbl_zones: tuple[str, ...],
    dnsbl: str,
    as_json: bool,
) -> None:
    """Why is this message in Junk? Check a saved message (- for stdin) as the edge would.

    SPF, DKIM, DMARC, ARC, the client's name and DNS lists are looked up now; keys and policies may have
    changed since the message came. Save it with its whole header ("original", ".eml"), not as your mail
    program shows it.

    The exit code is 0 when the checks were made, whatever they found.

    \b
    Examples:
      mxgw verify letter.eml
      mxgw verify letter.eml --ip 192.0.2.1 --helo mx.example.org --mail-from bounce@example.org
      mxgw verify - --json < letter.eml | jq .handling
    """
    # Imported here: --help must not wait for what it needs.
    from mxgw.cli.explanation import MessageFault, explain

    said = _speech()
    octets = file.read(MAX_FILE_OCTETS + 1)
    if len(octets) > MAX_FILE_OCTETS:
        fail(said("the file is larger than any message that the gateway takes (1 GiB)"))
    try:
        explanation = asyncio.run(
            explain(
                octets,
                address=ip,
                helo=helo,
                mail_from=mail_from,
                dns=dns,
                policy=DmarcPolicy(dmarc),
                trusted_sealers=frozenset(arc_trusted),
                null_mx=NullMxPolicy(null_mx),
                dnsbl_zones=dnsbl_zones,
                dnsbl=DnsblPolicy(dnsbl),
            )
        )
    except MessageFault as fault:
        fail(said(str(fault)))
    if as_json or not on_terminal():
        click.echo(json.dumps(explanation.as_json(), indent=2))
    else:
        _print(explanation, said)
    sys.exit(0)


def _speech() -> Callable[[str], str]:
    """What makes a sentence one of the user's language."""
    from mxgw.cli.verify_in_japanese import said

    return said if japanese() else str


def _read(text: str) -> str:
    """A field as its writer meant it (RFC 2047)."""
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def _print(explanation: Explanation, said: Callable[[str], str]) -> None:
    from rich.table import Table
    from rich.text import Text

    from mxgw.cli.explanation import NONE
    from mxgw.cli.sentence import Sentence

    styles = {"pass": "green", "fail": "bold red", "temperror": "yellow", "permerror": "red"}
    out = console()
    facts = Table(box=None, show_header=False)
    facts.add_column(style="cyan", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in explanation.facts:
        facts.add_row(said(name), plain(said(value) if value == NONE else _read(value)))
    out.print(facts)
    out.print()
    table = Table(box=None, header_style="bold")
    table.add_column(said("check"), style="cyan", no_wrap=True)
    table.add_column(said("result"), no_wrap=True)
    table.add_column(said("about"), overflow="fold")
    table.add_column(said("why"), overflow="fold")
    for row in explanation.rows:
        result = Text(said(row.result), style=styles.get(row.result, ""))
        table.add_row(row.check, result, Sentence(plain(said(row.about))), Sentence(plain(said(row.why))))
    out.print(table)
    for row in explanation.rows:
        if row.steps:
            out.print()
            out.print(Text(f"{row.check}: {plain(row.about)}", style="bold"))
            for step in row.steps:
                out.print(f"  {plain(step)}")
    out.print()
    style = {"deliver": "bold green", "junk": "bold yellow"}.get(explanation.handling, "bold red")
    out.print(Sentence(f"{said(explanation.handling)}: {plain(said(explanation.why))}", style=style))
    if explanation.reply:
        out.print(f"  {plain(explanation.reply)}")
    out.print()
    out.print(plain(explanation.field.replace("\r\n", "\n").rstrip("\n")))
