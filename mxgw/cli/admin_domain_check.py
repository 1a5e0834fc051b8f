"""What ``mxgw admin domain check`` does: ask DNS, show what was found, mend it at Cloudflare after a yes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mxgw.admin.cloud.settings import CloudSettings
from mxgw.admin.dns_check import Finding, Level, ServiceLookup, check_domain
from mxgw.admin.dns_records import Exchanger, MailHost, wanted_records
from mxgw.cli.admin_call import Call
from mxgw.cli.admin_domain_cloud import Outside, State, signed_records
from mxgw.cli.admin_domain_memory import tell_memories
from mxgw.cli.terminal import FAILURE, console, plain
from mxgw.doctor.authority import Authority, Delegation
from mxgw.doctor.memory import Memory, Noting, Question, memories
from mxgw.doctor.public_resolvers import Server
from mxgw.resolver.answers import Answer
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream

SETTLING_SECONDS: Final = 20.0
"""For what was written to be answered by the zone's own servers; at Cloudflare it takes a few seconds."""

PAUSE_SECONDS: Final = 2.0

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "bold red"}


class Repair(NamedTuple):
    """What may be changed: ``yes`` what harms nobody, ``replace`` what others have put there."""

    settings: CloudSettings
    yes: bool
    replace: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at, and who is asked: ``servers`` in place of those of the zone, ``resolvers`` for what
    they remember."""

    domain: str
    exchanger: Exchanger
    reports: str
    selectors: Sequence[str]
    mail_host: MailHost | None
    servers: Sequence[Server]
    resolvers: Sequence[Server]


class Look(NamedTuple):
    """What was found; ``answers`` are those of the zone's own servers, none where they could not be asked."""

    findings: list[Finding]
    answers: Mapping[Question, Answer[Any]]


def look_up_and_tell(call: Call, asked: Asked, settings: CloudSettings, repair: Repair | None) -> None:
    """Every finding as a table or JSON; exit code 1 where one is wrong, after the repair if there is one."""
    domain = asked.domain
    look = asyncio.run(_look_up(asked))
    wrong = _tell(call, domain, look.findings)
    told: dict[str, object] = {
        "domain": domain,
        "findings": [_finding_facts(call, finding) for finding in look.findings],
    }
    # What the world still goes by matters once what is to be said is right.
    repairing = repair is not None and wrong
    if not repairing:
        told["resolvers"] = tell_memories(call, _remembered(look, asked.resolvers))
    if repair and repairing:
        outside = repaired(
            call, domain, asked.exchanger, asked.reports, asked.selectors, repair, mail_host=asked.mail_host
        )
        told |= {"repair": outside.facts, "left": outside.left}
        if outside.parts["cloudflare"].state is State.DONE:
            call.say("check-looking-again")
            look = _settled(look, asked)
            again = _tell(call, domain, look.findings)
            told["after"] = [_finding_facts(call, finding) for finding in look.findings]
            if again:
                call.say("check-again", domain=domain)
        told["resolvers"] = tell_memories(call, _remembered(look, asked.resolvers))
    elif wrong and settings.cloudflare_token:
        call.say("check-repair", domain=domain)
    failed = any(finding.level is Level.FAILED for finding in look.findings)
    if call.as_json:
        call.print_json({"ok": not failed, **told})
    if failed:
        raise SystemExit(FAILURE)


def _tell(call: Call, domain: str, findings: list[Finding]) -> bool:
    """For a person; whether anything is wrong or to be improved."""
    failed = sum(finding.level is Level.FAILED for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    if not call.as_json:
        _print_findings(call, findings)
        key = "check-failed" if failed else "check-warned" if warnings else "check-good"
        call.say(key, domain=domain, failed=failed, warnings=warnings)
    return bool(failed or warnings)


def _settled(before: Look, asked: Asked) -> Look:
    """What DNS says once it says something else than before, or when it has had its time."""
    end = time.monotonic() + SETTLING_SECONDS
    while (after := asyncio.run(_look_up(asked))).findings == before.findings and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return after


async def _look_up(asked: Asked) -> Look:
    """From the servers of the zones themselves, where no other is named: what a cache still has is not
    what was set a minute ago."""
    upstream = Upstream(asked.servers)
    resolver = Resolver(upstream)
    if asked.servers:
        named = Noting(resolver)
        return Look(await _found(named, asked), named.answers)
    own = Noting(Authority(Delegation(resolver, upstream.servers)))
    findings = await _found(own, asked)
    if [it.key for it in findings] != ["dns-away"]:
        return Look(findings, own.answers)
    # Not every network lets DNS out to any server; the resolver's word is better than none.
    return Look(await _found(resolver, asked), {})


async def _found(lookup: ServiceLookup, asked: Asked) -> list[Finding]:
    return await check_domain(
        lookup,
        asked.domain,
        asked.exchanger,
        reports=asked.reports,
        selectors=asked.selectors,
        mail_host=asked.mail_host,
    )


def _remembered(look: Look, resolvers: Sequence[Server]) -> list[Memory]:
    return asyncio.run(memories(look.answers, resolvers)) if look.answers else []


def repaired(
    call: Call,
    domain: str,
    exchanger: Exchanger,
    reports: str,
    selectors: Sequence[str],
    repair: Repair,
    *,
    mail_host: MailHost | None = None,
) -> Outside:
    """The records at Cloudflare as they should be, with what SendGrid asks for where we have its key."""
    outside = Outside(call, repair.settings)
    signed = outside.sign(domain) if repair.settings.sendgrid_key else None
    wanted = wanted_records(
        domain,
        exchanger,
        reports=reports,
        now=time.time(),
        selectors=selectors,
        signed=signed_records(signed),
        mail_host=mail_host,
    )
    written = outside.write(domain, wanted, yes=repair.yes, replace=repair.replace)
    if written and signed and not signed.valid:
        outside.validate(signed)
    for text in outside.left:
        call.say("check-mend", text=text)
    return outside


def _finding_facts(call: Call, finding: Finding) -> dict[str, object]:
    return {
        "purpose": finding.purpose.value,
        "name": finding.name,
        "level": finding.level.value,
        "finding": finding.key,
        "seen": list(finding.seen),
        "message": call.words(finding.key, **finding.facts),
        "mend": call.words(finding.mend, **finding.facts) if finding.mend else "",
    }


def _print_findings(call: Call, findings: list[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    from mxgw.cli.sentence import Sentence

    table = Table(box=None, header_style="bold")
    for column in ("record", "result", "finding"):
        table.add_column(call.words(f"column-{column}"), overflow="fold", no_wrap=column == "result")
    for finding in findings:
        lines = [call.words(finding.key, **finding.facts)]
        lines += [
            call.words("check-seen", text=seen) for seen in finding.seen if finding.level is not Level.OK
        ]
        lines += (
            [call.words("check-mend", text=call.words(finding.mend, **finding.facts))] if finding.mend else []
        )
        level = Sentence(call.words(f"level-{finding.level}"), style=STYLES[finding.level])
        table.add_row(Text(finding.purpose.value, style="cyan"), level, Sentence(plain("\n".join(lines))))
    console().print(table)
