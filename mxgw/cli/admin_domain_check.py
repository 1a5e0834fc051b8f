"""What ``mxgw admin domain check`` does: ask DNS, show what was found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mxgw.admin.dns_check import Finding, Level, check_domain
from mxgw.admin.dns_records import Exchanger
from mxgw.cli.admin_call import Call
from mxgw.cli.terminal import FAILURE, console, plain
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "bold red"}


def look_up_and_tell(
    call: Call,
    domain: str,
    exchanger: Exchanger,
    *,
    reports: str,
    selectors: Sequence[str],
    servers: Sequence[tuple[str, int]],
) -> None:
    """Every finding as a table or JSON; ends with exit code 1 where one is wrong."""
    lookup = Resolver(Upstream(servers))
    findings = asyncio.run(check_domain(lookup, domain, exchanger, reports=reports, selectors=selectors))
    failed = sum(finding.level is Level.FAILED for finding in findings)
    if call.as_json:
        told = [_finding_facts(call, finding) for finding in findings]
        call.print_json({"ok": not failed, "domain": domain, "findings": told})
    else:
        _print_findings(call, findings)
        warnings = sum(finding.level is Level.WARNING for finding in findings)
        key = "check-failed" if failed else "check-warned" if warnings else "check-good"
        call.say(key, domain=domain, failed=failed, warnings=warnings)
    if failed:
        raise SystemExit(FAILURE)


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
