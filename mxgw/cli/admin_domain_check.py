"""What ``mxgw admin domain check`` does: ask DNS, show what was found, mend it at Cloudflare after a yes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from mxgw.admin.cloud.settings import CloudSettings
from mxgw.admin.dns_check import Finding, Level, check_domain
from mxgw.admin.dns_records import Exchanger, wanted_records
from mxgw.cli.admin_call import Call
from mxgw.cli.admin_domain_cloud import Outside, signed_records
from mxgw.cli.terminal import FAILURE, console, plain
from mxgw.doctor.authority import Authority, Delegation
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "bold red"}


class Repair(NamedTuple):
    """What may be changed: ``yes`` what harms nobody, ``replace`` what others have put there."""

    settings: CloudSettings
    yes: bool
    replace: bool


def look_up_and_tell(
    call: Call,
    domain: str,
    exchanger: Exchanger,
    *,
    reports: str,
    selectors: Sequence[str],
    servers: Sequence[tuple[str, int]],
    settings: CloudSettings,
    repair: Repair | None,
) -> None:
    """Every finding as a table or JSON; ends with exit code 1 where one is wrong."""
    findings = asyncio.run(_look_up(domain, exchanger, reports=reports, selectors=selectors, servers=servers))
    failed = sum(finding.level is Level.FAILED for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    told: dict[str, object] = {
        "domain": domain,
        "findings": [_finding_facts(call, finding) for finding in findings],
    }
    if not call.as_json:
        _print_findings(call, findings)
        key = "check-failed" if failed else "check-warned" if warnings else "check-good"
        call.say(key, domain=domain, failed=failed, warnings=warnings)
    if repair and (failed or warnings):
        outside = repaired(call, domain, exchanger, reports, selectors, repair)
        told |= {"repair": outside.facts, "left": outside.left}
    elif (failed or warnings) and settings.cloudflare_token:
        call.say("check-repair", domain=domain)
    if call.as_json:
        call.print_json({"ok": not failed, **told})
    if failed:
        raise SystemExit(FAILURE)


async def _look_up(
    domain: str,
    exchanger: Exchanger,
    *,
    reports: str,
    selectors: Sequence[str],
    servers: Sequence[tuple[str, int]],
) -> list[Finding]:
    """From the servers of the zones themselves, where no other is named: what a cache still has is not
    what was set a minute ago."""
    upstream = Upstream(servers)
    resolver = Resolver(upstream)
    if not servers:
        own = Authority(Delegation(resolver, upstream.servers))
        findings = await check_domain(own, domain, exchanger, reports=reports, selectors=selectors)
        if [it.key for it in findings] != ["dns-away"]:
            return findings
        # Not every network lets DNS out to any server; the resolver's word is better than none.
    return await check_domain(resolver, domain, exchanger, reports=reports, selectors=selectors)


def repaired(
    call: Call,
    domain: str,
    exchanger: Exchanger,
    reports: str,
    selectors: Sequence[str],
    repair: Repair,
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
    )
    written = outside.write(domain, wanted, yes=repair.yes, replace=repair.replace)
    if written and signed and not signed.valid:
        outside.validate(signed)
    for text in outside.left:
        call.say("check-mend", text=text)
    call.say("check-again", domain=domain)
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
        level = Text(call.words(f"level-{finding.level}"), style=STYLES[finding.level])
        table.add_row(Text(finding.purpose.value, style="cyan"), level, plain("\n".join(lines)))
    console().print(table)
