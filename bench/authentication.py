"""Chapter: relay of signed mail, checked, beside Postfix with milters; and what each check takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.compare import Spread, Verdict, per_round
from bench.document import Block, Chapter, Listing, Picture, Table, Text, figure, spread_words
from bench.drawing import Bar, draw_bars
from bench.gateways import AUTHENTICATION, Gateway, Mxgw, debian_mxgw
from bench.loads import MxgwLoad
from bench.measure import Sample, Workload
from bench.milters import PostfixMilters
from bench.relay import HEADINGS, best_ratio, listing, relay_rows
from bench.run import Run
from bench.witness import trace_of
from bench.zone import ZoneServer, records

SESSIONS = 20
OCTETS = 10_240
WARM_UP = 200
CHECKS = AUTHENTICATION.split(",")

EXPLANATION = """\
`mxgw load send` -> gateway -> `smtp-sink`: messages of 10 KB, each signed with rsa-2048, from {clients}
clients with public addresses by PROXY v2 headers, 20 sessions. DNS is answered by unbound with the zone in
its configuration, in a process of its own that is not counted ({dns} CPU-ms per message for mxgw, {peer_dns}
for Postfix). mxgw keeps DNS answers by itself, so does opendkim; the policy service and opendmarc ask the
resolver, as they do where an operator gives them a local one. Postfix's smtpd looks up the client's name,
which is what mxgw calls iprev; Debian has no ARC milter, so ARC is mxgw's alone.\
"""
ABLATION = """\
mxgw with all checks, and with all but one: the share of its CPU time that goes away with the check, within
each round, kept connections. SPF, DKIM, ARC, DMARC and iprev share the resolver, the parsed header and the
body hash, so shares of one by one do not add up to the whole; "all" is what goes away with all of them. A
share near nothing is within the noise of the measurement, which the lowest and the highest round show.\
"""


def workloads(key: Path) -> tuple[Workload, Workload]:
    """One message per connection, and kept connections."""
    return (
        Workload(
            "auth-a20",
            "10 KB, signed, one message per connection, 20 sessions",
            MxgwLoad(SESSIONS, OCTETS, False, 1600, signing_key=key, proxied=True),
            WARM_UP,
        ),
        Workload(
            "auth-b20",
            "10 KB, signed, kept connections, 20 sessions",
            MxgwLoad(SESSIONS, OCTETS, True, 2000, signing_key=key, proxied=True),
            WARM_UP,
        ),
    )


class SmallShare(PostfixMilters):
    """Takes a part of the messages."""

    share = 0.2


def authentication(run: Run, zone: ZoneServer) -> Chapter:
    """Measure both parts."""
    milters = SmallShare(zone)
    checked = Mxgw(
        name="mxgw-auth",
        title="mxgw, authentication on",
        proxied=True,
        checks=AUTHENTICATION,
        dns=zone.address,
    )
    debian = debian_mxgw()
    ours: list[Gateway] = [
        checked,
        debian_mxgw(
            name="mxgw-debian-auth",
            title=f"{debian.title}, authentication on",
            proxied=True,
            checks=AUTHENTICATION,
            dns=zone.address,
        ),
        Mxgw(name="mxgw-proxied", title="mxgw, authentication off", proxied=True),
    ]
    gateways = run.present([*ours, milters])
    loads = workloads(zone.signing_key)
    samples: list[Sample] = []
    dns: dict[str, list[float]] = {}
    for workload in loads:
        for number, gateway in run.turns(gateways):
            before = zone.account.cpu().total
            if sample := run.measure(gateway, workload, round_number=number):
                samples.append(sample)
                dns.setdefault(gateway.name, []).append(
                    1000 * (zone.account.cpu().total - before) / sample.sent
                )
    blocks: list[Block] = [
        Text(
            EXPLANATION.format(
                clients=254,
                dns=_median(dns.get(checked.name)),
                peer_dns=_median(dns.get(milters.name)),
            )
        )
    ]
    blocks += [
        Table(f"{load.name}: {load.title}", HEADINGS, relay_rows(gateways, load.name, samples))
        for load in loads
    ]
    blocks.append(_latency(gateways, loads, samples))
    verdicts = []
    for gateway in ours[:2]:
        for load in loads:
            if value := best_ratio(samples, gateway.name, [milters.name], load.name):
                subject = f"{load.name}: CPU per message, {gateway.title} / Postfix with milters"
                verdicts.append(Verdict(subject, value, "below 1", value.median < 1))
        if value := _throughput(samples, gateway.name, milters.name, loads[0].name):
            subject = f"{loads[0].name}: messages per second, {gateway.title} / Postfix with milters"
            verdicts.append(Verdict(subject, value, "above 1", value.median > 1))
    blocks += _shares(run, zone, loads[1])
    return Chapter(
        "Relay with authentication",
        blocks,
        verdicts,
        [
            Listing("Signed loads", [f"{w.name}: {' '.join(_public(w, zone))}" for w in loads]),
            *(
                Listing(f"What {g.title} wrote", trace_of(g, loads[0].load, method=run.method))
                for g in gateways
                if g.name in {checked.name, milters.name}
            ),
            *(listing(gateway) for gateway in gateways),
            Listing("The zone (and 254 clients)", _zone_lines(zone)),
        ],
        {"samples": [sample.as_json() for sample in samples]},
    )


