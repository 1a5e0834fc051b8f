"""How a domain's records are, by what several servers say of them. Pure.

The servers of the zone have the last word; a resolver that says otherwise still remembers what was before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mxgw.admin import dns_check
from mxgw.admin.dns_check import Finding, Level
from mxgw.admin.dns_records import SENDGRID, Purpose
from mxgw.admin.forms import shown
from mxgw.doctor.memory import Memory
from mxgw.doctor.spf_tree import MAX_LOOKUPS
from mxgw.doctor.survey import Published, Survey, Wanted
from mxgw.doctor.verdict import Judge, Verdict, shortened
from mxgw.msgauth.dkim_tags import TagFault
from mxgw.msgauth.keys import parse_key
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_macros import BadSyntax
from mxgw.msgauth.spf_record import Mechanism, is_spf, parse_record
from mxgw.resolver.answers import Answer, Status

SERVERS = "DNS"
"""The check that somebody answers at all."""

AWAY = "dns-away"
SPREADING = "spreading"
_ORDER = (Level.OK, Level.WARNING, Level.FAILED)
# Several right answers are usual: these names are often served by a network for content.
_CHANGING = {Purpose.MTA_STS_HOST}

Key = tuple[Purpose, str]
"""What was looked at: the kind of record and its name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What follows from the answers of one server about one thing."""

    source: str
    authoritative: bool
    finding: Finding


def judge_domain(survey: Survey) -> list[Verdict]:
    """The servers, then every record."""
    domain = survey.wanted.domain
    servers = judge_servers(survey)
    found = [(source, findings(survey.wanted, said)) for source, said in survey.told if not said.silent]
    if not found:
        return [servers]
    first = (Purpose.MX, domain)
    return [
        servers,
        *[
            merge(
                domain,
                # A server that knows no such domain has said so about every record.
                [
                    Told(source.name, source.authoritative, by_key.get(key, by_key[first]))
                    for source, by_key in found
                ],
            )
            for key in found[0][1]
        ],
    ]


def judge_servers(survey: Survey) -> Verdict:
    """Somebody answers: the servers of the zone, and the resolvers."""
    domain = survey.wanted.domain
    lines = [
        f"{'NS ' if source.authoritative else ''}{source.name}: {'-' if said.silent else 'ok'}"
        for source, said in survey.told
    ]
    judge = Judge(domain, SERVERS, tuple(lines))
    own = [said for source, said in survey.told if source.authoritative]
    silent = [source for source, said in survey.told if said.silent]
    names = ", ".join(source.name for source in silent)
    if not own:
        return judge.bad("servers-unknown", "mend-servers-unknown", domain=domain)
    if len(silent) == len(survey.told):
        return judge.bad("servers-all-silent", "mend-servers-all-silent")
    if all(said.silent for said in own):
        return judge.bad("servers-own-silent", "mend-servers-own", domain=domain, names=names)
    if any(source.authoritative for source in silent):
        return judge.warn("servers-some-silent", "mend-servers-own", domain=domain, names=names)
    if silent:
        return judge.warn("resolvers-silent", "mend-resolvers", names=names)
    return judge.good("servers-ok")


def findings(wanted: Wanted, said: Published) -> dict[Key, Finding]:
    """What one server's answers amount to, by what was looked at; the MX is first, and always there."""
    domain, exchanger, reports = wanted.domain, wanted.exchanger, wanted.reports
    if said.mx.status is said.texts.status is Status.NO_NAME:
        gone = Finding(
            Purpose.MX, domain, Level.FAILED, "dns-no-domain", "mend-no-domain", facts={"domain": domain}
        )
        return {(Purpose.MX, domain): gone}
    judged = [
        dns_check.judge_mx(domain, exchanger, said.mx),
        dns_check.judge_addresses(exchanger, said.host_a, said.host_aaaa),
        judge_spf(wanted, said),
        *[judge_dkim(wanted, selector, said.dkim[selector]) for selector in wanted.selectors],
        dns_check.judge_dmarc(domain, reports, said.dmarc),
        dns_check.judge_tls_rpt(domain, reports, said.tls_rpt),
        dns_check.judge_mta_sts(domain, said.mta_sts),
        dns_check.judge_mta_sts_host(domain, said.mta_sts, said.sts_a, said.sts_aaaa),
    ]
    return {(finding.purpose, finding.name): finding for finding in judged}


