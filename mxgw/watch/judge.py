"""Facts in, findings out. Pure: every limit is here, with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mxgw.admin.forms import about
from mxgw.watch.canary_record import Standing
from mxgw.watch.facts import (
    Canary,
    CanaryRun,
    Certificate,
    Containers,
    Databases,
    Disk,
    Mailbox,
    Queue,
    Sent,
    Tailnet,
    Task,
    Unseen,
)
from mxgw.watch.finding import Fact, Finding, bad, good, warning

SERVICES: Final = (
    *("home", "dovecot", "mariadb", "rspamd", "clamav", "redis", "postfix", "roundcube", "nginx"),
)
"""Those that run all the time."""

RESTARTS_A_DAY: Final = 3
"""One is an accident, two are an update."""

DISK_WARNING_PERCENT, DISK_BAD_PERCENT = 15, 5
"""Of free space. Postfix takes no mail below 200 MB, and MariaDB stops with none."""

FORECAST_WARNING_DAYS, FORECAST_BAD_DAYS = 30, 7
"""Until full, at the pace of the last two weeks: time to buy a disk, time to delete something."""

FORECAST_LEAST_SECONDS: Final = 3 * 86_400
"""What was seen of less says nothing about a month."""

MAILBOX_WARNING_PERCENT, MAILBOX_BAD_PERCENT = 85, 95

QUEUE_WARNING_SECONDS, QUEUE_BAD_SECONDS = 1_800, 4 * 3_600
"""A relay's bad moment is over in half an hour; Postfix itself tells the user after four hours."""

QUEUE_BAD_COUNT: Final = 200
"""More than a household writes in a day: a captured account, or a relay that is gone."""

KEY_WARNING_DAYS, KEY_BAD_DAYS = 14, 3
CERTIFICATE_WARNING_DAYS, CERTIFICATE_BAD_DAYS = 14, 3
"""It is renewed 30 days before its end: what has half of them left was not renewed for two weeks."""

BACKUP_SECONDS: Final = 30 * 3_600
"""One a day, and some hours for a long one."""

BACKUP_BAD_SECONDS: Final = 3 * 86_400

CLAMAV_WARNING_DAYS, CLAMAV_BAD_DAYS = 3, 7
"""Signatures come once a day."""

RSPAMD_WARNING_DAYS: Final = 14

SENT_WARNING_PERCENT, SENT_BAD_PERCENT = 80, 100

CANARY_SECONDS: Final = 1_800
"""Three runs that did not take place."""

CANARY_SLOW_SECONDS: Final = 120.0

CANARY_MENDS: Final = {
    "dns": "canary-mend-dns",
    "sendgrid": "canary-mend-sendgrid",
    "port-25": "canary-mend-port",
    "starttls": "canary-mend-tls",
    "edge": "canary-mend-edge",
    "edge-to-home": "canary-mend-home",
    "scanner": "canary-mend-scanner",
    "dovecot": "canary-mend-dovecot",
    "imap": "canary-mend-imap",
    "authentication": "canary-mend-authentication",
    "forgery": "canary-mend-forgery",
}
"""By the canary's part."""

RECORD: Final = "dkim-record"
"""The part that is no part of the way."""

DAY: Final = 86_400

Sample = tuple[float, str, float]


def judged(
    seen: Mapping[str, Any], samples: Sequence[Sample], *, now: float, awake_since: float = 0.0
) -> list[Finding]:
    """One round's findings, in the order in which they are shown. ``awake_since``: when the machine came back
    from an absence, after which its timers have not had their turn yet."""
    judges: dict[str, Callable[[Any], list[Finding]]] = {
        "containers": lambda facts: _containers(facts, samples),
        "disks": lambda facts: _disks(facts, samples),
        "mailboxes": _mailboxes,
        "queue": lambda facts: _queue(facts, now),
        "tailnet": lambda facts: _tailnet(facts, now),
        "certificates": lambda facts: _certificates(facts, now),
        "backup": lambda facts: _backup(facts, now),
        "update": lambda facts: _update(facts, now),
        "databases": lambda facts: _databases(facts, now),
        "sent": _sent,
        "canary": lambda facts: _canary(facts, now, awake_since),
    }
    found: list[Finding] = []
    for name, facts in seen.items():
        if isinstance(facts, Unseen):
            found.append(warning(f"probe-{name}", "watch-unseen", "watch-unseen-mend", facts.why, name=name))
        else:
            found.append(good(f"probe-{name}", "watch-seen", name=name))
            found += judges[name](facts)
    return found


