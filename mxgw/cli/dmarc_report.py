"""``mxgw dmarc-report``: DMARC aggregate reports from the log, for the domains whose mail we received."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mxgw.cli.terminal import FAILURE, console, fail, on_terminal, plain

if TYPE_CHECKING:
    from mxgw.cli.dmarc_report_files import Made
    from mxgw.loglines import LogCounts
    from mxgw.reports.aggregate import Collector
    from mxgw.reports.identity import Reporter
    from mxgw.reports.period import Period

MAX_REPORTS = 1_000
"""Each report may become a mail, and relays sell these by the thousand: who invents domains must not buy."""


@click.command("dmarc-report")
@click.argument("files", nargs=-1, metavar="[FILE...]", type=click.Path(exists=True, allow_dash=True))
@click.option("--from", "begin", metavar="TIME", help="Begin of the period: a date or date and time, UTC.")
@click.option("--until", metavar="TIME", help="End of the period; this moment is no longer in it.")
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="Only this policy domain.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="DIR",
    help="Write one .xml.gz per domain there; - writes the XML of one domain to stdout.",
)
@click.option("--eml", is_flag=True, help="Write a mail beside each report, and show how to send it.")
@click.option("--rua", is_flag=True, help="Show where the reports are to go.")
@click.option("--dns", is_flag=True, help="Ask DNS whether destinations elsewhere agree; see MXGW_DNS.")
@click.option("--org-name", metavar="NAME", help="Who reports. [default: the domain of --email]")
@click.option("--email", metavar="ADDRESS", help="Who answers questions. [default: postmaster@MXGW_HOSTNAME]")
@click.option("--extra-contact", metavar="TEXT", default="", help="More to say about whom to ask.")
@click.option("--receiver", metavar="DOMAIN", help="Our name in reports. [default: the domain of --email]")
@click.option("--report-id", metavar="ID", default="", help="Letters and digits; for one domain only.")
@click.option(
    "--max-rows",
    type=click.IntRange(1, 100_000),
    default=10_000,
    show_default=True,
    help="Different rows of one report; messages beyond are counted, not listed.",
)
@click.option(
    "--max-reports",
    type=click.IntRange(1),
    default=MAX_REPORTS,
    show_default=True,
    help="Reports at once; domains with most messages come first.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON lines, as is done where stdout is no terminal."
)
def command(
    files: tuple[str, ...],
    *,
    begin: str | None,
    until: str | None,
    domains: tuple[str, ...],
    output: Path | None,
    eml: bool,
    rua: bool,
    dns: bool,
    org_name: str | None,
    email: str | None,
    extra_contact: str,
    receiver: str | None,
    report_id: str,
    max_rows: int,
    max_reports: int,
    as_json: bool,
) -> None:
    """Make DMARC aggregate reports (RFC 9990) from the JSON log of the gateway.

    Domains that publish a DMARC record with rua= want to hear once a day what mail came in their name. The
    gateway keeps no state: its log has one "dmarc" event per message, and this counts them.

    FILE is a log, a directory of logs, or - for stdin: JSON lines, plain or gzip, or what CloudWatch gives
    (aws logs filter-log-events --output json, aws logs tail, an export to S3). Lines of other kinds are
    skipped and counted. Without --from and --until: the last day of UTC in the log that is over.

    Nothing is sent. With --eml the mails are written ready to be sent, and the command is shown for each. A
    destination outside of the domain that asks gets mail only if its own DNS agrees, hence --dns.

    \b
    Examples:
      mxgw dmarc-report edge.log
      mxgw dmarc-report edge.log --email dmarc@example.org --domain example.com --output - | less
      mxgw dmarc-report s3-export/ --output reports --eml --dns --email dmarc@example.org
      aws logs filter-log-events --log-group-name mxgw --output json \\
          --filter-pattern '{ $.event = "dmarc" }' | mxgw dmarc-report --rua --dns -
    """
    if not files and sys.stdin.isatty():
        fail("name a log file, or - for stdin; for example: mxgw dmarc-report edge.log")
    if eml and (output is None or str(output) == "-"):
        fail("--eml needs a directory: --output DIR")
    asked = _period(begin, until)
    if output is not None and not email and not os.environ.get("MXGW_HOSTNAME"):
        fail("a report says whom to ask: --email ADDRESS, for example --email dmarc@example.org")
    reporter = _reporter(org_name, email, extra_contact, receiver)
    only = _domains(domains)
    if report_id and not (report_id.isascii() and report_id.isalnum() and len(report_id) <= 64):
        fail("--report-id has letters and digits only, at most 64 (RFC 9990 section 3.5.2)")
    if report_id and len(only) != 1:
        fail("--report-id is the id of one report: choose its domain with --domain")
    # Imported here: mistakes are told, and --help is shown, before anything is loaded.
    from mxgw.cli.dmarc_report_files import Maker, collect

    collector, counts, whole = collect(files or ("-",), asked=asked, max_rows=max_rows, now=time.time())
    aggregate = collector.aggregate
    found = [] if aggregate is None else [it for it in aggregate.by_size() if not only or it.domain in only]
    chosen = [it for it in found if it.rows][:max_reports]
    _tell(collector, counts, beyond=len(found) - len(chosen), missing=only - {it.domain for it in found})
    if output is not None and str(output) == "-":
        if aggregate is None or len(chosen) != 1:
            fail(f"--output - writes the report of one domain, and there are {len(chosen)}: use --domain")
        Maker(reporter, report_id=report_id).print_xml(chosen[0], aggregate.period)
    elif aggregate is not None:
        maker = Maker(reporter, report_id=report_id, directory=output, eml=eml, dns=dns)
        try:
            made = maker.make_all(chosen, aggregate.period)
        except OSError as error:
            fail(f"the reports cannot be written: {error.filename}: {error.strerror}", code=FAILURE)
        unchecked = sum(place.standing == "unchecked" for it in made for place in it.destinations)
        if eml and unchecked:
            click.echo(f"mxgw: {unchecked} destinations elsewhere get no mail unchecked: add --dns", err=True)
        _show(made, aggregate.period, as_json=as_json or not on_terminal(), rua=rua or eml)
    sys.exit(0 if whole else FAILURE)


def _period(begin: str | None, until: str | None) -> Period | None:
    from mxgw.reports.period import moment, period

    moments = []
    for option, text in (("--from", begin), ("--until", until)):
        try:
            moments.append(None if text is None else moment(text))
        except (ValueError, OverflowError):
            fail(f"{option} {text!r}: expected a date, with a time or without, for example 2026-11-23")
    try:
        return period(*moments)
    except ValueError as error:
        fail(f"--from and --until: {error}")


def _reporter(org_name: str | None, email: str | None, extra_contact: str, receiver: str | None) -> Reporter:
    from mxgw.config import default_hostname
    from mxgw.reports.destinations import mail_address
    from mxgw.reports.events import hostname
    from mxgw.reports.identity import Reporter

    given = email or f"postmaster@{os.environ.get('MXGW_HOSTNAME') or default_hostname()}"
    address = mail_address(f"mailto:{given}")
    if not address:
        fail(f"--email {given!r}: expected an address, for example dmarc@example.org")
    name = hostname(receiver or address.rpartition("@")[2])
    if name is None:
        fail(f"--receiver {receiver!r}: expected a domain, for example mx.example.org")
    return Reporter(org_name or name, address, name, extra_contact)


def _domains(given: tuple[str, ...]) -> set[str]:
    from mxgw.reports.events import hostname

    names = {text: hostname(text) for text in given}
    for text, name in names.items():
        if name is None:
            fail(f"--domain {text!r}: expected a domain, for example example.com")
    return {name for name in names.values() if name is not None}


def _tell(collector: Collector, counts: LogCounts, *, beyond: int, missing: set[str]) -> None:
    """What was read and what was not, on stderr: nothing is left out in silence."""
    lines = [
        f"{counts.lines:,} lines read: {counts.events:,} DMARC events, {counts.other:,} lines of other kinds"
    ]
    if counts.unreadable:
        lines.append(f"{counts.unreadable:,} cannot be used; the first: {counts.first_unreadable}")
    aggregate = collector.aggregate
    if collector.outside:
        lines.append(f"{collector.outside:,} messages are of other times than the period")
    if aggregate is None:
        lines.append("there is nothing to report")
        if collector.not_over:
            lines.append("the day of these messages is not over: name the period with --from and --until")
    else:
        if aggregate.without_policy:
            lines.append(f"{aggregate.without_policy:,} messages are of domains without a DMARC record")
        if aggregate.in_no_report:
            lines.append(f"{aggregate.in_no_report:,} messages are in no report: too many domains at once")
        left_out = sum(domain.left_out for domain in aggregate.domains.values())
        if left_out:
            lines.append(f"{left_out:,} messages are in no row: too many different rows")
        if beyond:
            lines.append(f"{beyond:,} domains get no report: --max-reports, or no room for their rows")
        lines += [f"there is no message under the policy of {domain}" for domain in sorted(missing)]
    for line in lines:
        click.echo(plain(f"mxgw: {line}"), err=True)


def _show(made: list[Made], period: Period, *, as_json: bool, rua: bool) -> None:
    if as_json:
        for report in made:
            click.echo(json.dumps(report.facts(period)))
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold", title=f"DMARC, {period}", title_justify="left")
    table.add_column("policy domain", overflow="fold")
    for heading in ("messages", "passed", "failed", "to Junk", "refused", "rows"):
        table.add_column(heading, justify="right")
    table.add_column("asks for", no_wrap=True)
    table.add_column("reports", no_wrap=True)
    for report in made:
        table.add_row(report.domain, *(f"{number:,}" for number in report.numbers()), *report.words())
    console().print(table)
    if rua:
        _show_destinations(made)
    for report in made:
        if report.send:
            console().print(report.send, soft_wrap=True)


def _show_destinations(made: list[Made]) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("policy domain", "destination", "may be used"):
        table.add_column(heading, overflow="fold")
    for report in made:
        for place in report.destinations or ():
            table.add_row(report.domain, plain(place.address or place.uri), place.standing)
        if not report.destinations:
            table.add_row(report.domain, "", "nobody asks for reports")
    console().print(table)