def _public(workload: Workload, zone: ZoneServer) -> list[str]:
    argv = workload.load.argv("127.0.0.1:PORT")
    return ["dkim.pem" if word == str(zone.signing_key) else word for word in argv]


def _zone_lines(zone: ZoneServer) -> list[str]:
    lines = records(zone.key)
    return [line if len(line) < 160 else f"{line[:150]}..." for line in lines[: -2 * 254 + 2]]


def _median(values: Sequence[float] | None) -> str:
    return figure(Spread.of(values).median) if values else "-"


def _throughput(samples: Sequence[Sample], ours: str, peer: str, workload: str) -> Spread | None:
    mine, theirs = (per_round(samples, name, workload) for name in (ours, peer))
    ratios = [
        mine[number].delivered_per_second / theirs[number].delivered_per_second
        for number in mine
        if number in theirs
    ]
    return Spread.of(ratios) if ratios else None


def _latency(gateways: Sequence[Gateway], loads: Sequence[Workload], samples: Sequence[Sample]) -> Table:
    """Under full load: the time that 20 sessions wait for each other is in it."""
    rows = []
    for gateway in gateways:
        for load in loads:
            good = list(per_round(samples, gateway.name, load.name).values())
            if good:
                spreads = (Spread.of(s.latency_ms[name] for s in good) for name in ("p50", "p99"))
                rows.append((f"{gateway.title}, {load.name}", *map(spread_words, spreads)))
    return Table(
        "Milliseconds from MAIL to the last reply, 20 sessions without a pause",
        ("gateway", "p50", "p99"),
        rows,
    )


def _shares(run: Run, zone: ZoneServer, load: Workload) -> list[Block]:
    """All checks, all but one, none: in turn, in each round."""

    def variant(name: str, left: Sequence[str]) -> Mxgw:
        checks = ",".join(left) or "none"
        return Mxgw(name=name, title=f"mxgw with {checks}", checks=checks, proxied=True, dns=zone.address)

    everything = variant("all", CHECKS)
    nothing = variant("none", ())
    without = {
        check: variant(f"no-{check}", [other for other in CHECKS if other != check]) for check in CHECKS
    }
    samples: list[Sample] = []
    for number, gateway in run.turns(run.present([everything, *without.values(), nothing])):
        if sample := run.measure(gateway, load, round_number=number):
            samples.append(sample)
    full = per_round(samples, everything.name, load.name)

    def saved(gateway: Mxgw) -> tuple[Spread, Spread] | None:
        less = per_round(samples, gateway.name, load.name)
        numbers = [number for number in less if number in full]
        if not numbers:
            return None
        milliseconds = [full[n].cpu_ms - less[n].cpu_ms for n in numbers]
        shares = [100 * (1 - less[n].cpu_ms / full[n].cpu_ms) for n in numbers]
        return Spread.of(milliseconds), Spread.of(shares)

    rows, bars = [], []
    for name, gateway in [*without.items(), ("all", nothing)]:
        if found := saved(gateway):
            milliseconds, share = found
            rows.append(
                (
                    name,
                    f"{milliseconds.median:.3f} ({milliseconds.low:.3f} to {milliseconds.high:.3f})",
                    f"{share.median:.1f} % ({share.low:.1f} to {share.high:.1f})",
                )
            )
            bars.append(Bar(name, share.median, share.low, share.high))
    picture = draw_bars(run.pictures, "checks", "share of mxgw's CPU time, %", bars)
    blocks: list[Block] = [
        Table("What each check takes", ("check", "CPU-ms/message", "share of mxgw's CPU"), rows),
        Text(ABLATION),
    ]
    return (
        [*blocks, Picture(picture, "Share of CPU time that goes away with each check")] if picture else blocks
    )
