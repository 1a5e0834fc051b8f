"""How a load run looks on a terminal: while it goes on, and when it is over."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from mxgw.cli.terminal import console, plain

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from mxgw.load.report import Result
    from mxgw.load.running import Glimpse

MAX_TROUBLES = 10
_BAR_CELLS = 40


class Progress:
    """Shows the run on stderr, if that is a terminal."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._live: Live | None = None
        self._ended = 0
        self._octets = 0
        self._at = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, glimpse: Glimpse) -> None:
        """The run so far."""
        if self._live is not None:
            self._live.update(self._table(glimpse), refresh=True)

    def _table(self, glimpse: Glimpse) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        plan, tally = glimpse.plan, glimpse.tally
        passed = max(glimpse.seconds - self._at, 0.001)
        rate, octets = (tally.ended - self._ended) / passed, (tally.octets - self._octets) / passed
        self._ended, self._octets, self._at = tally.ended, tally.octets, glimpse.seconds
        point = glimpse.course.points[-1] if glimpse.course.points else None
        table = Table.grid(padding=(0, 2))
        done = max(
            tally.ended / plan.messages if plan.messages else 0.0,
            glimpse.seconds / plan.seconds if plan.seconds else 0.0,
        )
        table.add_row(
            f"{min(done, 1):4.0%}", ProgressBar(total=1.0, completed=min(done, 1), width=_BAR_CELLS)
        )
        count = f"{tally.ended:,}" + (f" of {plan.messages:,}" if plan.messages else "")
        table.add_row(
            "", f"{count} messages, {rate:,.0f}/s, {octets / 1e6:,.1f} MB/s, {glimpse.seconds:,.0f} s"
        )
        if point is not None and point.longest:
            latency = f"{_ms(point.median)} median, {_ms(point.percentile_99)} 99 %, {_ms(point.longest)} max"
            table.add_row("", f"latency {latency}")
        if tally.failed:
            table.add_row("", f"{tally.failed:,} not acknowledged")
        cpu = glimpse.cpu_seconds / max(glimpse.seconds, 0.001)
        table.add_row("", f"harness: {cpu:.2f} processors; Ctrl-C ends")
        return table


def summary(result: Result) -> None:
    """All of it, to stdout."""
    screen = console()
    screen.print(_totals(result))
    if result.histogram.count:
        screen.print(_latencies(result))
    if result.tally.replies.counts or result.tally.troubles:
        screen.print(_replies(result))
    screen.print(_costs(result))
    for remark in remarks(result):
        screen.print(remark)


def remarks(result: Result) -> list[str]:
    """What must be known to read the figures."""
    tally, plan = result.tally, result.plan
    told = []
    if result.interrupted:
        told.append("Interrupted: this is what there was until then.")
    if tally.overdue:
        told.append(
            f"{tally.overdue:,} messages were due and never began: the server, or {plan.sessions} sessions, "
            f"cannot carry {plan.rate:g} messages/s. Their waiting is in the latencies."
        )
    if result.seconds and result.cpu_seconds / result.seconds > 0.8 * plan.processes:
        told.append("The harness itself was busy most of the time: --processes gives it more processors.")
    if not result.as_expected:
        told.append("Not every message was acknowledged.")
    return told


def _totals(result: Result) -> Table:
    tally, plan = result.tally, result.plan
    table = _table(f"{'LMTP' if plan.habits.lmtp else 'SMTP'} to {plan.host}:{plan.port}, run {plan.run}")
    table.add_row("seconds", f"{result.seconds:,.2f}")
    table.add_row("messages begun", f"{tally.begun:,}")
    for name, count in (
        ("acknowledged", tally.acknowledged),
        ("refused", tally.refused),
        ("deferred", tally.deferred),
        ("unknown", tally.unknown),
        ("hung up on purpose", tally.hung_up),
        ("overdue", tally.overdue),
        ("sent again after 421", tally.retried),
    ):
        if count or name == "acknowledged":
            table.add_row(name, f"{count:,}")
    table.add_row("messages/s", f"{result.messages_per_second:,.1f}")
    table.add_row("MB/s", f"{result.octets_per_second / 1e6:,.2f}")
    table.add_row(
        "connections", f"{tally.connections:,}" + (f", {tally.secured:,} TLS" if tally.secured else "")
    )
    return table


def _latencies(result: Result) -> Table:
    histogram = result.histogram
    began = "since a message was due" if result.plan.rate else "since a message began"
    table = _table(f"latency of {histogram.count:,} messages, {began}")
    table.add_row("least", _ms(histogram.bounds[0]))
    table.add_row("mean", _ms(histogram.mean))
    for percentile, seconds in histogram.percentiles().items():
        table.add_row("median" if percentile == 50 else f"{percentile:g} %", _ms(seconds))
    table.add_row("longest", _ms(histogram.bounds[1]))
    return table


def _replies(result: Result) -> Table:
    tally = result.tally
    table = _table("replies")
    table.add_column()
    for (stage, code), count in sorted(tally.replies.counts.items()):
        table.add_row(f"{stage} {code}", f"{count:,}", plain(tally.replies.texts.get((stage, code), "")))
    for trouble, count in tally.troubles.most_common(MAX_TROUBLES):
        table.add_row("no reply", f"{count:,}", plain(trouble))
    return table


def _costs(result: Result) -> Table:
    table = _table("processor time")
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_row(
        "this harness",
        f"{result.cpu_seconds:,.2f} s",
        f"{result.per_message(result.cpu_seconds):.3f} ms/message",
        f"{result.peak_rss_octets / 1e6:,.0f} MB",
    )
    for one in result.watched:
        table.add_row(
            f"process {one.pid}",
            f"{one.cpu_seconds:,.2f} s",
            f"{result.per_message(one.cpu_seconds):.3f} ms/message",
            f"{one.peak_rss_octets / 1e6:,.0f} MB",
        )
    return table


def _table(title: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    return table


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.2f} ms" if seconds < 10 else f"{seconds:,.1f} s"
