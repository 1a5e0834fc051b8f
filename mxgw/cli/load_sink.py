"""``mxgw load sink``: takes mail in, counts it, and misbehaves as it is told."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mxgw.cli.terminal import FAILURE, AddressOption, console, fail, on_terminal
from mxgw.config import Address
from mxgw.load.behaviour import ACT_MEANINGS, STAGE_MEANINGS, Rule, RuleError, parse_rule, parse_script

if TYPE_CHECKING:
    from rich.table import Table

    from mxgw.load.sink_tally import Tally

MAX_PROCESSES = 64
"""More than any machine has use for: each is a whole interpreter of some 25 MB."""

INTERVAL_SECONDS = 1.0


class Rules(click.ParamType[Rule]):
    """A rule in words."""

    name = "rule"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Rule:
        """The rule, or click's usage error."""
        try:
            return value if isinstance(value, Rule) else parse_rule(str(value))
        except RuleError as error:
            self.fail(str(error), param, ctx)


def _epilog() -> str:
    def block(title: str, meanings: Mapping[str, str]) -> str:
        lines = [f"  {word:9} {meaning}" for word, meaning in meanings.items()]
        return "\b\n" + "\n".join([title, *lines])

    keys = {
        "rate=": "with this probability, from 0 to 1",
        "every=": "at every so manieth event",
        "times=": "at most so often",
        "match=": "for recipients of this pattern only, as in 'full*@example.com'",
        "then=": "how the connection ends after half, lose, garbage: close, reset or hang",
    }
    return "\n\n".join(
        [
            block("Stages of a rule:", {stage.value: text for stage, text in STAGE_MEANINGS.items()}),
            block("Acts:", {act.value: text for act, text in ACT_MEANINGS.items()}),
            block("Conditions, for each process by itself:", keys),
        ]
    )


@click.command("sink", epilog=_epilog())
@click.option("--listen", type=AddressOption(listen=True), default="127.0.0.1:2526", show_default=True)
@click.option("--lmtp", is_flag=True, help="Speak LMTP, as a mailbox server does, instead of SMTP.")
@click.option(
    "--processes", type=click.IntRange(1, MAX_PROCESSES), default=1, show_default=True, help="Share the port."
)
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Record each message and recipient there, for `mxgw load verify`; continued if it exists.",
)
@click.option("--no-hash", is_flag=True, help="Count only, as smtp-sink does.")
@click.option("--no-tls", is_flag=True, help="Do not offer STARTTLS (its certificate is self-signed).")
@click.option(
    "--misbehave", "rules", type=Rules(), multiple=True, metavar="RULE", help="A rule; may be repeated."
)
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Rules out of a TOML file, as [[rule]] tables with the keys stage, act, seconds, reply, rate, ...",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of the dice that rates are thrown with."
)
def command(
    listen: Address,
    lmtp: bool,
    processes: int,
    ledger: Path | None,
    no_hash: bool,
    no_tls: bool,
    rules: tuple[Rule, ...],
    script: Path | None,
    seed: int,
) -> None:
    """Take in all mail that comes, throw it away, and tell how much it was.

    Shows itself on a terminal; else writes a line of JSON a second, and the totals at the end. SIGINT or
    SIGTERM end it.

    \b
    Examples:
      mxgw load sink --lmtp --ledger stored.jsonl
      mxgw load sink --misbehave 'content reply=451 rate=0.05' --misbehave 'connect delay=0.1..2 every=10'
      mxgw load sink --lmtp --misbehave "content reply='552 5.2.2 Full' match='full@*'"
      mxgw load sink --misbehave 'content lose rate=0.01 then=reset' --seed 7
    """
    from mxgw.load.sink import Sink, SinkError, SinkSettings

    settings = SinkSettings(
        host=listen.host,
        port=listen.port,
        lmtp=lmtp,
        processes=processes,
        rules=(*rules, *(_script(script) if script else ())),
        seed=seed,
        ledger=ledger,
        hashing=not no_hash,
        starttls=not no_tls,
    )
    if ledger and no_hash:
        fail("a ledger without hashes cannot show alterations: leave --no-hash away")
    try:
        with Sink(settings) as sink:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: sink.ask_to_stop())
            address = str(Address(*sink.address))
            (_show if on_terminal() else _tell)(sink.listen, sink.tally, address, settings.lmtp)
    except (SinkError, OSError) as error:
        fail(str(error), code=FAILURE)