def judge_spf(wanted: Wanted, said: Published) -> Finding:
    """One record, valid with all that it includes, affordable, that lets the sender send and others not."""
    finding = dns_check.judge_spf(wanted.domain, said.texts)
    sendgrid = wanted.outbound == SENDGRID
    outbound = str(wanted.outbound)
    term = f"include:{outbound}" if isinstance(wanted.outbound, str) else _ip_term(outbound)
    facts: dict[str, str | int] = {**finding.facts, "outbound": outbound, "term": term}
    tree = said.spf
    if finding.key in {"spf-missing", "spf-several", "spf-syntax", AWAY}:
        instead = finding.mend if sendgrid or finding.key == AWAY else "mend-spf-write"
        return replace(finding, mend=instead, facts=facts)
    if tree.broken:
        facts |= {"broken": shown(tree.broken), "why": shown(tree.why)}
        finding = replace(finding, seen=(*finding.seen, f"{facts['broken']}: {facts['why']}"))
        return _bad(finding, "spf-broken-include", "mend-spf-broken-include", facts)
    facts["lookups"] = tree.lookups
    if tree.lookups > MAX_LOOKUPS:
        return _bad(finding, "spf-too-many", "mend-spf-too-many", {**facts, "most": MAX_LOOKUPS})
    allowed = (
        outbound in tree.included if isinstance(wanted.outbound, str) else said.spf_result is Result.PASS
    )
    openness = _spf_openness(said)
    if openness is Level.FAILED:
        return _bad(finding, "spf-open", "mend-spf-all", facts)
    if tree.unanswered:
        facts["unanswered"] = shown(tree.unanswered)
        return replace(finding, level=Level.WARNING, key="spf-unanswered", mend="mend-dns-away", facts=facts)
    if not allowed:
        return _bad(finding, "spf-without-sender", "mend-spf-sender", facts)
    if openness is Level.WARNING:
        return replace(finding, level=Level.WARNING, key="spf-endless", mend="mend-spf-all", facts=facts)
    return replace(finding, level=Level.OK, key="spf-sender-ok", mend="", facts=facts)


def judge_dkim(wanted: Wanted, selector: str, answer: Answer[bytes]) -> Finding:
    """The key is there, and is one that receivers can use (RFC 6376 section 3.6.1)."""
    finding = dns_check.judge_dkim(wanted.domain, selector, answer)
    facts = {**finding.facts, "selector": selector}
    if finding.level is Level.OK and (fault := _key_fault(answer)):
        finding = _bad(finding, "dkim-unusable", "mend-dkim", {**facts, "why": shown(fault)})
    if wanted.outbound == SENDGRID or finding.key == AWAY:
        return finding
    if finding.level is Level.OK:
        return replace(finding, key="dkim-sender-ok", facts=facts)
    return replace(finding, mend="mend-dkim-sender")


def _key_fault(answer: Answer[bytes]) -> str:
    try:
        return parse_key(next(text for text in answer.records if b"p=" in text)).size_fault
    except TagFault as why:
        return str(why)


def merge(domain: str, told: Sequence[Told]) -> Verdict:
    """One verdict out of what several servers say.

    The best word of an authoritative server counts, since what is wrong at one and right at another is on its
    way; where none of them answers, the best of the resolvers. Whoever says otherwise is named.
    """
    answering = [it for it in told if it.finding.key != AWAY] or list(told)
    trusted = [it for it in answering if it.authoritative] or answering
    chosen = min(trusted, key=lambda it: _ORDER.index(it.finding.level)).finding
    others = [it for it in answering if _differs(it.finding, chosen)]
    judge = Judge(domain, chosen.purpose.value, shortened(_evidence(told)))
    if others and chosen.level is Level.OK:
        who = ", ".join(it.source for it in others)
        return judge.warn(SPREADING, "mend-spreading", who=who, name=chosen.name)
    return Verdict(
        domain, judge.check, chosen.level, chosen.key, chosen.mend, judge.evidence, dict(chosen.facts)
    )


def with_time(verdict: Verdict, remembered: Sequence[Memory]) -> Verdict:
    """What is still spreading, with the time that the resolvers need to forget what was before."""
    old = [it.seconds for one in remembered for it in one.old if it.name == verdict.facts.get("name")]
    if verdict.key != SPREADING or not old:
        return verdict
    minutes = max(1, math.ceil(max(old) / 60))
    return replace(verdict, mend="mend-spreading-minutes", facts={**verdict.facts, "minutes": minutes})


def _differs(finding: Finding, chosen: Finding) -> bool:
    if finding.key != chosen.key:
        return True
    return chosen.purpose not in _CHANGING and sorted(finding.seen) != sorted(chosen.seen)


def _evidence(told: Sequence[Told]) -> list[str]:
    """What was seen, and where: servers that say the same stand together."""
    name = told[0].finding.name
    by_sight: dict[str, list[str]] = {}
    for it in told:
        sight = "?" if it.finding.key == AWAY else " | ".join(sorted(it.finding.seen)) or "-"
        by_sight.setdefault(sight, []).append(it.source)
    return [f"{name}: {sight}  [{', '.join(sources)}]" for sight, sources in by_sight.items()]


def _spf_openness(said: Published) -> Level:
    """How the record ends: OK where it says no to others, WARNING where it says nothing."""
    try:
        record = parse_record(next(text for text in said.texts.records if is_spf(text)))
    except (BadSyntax, StopIteration):
        return Level.OK
    last = next((it.result for it in record.directives if it.mechanism is Mechanism.ALL), None)
    if last in {Result.PASS, Result.NEUTRAL}:
        return Level.FAILED
    return Level.WARNING if last is None and record.redirect is None else Level.OK


def _ip_term(address: str) -> str:
    return f"ip6:{address}" if ":" in address else f"ip4:{address}"


def _bad(finding: Finding, key: str, mend: str, facts: dict[str, str | int]) -> Finding:
    return replace(finding, level=Level.FAILED, key=key, mend=mend, facts=facts)