# -- containers ---------------------------------------------------------------------------------------------


def _containers(facts: Containers, samples: Sequence[Sample]) -> list[Finding]:
    found = []
    for name in SERVICES:
        one, id_ = facts.states.get(name), f"container-{name}"
        restarts = facts.restarts.get(name, 0) - _least(
            samples, f"restarts-{name}", facts.restarts.get(name, 0)
        )
        if one is None:
            found.append(bad(id_, "watch-container-missing", "watch-container-up", name=name))
        elif one.state != "running":
            said = f"state={one.state} exit={one.exit_code}"
            found.append(
                bad(id_, "watch-container-down", "watch-container-up", said, name=name, state=one.state)
            )
        elif one.health == "unhealthy":
            found.append(bad(id_, "watch-container-ill", "watch-container-restart", name=name))
        elif restarts >= RESTARTS_A_DAY:
            found.append(
                warning(
                    id_, "watch-container-restarts", "watch-container-logs", name=name, count=int(restarts)
                )
            )
        else:
            found.append(good(id_, "watch-container-well", name=name))
    return found


def _least(samples: Sequence[Sample], name: str, current: float) -> float:
    """The smallest of the last day; a counter that fell was set back with its container."""
    kept = [number for _, other, number in samples[-24 * 40 :] if other == name][-24:]
    return min([current, *kept])


# -- space --------------------------------------------------------------------------------------------------


def _disks(facts: Sequence[Disk], samples: Sequence[Sample]) -> list[Finding]:
    return [_disk(one, samples) for one in facts]


def _disk(disk: Disk, samples: Sequence[Sample]) -> Finding:
    id_, percent = f"disk-{disk.path}", disk.free * 100 // max(disk.total, 1)
    days = days_until_full(samples, f"free-{disk.path}", disk.free)
    told: dict[str, Fact] = {"path": disk.path, "free": about(disk.free), "percent": percent}
    if percent < DISK_BAD_PERCENT:
        return bad(id_, "watch-disk-low", "watch-disk-mend", **told)
    if days is not None and days < FORECAST_BAD_DAYS:
        return bad(id_, "watch-disk-soon", "watch-disk-mend", days=int(days), **told)
    if percent < DISK_WARNING_PERCENT:
        return warning(id_, "watch-disk-low", "watch-disk-mend", **told)
    if days is not None and days < FORECAST_WARNING_DAYS:
        return warning(id_, "watch-disk-soon", "watch-disk-mend", days=int(days), **told)
    return good(id_, "watch-disk-well", **told)


def days_until_full(samples: Sequence[Sample], name: str, free: float) -> float | None:
    """Along the line of least squares through the samples; None where it does not fall, or is too short."""
    points = [(at, number) for at, other, number in samples if other == name]
    if len(points) < 2 or points[-1][0] - points[0][0] < FORECAST_LEAST_SECONDS:
        return None
    mean_at = sum(at for at, _ in points) / len(points)
    mean = sum(number for _, number in points) / len(points)
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    slope = sum((at - mean_at) * (number - mean) for at, number in points) / spread
    return free / -slope / DAY if slope < 0 else None


