"""Chapter: how it grows with sessions, with the size of messages, with workers and with the way home."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.distance import AtDistance
from bench.document import Block, Chapter, Listing, Picture, Table, Text, figure
from bench.drawing import Curve, draw_curves
from bench.gateways import AUTHENTICATION, Gateway, Mxgw
from bench.loads import MxgwLoad
from bench.measure import Sample, Workload
from bench.postfix import PostfixProxy
from bench.run import Run
from bench.scaling import two_workers
from bench.zone import ZoneServer

SESSIONS = (1, 10, 100, 1000)
SESSION_MESSAGES = 600
POSTFIX_SESSIONS = 100
"""Its stock limit of processes: the sessions beyond it would only wait."""

SIZES = ((1024, 600), (10_240, 600), (102_400, 200), (1_048_576, 60), (26_214_400, 8))
"""Octets, and how many messages of them."""
SIZE_SESSIONS = 10
ROUND_TRIPS_MS = (0, 20, 100)
ROUND_TRIP_SESSIONS = 50
ROUND_TRIP_MESSAGES = 300
OCTETS = 10_240
WARM_UP = 50

EXPLANATION = """\
`mxgw load send` -> gateway -> `smtp-sink`, one message per connection, each point measured once. The load
has both cores in common with the gateway, so that messages per second end where the machine does; CPU time
per message does not depend on that. Postfix is shown up to its stock limit of 100 processes. With
authentication, messages are signed and clients come from public addresses.\
"""
WORKERS = """\
Two workers against one, each held to the same small share of a core, so that sender and sink do not decide
the figure.\
"""
DISTANCE = """\
Round trip between gateway and next hop, made by two network namespaces and a wire between them that holds
each packet back; {sessions} sessions, MXGW_HOME_CONNECTIONS as delivered. Latency is what the client sees.\
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A gateway in the curves; ``signed``: its mail is signed and comes by PROXY headers."""

    gateway: Gateway
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement of one line."""

    line: str
    x: float
    sample: Sample


Reading = tuple[str, Callable[[Sample], float]]

READINGS: tuple[Reading, ...] = (
    ("messages/s", lambda sample: sample.delivered_per_second),
    ("CPU-ms/message", lambda sample: sample.cpu_ms),
    ("p99, ms", lambda sample: sample.latency_ms.get("p99", 0.0)),
)
SIZE_READINGS: tuple[Reading, ...] = (
    ("MB/s", lambda sample: sample.megabytes_per_second),
    ("MB per CPU-second", lambda sample: sample.sent * sample.octets / sample.cpu_seconds / 1e6),
    ("PSS, MB", lambda sample: sample.peak_pss_megabytes),
)


