"""The house that ``mxgw doctor`` runs in: whether there is one, and what the watch's checks say of it now."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mxgw.admin.dns_check import Level
from mxgw.admin.places import STACK_DIRECTORY, STACK_VARIABLE
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_waiting import edge_clock
from mxgw.doctor.verdict import Verdict
from mxgw.watch.channels import channels
from mxgw.watch.finding import Finding, Severity, good, warning
from mxgw.watch.memory_file import MemoryFile
from mxgw.watch.probes import ALL, look
from mxgw.watch.round import found
from mxgw.watch.site import Site, site_of

SUBJECT = "house"
"""Of its verdicts; no host and no domain has this name."""

WATCH_ID = "watch"

WATCH_SECONDS = 900.0
"""A timer runs it each minute; an update or a slow Docker may hold it up."""

_LEVELS = {Severity.GOOD: Level.OK, Severity.WARNING: Level.WARNING, Severity.BAD: Level.FAILED}

_DOMAINS = (
    'MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb --no-defaults --protocol=tcp --host=127.0.0.1'
    " --user=root --batch --skip-column-names mail -e 'SELECT name FROM domains WHERE active'"
)


def site_here(environ: Mapping[str, str]) -> Site | None:
    """The stack on this machine; None where there is no .env. Raises Refused where it cannot be read."""
    path = Path(environ.get(STACK_VARIABLE, "") or STACK_DIRECTORY) / ".env"
    return site_of(environ) if os.path.exists(path) else None


def findings_now(site: Site) -> list[Finding]:
    """All checks of the watch, made now. Nobody is told, and the watch's memory stays as it is."""
    now = time.time()
    memory = MemoryFile(site).load()
    seen = look(site, ALL, now=now)
    clock = edge_clock(site, now=now)
    names = [one.name for one in channels(site)]
    return [*found(memory, seen, clock_says=clock, channels=names, now=now), _watch(memory.at, now)]


def _watch(at: float, now: float) -> Finding:
    """Whether the watch itself runs: without it nobody is told of anything."""
    if not at:
        return warning(WATCH_ID, "house-watch-never", "house-watch-mend")
    minutes = int((now - at) // 60)
    if now - at > WATCH_SECONDS:
        return warning(WATCH_ID, "house-watch-old", "house-watch-mend", minutes=minutes)
    return good(WATCH_ID, "house-watch-well", minutes=max(0, minutes))


_BY_HAND = {
    "watch-container-up": "house-by-hand-up",
    "watch-container-restart": "house-by-hand-restart",
}
"""The watch's advice is to call the doctor, who is here already."""


def verdicts(findings: Sequence[Finding]) -> list[Verdict]:
    """As the doctor tells them, beside those of the edge and of domains."""
    return [
        Verdict(
            SUBJECT,
            one.id,
            _LEVELS[one.severity],
            one.key,
            _BY_HAND.get(one.mend, one.mend),
            one.evidence,
            dict(one.facts),
        )
        for one in findings
    ]


def for_people(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that people want to read: that a check could be made is nothing by itself, and containers that
    are well are one line."""
    shown = [one for one in verdicts if one.level is not Level.OK or not one.check.startswith("probe-")]
    well = [one for one in shown if one.key == "watch-container-well"]
    if len(well) < 2:
        return shown
    names = ", ".join(str(one.facts["name"]) for one in well)
    facts: dict[str, str | int] = {"count": len(well), "names": names}
    line = Verdict(SUBJECT, "containers", Level.OK, "house-containers-well", facts=facts)
    return [line, *(one for one in shown if one not in well)]


def domains_here(site: Site) -> tuple[str, ...]:
    """Those that the door takes mail for (MAIL_DOMAINS), and those of the database where it answers."""
    names = site.get("MXGW_DOMAINS") or site.get("MAIL_DOMAINS")
    listed = [name.lower() for name in names.replace(",", " ").split()]
    try:
        answer = site.stack.run("mariadb", ["sh", "-c", _DOMAINS])
    except Refused:
        return tuple(dict.fromkeys(listed))
    more = answer.output.decode("utf-8", "replace").split() if not answer.code else []
    return tuple(dict.fromkeys([*listed, *more]))
