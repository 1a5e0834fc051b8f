"""Reads logs and writes reports for ``mxgw dmarc-report``: files, progress, DNS."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Any

import click

from mxgw.cli.log_files import log_files, opened, progress
from mxgw.cli.terminal import fail, plain
from mxgw.config.forms import resolvers
from mxgw.loglines import LogCounts, LogDamagedError, read_events
from mxgw.reports.aggregate import Collector, DomainCounts
from mxgw.reports.destinations import Destination, check_all, destinations
from mxgw.reports.events import Disposition, EventError, parse_event
from mxgw.reports.feedback_xml import feedback_xml, write_gzip
from mxgw.reports.identity import Reporter, report_name
from mxgw.reports.letter import letter
from mxgw.reports.period import Period

if TYPE_CHECKING:
    pass


def collect(
    names: Sequence[str], *, asked: Period | None, max_rows: int, now: float
) -> tuple[Collector, LogCounts, bool]:
    """Read all logs. The last value is False where one of them broke off."""
    collector = Collector(now, asked, max_rows=max_rows)
    counts = LogCounts()
    paths = [path for name in names for path in log_files(name)]
    whole = True
    with progress(paths) as advance:
        for path in paths:
            try:
                with opened(path, advance) as file:
                    _collect(file, path, collector, counts)
            except (OSError, LogDamagedError) as error:
                whole = False
                why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                click.echo(plain(f"mxgw: {path}: {why}; what was read before it counts"), err=True)
    return collector, counts, whole


def _collect(file: io.BufferedReader[Any], path: str, collector: Collector, counts: LogCounts) -> None:
    for place, fields in read_events(file, "stdin" if path == "-" else path, counts, event="dmarc"):
        try:
            collector.add(parse_event(fields))
        except EventError as error:
            counts.bad(place, str(error))


@dataclass(frozen=True, slots=True)
class Made:
    """A report that was made, or could be."""

    counts: DomainCounts
    report_id: str
    file_name: str
    destinations: tuple[Destination, ...]
    path: Path | None = None
    letter_path: Path | None = None
    send: str = ""

    @property
    def domain(self) -> str:
        """The policy domain."""
        return self.counts.domain

    def numbers(self) -> tuple[int, ...]:
        """Messages, passed, failed, to Junk, refused; rows."""
        counts = self.counts
        passed = counts.passed()
        quarantined, rejected = map(counts.disposed, (Disposition.QUARANTINE, Disposition.REJECT))
        return counts.messages, passed, counts.listed - passed, quarantined, rejected, len(counts.rows)

    def words(self) -> tuple[str, str]:
        """What the policy asks for, and whether the report can go."""
        usable = sum(place.usable for place in self.destinations)
        if not self.destinations:
            reports = "not asked for"
        elif usable:
            reports = f"to {usable}"
        else:
            reports = self.destinations[0].standing.value
        return self.counts.published.p.value, reports

    def facts(self, period: Period) -> dict[str, object]:
        """For JSON."""
        messages, passed, failed, quarantined, rejected, rows = self.numbers()
        begin, until = (datetime.fromtimestamp(second, UTC).isoformat() for second in period)
        policy = self.counts.published
        return {
            "policy_domain": self.domain,
            "begin": begin,
            "until": until,
            "messages": messages,
            "passed": passed,
            "failed": failed,
            "quarantined": quarantined,
            "rejected": rejected,
            "left_out": self.counts.left_out,
            "rows": rows,
            "p": policy.p,
            "sp": policy.sp,
            "np": policy.np,
            "report_id": self.report_id,
            "file_name": self.file_name,
            "path": None if self.path is None else str(self.path),
            "eml": None if self.letter_path is None else str(self.letter_path),
            "send": self.send or None,
            "destinations": [
                {
                    "uri": place.uri,
                    "address": place.address,
                    "standing": place.standing,
                    "usable": place.usable,
                }
                for place in self.destinations
            ],
        }


class Maker:
    """Writes the reports of one run."""

    def __init__(
        self,
        reporter: Reporter,
        *,
        report_id: str = "",
        directory: Path | None = None,
        eml: bool = False,
        dns: bool = False,
    ) -> None:
        self._reporter = reporter
        self._report_id = report_id
        self._directory = directory
        self._eml = eml
        self._dns = dns

    def print_xml(self, counts: DomainCounts, period: Period) -> None:
        """One report on stdout."""
        name = report_name(self._reporter, counts.domain, period, report_id=self._report_id)
        for text in feedback_xml(counts, self._reporter, name):
            click.echo(text, nl=False)

    def make_all(self, chosen: Sequence[DomainCounts], period: Period) -> list[Made]:
        """Every report with its destinations; files where a directory is given. Raises OSError."""
        if self._directory is not None:
            self._directory.mkdir(parents=True, exist_ok=True)
        places = self._places(chosen)
        return [self._make(counts, period, found) for counts, found in zip(chosen, places, strict=True)]

    def _places(self, chosen: Sequence[DomainCounts]) -> list[tuple[Destination, ...]]:
        wanted = [(counts.domain, counts.rua) for counts in chosen]
        if not self._dns:
            return [destinations(domain, rua) for domain, rua in wanted]
        return asyncio.run(_ask(wanted))

    def _make(self, counts: DomainCounts, period: Period, places: tuple[Destination, ...]) -> Made:
        name = report_name(self._reporter, counts.domain, period, report_id=self._report_id)
        made = Made(counts, name.report_id, name.file_name, places)
        if self._directory is None:
            return made
        packed = io.BytesIO()
        write_gzip(packed, counts, self._reporter, name)
        path = self._directory / name.stored_as
        _replace(path, packed.getvalue())
        to = [place.address for place in places if place.usable]
        if not self._eml or not to:
            return Made(counts, name.report_id, name.file_name, places, path)
        letter_path = path.with_name(path.name.removesuffix(".xml.gz") + ".eml")
        octets = letter(packed.getvalue(), self._reporter, name, to=to, date=datetime.now(UTC))
        _replace(letter_path, octets)
        send = (
            f"{join(['sendmail', '-i', '-f', self._reporter.email, '--', *to])} < {quote(str(letter_path))}"
        )
        return Made(counts, name.report_id, name.file_name, places, path, letter_path, send)


def _replace(path: Path, octets: bytes) -> None:
    """Whole or not at all: whoever sends what lies there must not find half of it."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(octets)
    part.replace(path)


async def _ask(wanted: Sequence[tuple[str, Sequence[str]]]) -> list[tuple[Destination, ...]]:
    # Imported here: dnspython takes its time, and most runs ask nothing.
    from mxgw.resolver.resolver import Resolver
    from mxgw.resolver.upstream import Upstream

    try:
        servers = resolvers(os.environ.get("MXGW_DNS", ""))
    except ValueError as error:
        fail(f"MXGW_DNS: {error}; expected addresses of DNS servers, for example 127.0.0.1:53")
    return await check_all(Resolver(Upstream(servers)), wanted)