def _script(path: Path) -> list[Rule]:
    try:
        return parse_script(path.read_text(encoding="utf-8"))
    except (RuleError, OSError, UnicodeDecodeError) as error:
        fail(f"{path}: {error}")


class _Pace:
    """What came since the last look, per second."""

    def __init__(self) -> None:
        self.began = self._looked = time.monotonic()
        self._messages = self._octets = 0

    def look(self, tally: Tally) -> tuple[float, float]:
        """Messages and octets a second."""
        now = time.monotonic()
        seconds = max(now - self._looked, 0.001)
        paces = ((tally.messages - self._messages) / seconds, (tally.octets - self._octets) / seconds)
        self._looked, self._messages, self._octets = now, tally.messages, tally.octets
        return paces

    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began


def _tell(listen: Callable[[float], bool], tally: Callable[[], Tally], address: str, lmtp: bool) -> None:
    def line(event: str, **values: object) -> None:
        click.echo(json.dumps({"event": event, **values}))

    pace = _Pace()
    line("listening", address=address, protocol="lmtp" if lmtp else "smtp")
    while listen(INTERVAL_SECONDS):
        now = tally()
        messages, octets = pace.look(now)
        line(
            "progress",
            seconds=round(pace.seconds(), 3),
            messages=now.messages,
            messages_per_second=round(messages, 1),
            octets_per_second=round(octets),
            open_connections=now.open_connections,
        )
    line("totals", seconds=round(pace.seconds(), 3), **_values(tally()))


def _values(tally: Tally) -> dict[str, object]:
    return {one.name: getattr(tally, one.name) for one in fields(tally)}


def _show(listen: Callable[[float], bool], tally: Callable[[], Tally], address: str, lmtp: bool) -> None:
    from rich.live import Live

    pace = _Pace()
    title = f"{'LMTP' if lmtp else 'SMTP'} sink {address}"

    def table() -> Table:
        now = tally()
        return _table(f"{title}; Ctrl-C ends it", now, pace.seconds(), *pace.look(now))

    screen = console()
    with Live(table(), console=screen, auto_refresh=False) as live:
        while listen(INTERVAL_SECONDS):
            live.update(table(), refresh=True)
        now, seconds = tally(), pace.seconds()
        live.update(_table(f"{title}: totals", now, seconds, now.messages / seconds, now.octets / seconds))


def _table(title: str, tally: Tally, seconds: float, messages: float, octets: float) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False, min_width=len(title) + 1)
    table.add_column()
    table.add_column(justify="right")
    rows: dict[str, object] = {
        "seconds": f"{seconds:,.0f}",
        "messages": f"{tally.messages:,}",
        "messages/s": f"{messages:,.0f}",
        "MB/s": f"{octets / 1e6:,.1f}",
        "copies": f"{tally.copies:,}",
        "connections": f"{tally.connections:,} ({tally.open_connections:,} open)",
        "with TLS": f"{tally.tls:,}",
        "CPU ms/message": f"{1000 * tally.cpu_seconds / tally.messages:.3f}" if tally.messages else "-",
        "memory MB": f"{tally.peak_rss_octets / 1e6:,.0f}",
    }
    # What should not be there is shown where it is.
    trouble = {
        "deferred": tally.deferred,
        "refused": tally.refused,
        "kept, not answered": tally.unanswered,
        "body not as its hash says": tally.altered,
        "without X-Load-Id": tally.without_id,
    }
    rows |= {name: f"{count:,}" for name, count in trouble.items() if count}
    rows |= {f"did {act}": f"{count:,}" for act, count in sorted(tally.acts.items())}
    rows |= {f"said {code}": f"{count:,}" for code, count in sorted(tally.replies.items())}
    for name, value in rows.items():
        table.add_row(name, str(value))
    return table
