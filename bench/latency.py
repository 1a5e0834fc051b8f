"""Chapter: how long a client waits at a constant rate that everybody carries."""

from __future__ import annotations

from bench.document import Chapter, Listing, Table, Text, figure
from bench.gateways import AUTHENTICATION, Gateway, Mxgw
from bench.lineup import relays
from bench.loads import MxgwLoad
from bench.measure import Sample, Workload
from bench.milters import PostfixMilters
from bench.run import Run
from bench.zone import ZoneServer

RATE = 40.0
SECONDS = 5.0
SESSIONS = 100
OCTETS = 10_240
WARM_UP = 40
LEFT_OUT = ("mxgw-debian", "opensmtpd", "haraka-lmtp")
"""The interpreter makes no difference that could be seen here; the others do not empty their queues at this
rate."""

PERCENTILES = ("p50", "p90", "p99", "max")
EXPLANATION = """\
`mxgw load send` at {rate:g} messages a second, whether or not the last ones are answered (an open loop: a
gateway that stalls is charged for all who wait), 10 KB, one message per connection, {messages} messages.
Milliseconds from when a message was due to its last reply, connection included. With a queue the reply does
not mean that the next hop has the message; without one it does.\
"""


def latency(run: Run, zone: ZoneServer | None) -> Chapter:
    """One measurement each."""
    gateways: list[tuple[Gateway, bool]] = [
        (gateway, False) for gateway in relays(zone.address if zone else "") if gateway.name not in LEFT_OUT
    ]
    if zone is not None:
        gateways += [
            (
                Mxgw(
                    name="mxgw-auth",
                    title="mxgw, authentication on",
                    checks=AUTHENTICATION,
                    proxied=True,
                    dns=zone.address,
                ),
                True,
            ),
            (PostfixMilters(zone), True),
        ]
    samples: list[tuple[Gateway, Sample]] = []
    present = run.present([gateway for gateway, _ in gateways])
    for gateway, signed in gateways:
        if gateway not in present:
            continue
        sample = run.measure(gateway, _workload(zone if signed else None), full=True)
        if sample:
            samples.append((gateway, sample))
    rows = [
        (
            gateway.title,
            *(figure(sample.latency_ms[name]) if sample.whole else "-" for name in PERCENTILES),
            figure(sample.cpu_ms),
        )
        for gateway, sample in samples
        if sample.latency_ms
    ]
    return Chapter(
        "Latency at a constant rate",
        [
            Text(EXPLANATION.format(rate=RATE, messages=round(RATE * SECONDS))),
            Table("", ("gateway", *PERCENTILES, "CPU-ms/message"), rows),
        ],
        listings=[
            Listing("Load at a constant rate", [" ".join(_workload(None).load.argv("127.0.0.1:PORT"))])
        ],
        data={"samples": [sample.as_json() for _, sample in samples]},
    )


def _workload(zone: ZoneServer | None) -> Workload:
    load = MxgwLoad(
        SESSIONS,
        OCTETS,
        False,
        round(RATE * SECONDS),
        rate=RATE,
        signing_key=zone.signing_key if zone else None,
        proxied=zone is not None,
    )
    return Workload("rate", f"10 KB, {RATE:g} messages a second", load, WARM_UP)