def curves(run: Run, zone: ZoneServer | None) -> Chapter:
    """Measure all curves."""
    lines = [Line(Mxgw(title="mxgw")), Line(Mxgw(name="mxgw-2", title="mxgw, 2 workers", workers=2))]
    if zone is not None:
        checked = Mxgw(
            name="mxgw-auth",
            title="mxgw, authentication on",
            checks=AUTHENTICATION,
            proxied=True,
            dns=zone.address,
        )
        two = checked.with_workers(2, name="mxgw-auth-2", title="mxgw, authentication on, 2 workers")
        lines += [Line(checked, signed=True), Line(two, signed=True)]
    lines.append(Line(PostfixProxy()))
    by_sessions = [
        point
        for line in _present(run, lines)
        for sessions in SESSIONS
        if line.signed or "mxgw" in line.gateway.name or sessions <= POSTFIX_SESSIONS
        for point in _points(
            run, line, sessions, _load(zone, line, sessions, OCTETS, max(SESSION_MESSAGES, 3 * sessions // 2))
        )
    ]
    single = [line for line in _present(run, lines) if "2 workers" not in line.gateway.title]
    by_size = [
        point
        for line in single
        for octets, messages in SIZES
        for point in _points(run, line, octets, _load(zone, line, SIZE_SESSIONS, octets, messages))
    ]
    session_names = [(float(value), f"{value:,}") for value in SESSIONS]
    size_names = [
        (float(octets), words)
        for (octets, _), words in zip(SIZES, ("1 KB", "10 KB", "100 KB", "1 MB", "25 MB"), strict=True)
    ]
    blocks: list[Block] = [
        Text(EXPLANATION),
        *_show(run, "sessions", "Sessions", by_sessions, session_names, READINGS),
        *_show(run, "sizes", "Size of messages", by_size, size_names, SIZE_READINGS, logarithmic=True),
        *_distances(run),
        Text(WORKERS),
    ]
    return Chapter(
        "How it grows",
        blocks,
        two_workers(run, zone),
        [
            Listing(
                "Loads of the curves",
                [
                    " ".join(_load(None, lines[0], 100, OCTETS, SESSION_MESSAGES).argv("127.0.0.1:PORT")),
                    "with authentication as in the chapter on it; sizes with -s 10 and --size OCTETS",
                ],
            )
        ],
        {"sessions": _data(by_sessions), "sizes": _data(by_size)},
    )


def _present(run: Run, lines: Sequence[Line]) -> list[Line]:
    wanted = run.present([line.gateway for line in lines])
    return [line for line in lines if line.gateway in wanted]


def _load(zone: ZoneServer | None, line: Line, sessions: int, octets: int, messages: int) -> MxgwLoad:
    load = MxgwLoad(sessions, octets, False, messages)
    if line.signed and zone is not None:
        return MxgwLoad(sessions, octets, False, messages, signing_key=zone.signing_key, proxied=True)
    return load


def _points(run: Run, line: Line, x: float, load: MxgwLoad) -> list[Point]:
    sample = run.measure(line.gateway, Workload(f"{x:g}", "", load, WARM_UP))
    return [Point(line.gateway.title, x, sample)] if sample and sample.whole else []


def _show(
    run: Run,
    name: str,
    title: str,
    points: Sequence[Point],
    x_names: Sequence[tuple[float, str]],
    readings: Sequence[Reading],
    *,
    logarithmic: bool = False,
) -> list[Block]:
    titles = list(dict.fromkeys(point.line for point in points))
    panels = [
        (
            label,
            [
                Curve(
                    one,
                    [point.x for point in points if point.line == one],
                    [read(point.sample) for point in points if point.line == one],
                )
                for one in titles
            ],
        )
        for label, read in readings
    ]
    picture = draw_curves(run.pictures, name, panels, x_label=title, x_names=x_names, logarithmic=logarithmic)
    found = {(point.line, point.x): point.sample for point in points}
    tables = [
        Table(
            f"{title}: {label}",
            ("gateway", *(words for _, words in x_names)),
            [
                (one, *(figure(read(found[one, x])) if (one, x) in found else "-" for x, _ in x_names))
                for one in titles
            ],
        )
        for label, read in readings
    ]
    return [*([Picture(picture, title)] if picture else []), *tables]


def _distances(run: Run) -> list[Block]:
    points: list[Point] = []
    for milliseconds in ROUND_TRIPS_MS:
        gateway = AtDistance(milliseconds)
        for present in run.present([gateway]):
            load = MxgwLoad(ROUND_TRIP_SESSIONS, OCTETS, False, ROUND_TRIP_MESSAGES)
            sample = run.measure(present, Workload(f"rtt-{milliseconds}", "", load, WARM_UP))
            if sample and sample.whole:
                points.append(Point("mxgw", float(milliseconds), sample))
    if not points:
        return []
    names = [(float(value), f"{value} ms") for value in ROUND_TRIPS_MS]
    return [
        Text(DISTANCE.format(sessions=ROUND_TRIP_SESSIONS)),
        *_show(run, "distance", "Round trip to the next hop", points, names, READINGS),
    ]


def _data(points: Sequence[Point]) -> list[dict[str, object]]:
    return [{"line": point.line, "x": point.x, "sample": point.sample.as_json()} for point in points]
