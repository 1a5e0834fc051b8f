"""Findings in, known safe repairs out. Pure: what is mended by what, and why that does no harm.

A repair is here only where it loses no mail, asks nobody for anything and can be done twice. What is left to
people: a container that starts again and again (its log says why), a full disk or mailbox (somebody's mail),
Tailscale (a login), signatures that do not come (a restart of ClamAV makes mail wait for minutes), limits of
a plan, and whatever is outside of the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mxgw.admin.update.plan import ORDER
from mxgw.watch.finding import Finding, Severity
from mxgw.watch.judge import SERVICES

PORTS: Final = {"port 993": "dovecot", "port 465": "postfix", "port 443": "nginx"}
"""Who shows a certificate there."""


class Act(StrEnum):
    """What is done, in the order in which it is done."""

    UP = "up"
    """``docker compose up -d``: what compose.yaml describes is made and started; data are in volumes."""
    START = "start"
    """The same container goes on."""
    RESTART = "restart"
    """What is in hand is finished within the container's grace; meanwhile mail waits at its senders."""
    RENEW = "renew"
    """``mxgw admin certificate renew``: the old one stays where no new one is had."""
    RELOAD = "reload"
    """A service reads its certificate again; sessions stay."""
    FLUSH = "flush"
    """Postfix tries what waits, as it would by itself later."""
    RECORD = "canary-record"
    """The record of the canary's key, at Cloudflare; what others have put there is asked for again."""
    BACKUP = "backup"
    """``mxgw admin backup now``: one more, and its trial."""


CONTAINERS: Final = frozenset({Act.UP, Act.START, Act.RESTART})

# By the finding's text: what mends it.
_ACTS: Final = {
    "watch-container-missing": Act.UP,
    "watch-container-down": Act.START,
    "watch-container-ill": Act.RESTART,
    "watch-certificate-ends": Act.RENEW,
    "watch-certificate-over": Act.RENEW,
    "watch-certificate-unseen": Act.RENEW,
    "watch-certificate-old": Act.RELOAD,
    "watch-queue-old": Act.FLUSH,
    "watch-canary-record-missing": Act.RECORD,
    "watch-canary-record-other": Act.RECORD,
    "watch-backup-never": Act.BACKUP,
    "watch-backup-failed": Act.BACKUP,
    "watch-backup-old": Act.BACKUP,
    "watch-backup-unverified": Act.BACKUP,
}

_STOPPED: Final = frozenset({"exited", "created"})
"""Docker's words for what can be started. "restarting" starts again and again by itself, "paused" was paused
by a person, and "dead" is made anew (UP)."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing to do, for the findings with these ids. ``service`` "" is all of them."""

    act: Act
    service: str
    findings: tuple[str, ...]

    @property
    def name(self) -> str:
        """The same for the same thing to do."""
        return f"{self.act}-{self.service}" if self.service else self.act.value


def repairs(findings: Sequence[Finding], *, relay_answers: bool, writes_dns: bool = False) -> list[Repair]:
    """What can be done, in the order in which it should be. A flush is of use where the relay answers;
    a record is ours to write where we have a token."""
    useless = {*(() if relay_answers else {Act.FLUSH}), *(() if writes_dns else {Act.RECORD})}
    ill = [one for one in findings if one.severity is not Severity.GOOD]
    wanted: dict[tuple[Act, str], list[str]] = {}
    whole = _down_altogether(ill)
    for one in ill:
        act, service = (Act.UP, "") if whole and _stopped(one) else _act(one)
        if act is not None and act not in useless:
            wanted.setdefault((act, service), []).append(one.id)
    if any(act is Act.RENEW for act, _ in wanted):
        # It has them read the new one.
        wanted = {key: ids for key, ids in wanted.items() if key[0] is not Act.RELOAD}
    return sorted((Repair(act, service, tuple(ids)) for (act, service), ids in wanted.items()), key=_place)


def _act(finding: Finding) -> tuple[Act | None, str]:
    act = _ACTS.get(finding.key)
    match act:
        case Act.UP | Act.RESTART:
            return act, str(finding.facts["name"])
        case Act.START:
            name, state = str(finding.facts["name"]), str(finding.facts["state"])
            if state == "dead":
                return Act.UP, name
            return (act if state in _STOPPED else None), name
        case Act.RELOAD:
            return act, PORTS.get(str(finding.facts["place"]), "")
        case Act.RENEW if str(finding.facts["place"]).startswith("port ") and (
            finding.key == "watch-certificate-unseen"
        ):
            # Nobody listens there: that is the service's trouble.
            return None, ""
        case _:
            return act, ""


def _stopped(finding: Finding) -> bool:
    return finding.key in {"watch-container-missing", "watch-container-down"}


def _down_altogether(ill: Sequence[Finding]) -> bool:
    return sum(_stopped(one) for one in ill) == len(SERVICES)


def _place(repair: Repair) -> tuple[int, int]:
    """Who is needed comes before who needs it; a backup needs all the others."""
    if repair.act in CONTAINERS:
        return 0, ORDER.index(repair.service) if repair.service in ORDER else -1
    return 1, list(Act).index(repair.act)