def _mailboxes(facts: Sequence[Mailbox]) -> list[Finding]:
    found = []
    for one in facts:
        if not one.limit:
            continue
        id_, percent = f"mailbox-{one.user}", one.used * 100 // one.limit
        told: dict[str, Fact] = {"user": one.user, "percent": percent}
        if percent >= MAILBOX_BAD_PERCENT:
            found.append(bad(id_, "watch-mailbox-full", "watch-mailbox-mend", **told))
        elif percent >= MAILBOX_WARNING_PERCENT:
            found.append(warning(id_, "watch-mailbox-full", "watch-mailbox-mend", **told))
        else:
            found.append(good(id_, "watch-mailbox-well", **told))
    return found


# -- sending ------------------------------------------------------------------------------------------------


def _queue(facts: Queue, now: float) -> list[Finding]:
    age = now - facts.oldest_at if facts.count else 0.0
    told: dict[str, Fact] = {"count": facts.count, "minutes": int(age // 60)}
    if age >= QUEUE_BAD_SECONDS or facts.count >= QUEUE_BAD_COUNT:
        return [bad("queue", "watch-queue-old", "watch-queue-mend", *facts.reasons, **told)]
    if age >= QUEUE_WARNING_SECONDS:
        return [warning("queue", "watch-queue-old", "watch-queue-mend", *facts.reasons, **told)]
    return [good("queue", "watch-queue-well", **told)]


def _sent(facts: Sent | None) -> list[Finding]:
    if facts is None:
        return [good("sent", "watch-sent-unknown")]
    percent = facts.count * 100 // max(facts.limit, 1)
    told: dict[str, Fact] = {"count": facts.count, "limit": facts.limit, "percent": percent}
    if percent >= SENT_BAD_PERCENT:
        return [bad("sent", "watch-sent-much", "watch-sent-mend", **told)]
    if percent >= SENT_WARNING_PERCENT:
        return [warning("sent", "watch-sent-much", "watch-sent-mend", **told)]
    return [good("sent", "watch-sent-well", **told)]


# -- the ways in --------------------------------------------------------------------------------------------


def _tailnet(facts: Tailnet, now: float) -> list[Finding]:
    days = (facts.key_ends_at - now) / DAY
    if facts.state != "Running" or not facts.online:
        return [
            bad("tailnet", "watch-tailnet-down", "watch-tailnet-up", *facts.complaints, state=facts.state)
        ]
    if facts.key_ends_at and days < KEY_WARNING_DAYS:
        make = bad if days < KEY_BAD_DAYS else warning
        return [make("tailnet", "watch-tailnet-key", "watch-tailnet-key-mend", days=max(0, int(days)))]
    return [good("tailnet", "watch-tailnet-well")]


def _certificates(facts: Sequence[Certificate], now: float) -> list[Finding]:
    file = facts[0]
    found = []
    for one in facts:
        id_, days = f"certificate-{one.place}", int((one.ends_at - now) // DAY)
        if one.trouble:
            mend = "watch-certificate-mend" if one is file else "watch-port-mend"
            found.append(bad(id_, "watch-certificate-unseen", mend, one.trouble, place=one.place))
        elif (
            one is not file and not file.trouble and one.serial != file.serial and one.ends_at < file.ends_at
        ):
            make = bad if days < CERTIFICATE_BAD_DAYS else warning
            found.append(
                make(id_, "watch-certificate-old", "watch-certificate-reload", place=one.place, days=days)
            )
        elif days < 0:
            found.append(bad(id_, "watch-certificate-over", "watch-certificate-mend", place=one.place))
        elif days < CERTIFICATE_WARNING_DAYS:
            make = bad if days < CERTIFICATE_BAD_DAYS else warning
            found.append(
                make(id_, "watch-certificate-ends", "watch-certificate-mend", place=one.place, days=days)
            )
        else:
            found.append(good(id_, "watch-certificate-well", place=one.place, days=days))
    return found


# -- jobs ---------------------------------------------------------------------------------------------------


def _backup(facts: Task | None, now: float) -> list[Finding]:
    if facts is None:
        return [warning("backup", "watch-backup-never", "watch-backup-mend")]
    age = now - facts.finished
    hours = max(0, int(age // 3_600))
    if not facts.ok:
        return [bad("backup", "watch-backup-failed", "watch-backup-mend", facts.why, hours=hours)]
    if age > BACKUP_SECONDS:
        make = bad if age > BACKUP_BAD_SECONDS else warning
        return [make("backup", "watch-backup-old", "watch-backup-mend", hours=hours)]
    if facts.verified is False:
        return [warning("backup", "watch-backup-unverified", "watch-backup-verify", facts.why, hours=hours)]
    return [good("backup", "watch-backup-well", hours=hours)]


def _update(facts: Task | None, now: float) -> list[Finding]:
    del now
    if facts is not None and not facts.ok:
        return [warning("update", "watch-update-failed", "watch-update-mend", facts.why)]
    return [good("update", "watch-update-well")]


def _databases(facts: Databases, now: float) -> list[Finding]:
    days = int((now - facts.clamav_at) // DAY)
    if not facts.clamav_at:
        clamav = bad("clamav-database", "watch-clamav-none", "watch-clamav-mend")
    elif days >= CLAMAV_WARNING_DAYS:
        make = bad if days >= CLAMAV_BAD_DAYS else warning
        clamav = make("clamav-database", "watch-clamav-old", "watch-clamav-mend", days=days)
    else:
        clamav = good("clamav-database", "watch-clamav-well", days=max(0, days))
    days = int((now - facts.rspamd_at) // DAY) if facts.rspamd_at else 0
    if days >= RSPAMD_WARNING_DAYS:
        return [clamav, warning("rspamd-database", "watch-rspamd-old", "watch-rspamd-mend", days=days)]
    return [clamav, good("rspamd-database", "watch-rspamd-well", days=max(0, days))]


def _canary(facts: Canary | None, now: float, awake_since: float) -> list[Finding]:
    if facts is None:
        return [good("canary", "watch-canary-none")]
    if facts.trouble:
        return [bad("canary", "watch-canary-key", "watch-canary-key-mend", why=facts.trouble)]
    run = facts.run
    since = max(run.at if run else facts.set_at, awake_since)
    if run is None:
        if now - since > CANARY_SECONDS:
            return [warning("canary", "watch-canary-never", "watch-canary-timer")]
        return [good("canary", "watch-canary-soon")]
    if run.broken and run.broken != RECORD:
        told: dict[str, Fact] = {"part": run.broken}
        mend = CANARY_MENDS.get(run.broken, "watch-canary-timer")
        return [bad("canary", "watch-canary-broken", mend, run.why, **told)]
    if found := _canary_record(facts, run):
        return [found]
    if now - since > CANARY_SECONDS:
        minutes = int((now - run.at) // 60)
        return [warning("canary", "watch-canary-old", "watch-canary-timer", minutes=minutes)]
    if run.broken:
        return [good("canary", "watch-canary-record-mended", name=facts.record)]
    if run.seconds > CANARY_SLOW_SECONDS:
        return [warning("canary", "watch-canary-slow", "watch-canary-slow-mend", seconds=round(run.seconds))]
    return [good("canary", "watch-canary-well", seconds=round(run.seconds))]


def _canary_record(facts: Canary, run: CanaryRun) -> Finding | None:
    """What DNS says now; where it says nothing, what it said when the canary was not proven. Mail flows."""
    name = facts.record
    if not name:
        return None
    match facts.standing if facts.standing is not Standing.UNKNOWN else run.record:
        case Standing.MISSING:
            return warning(
                "canary", "watch-canary-record-missing", "watch-canary-record-mend", run.why, name=name
            )
        case Standing.OTHER:
            return warning(
                "canary", "watch-canary-record-other", "watch-canary-record-mend", run.why, name=name
            )
        case _:
            return None
