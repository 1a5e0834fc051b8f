"""How a load run looks on a terminal: while it goes on, and when it is over."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from mxgw.cli.terminal import console, plain
from mxgw.load.replies import Stage

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
    tally, plan = result.tally, result.plan
    protocol = "LMTP" if plan.habits.lmtp else "SMTP"
    screen = console()
    screen.print(
        f"{protocol} to {plan.host}:{plan.port}: {tally.acknowledged:,} of {plan.messages or tally.begun:,} "
        f"messages acknowledged in {result.seconds:,.2f} s (run {plan.run})",
        soft_wrap=True,
    )
    tables = [_totals(result)]
    if result.histogram.count:
        tables.append(_latencies(result))
    if tally.replies.counts or tally.troubles:
        tables.append(_replies(result))
    tables.append(_costs(result))
    for table in tables:
        screen.print()
        screen.print(table)
    screen.print()
    for remark in remarks(result):
        screen.print(remark, soft_wrap=True)


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
    tally = result.tally
    table = _table("messages", "")
    for name, count in (
        ("begun", tally.begun),
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
    table.add_row("per second", f"{result.messages_per_second:,.1f}")
    table.add_row("MB per second", f"{result.octets_per_second / 1e6:,.2f}")
    table.add_row("connections", f"{tally.connections:,}")
    if tally.secured:
        table.add_row("with TLS", f"{tally.secured:,}")
    return table


def _latencies(result: Result) -> Table:
    histogram = result.histogram
    table = _table("latency since due" if result.plan.rate else "latency since begun", "ms")
    rows = {"least": histogram.bounds[0], "mean": histogram.mean}
    rows |= {f"{one:g} %": seconds for one, seconds in histogram.percentiles().items()}
    rows |= {"longest": histogram.bounds[1]}
    for name, seconds in rows.items():
        table.add_row(name, f"{1000 * seconds:,.2f}")
    return table


def _replies(result: Result) -> Table:
    tally = result.tally
    order = list(Stage)
    table = _table("replies", "", "")
    for (stage, code), count in sorted(
        tally.replies.counts.items(), key=lambda one: (order.index(one[0][0]), one[0][1])
    ):
        table.add_row(f"{stage} {code}", f"{count:,}", plain(tally.replies.texts.get((stage, code), "")))
    for trouble, count in tally.troubles.most_common(MAX_TROUBLES):
        table.add_row("none", f"{count:,}", plain(trouble))
    return table


def _costs(result: Result) -> Table:
    table = _table("processor time", "s", "ms/message", "MB")
    rows = [("this harness", result.cpu_seconds, result.peak_rss_octets)]
    rows += [(f"process {one.pid}", one.cpu_seconds, one.peak_rss_octets) for one in result.watched]
    for name, seconds, octets in rows:
        table.add_row(name, f"{seconds:,.2f}", f"{result.per_message(seconds):.3f}", f"{octets / 1e6:,.0f}")
    return table


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        # Figures to the right; the third column of the replies is text.
        table.add_column(column, justify="left" if number and not column else "right")
    return table


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.2f} ms" if seconds < 10 else f"{seconds:,.1f} s"
