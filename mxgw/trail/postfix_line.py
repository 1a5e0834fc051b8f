"""One line of Postfix's log as a value. Pure, and total on any text.

    Nov 24 20:38:23 mail postfix/smtp[31]: A8CFF2647A6: to=<a@b.example>, relay=..., status=sent (250 Ok)

Strangers choose addresses, Message-IDs and replies. Postfix writes none of their control characters, and
writes an address after ``from=`` and ``to=`` with its quotes (postconf(5), info_log_address_format), so that
what stands within quotes is never taken for Postfix's own words. A refusal begins with words that do not keep
to that; its addresses are therefore read from the end of the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mxgw.trail.attempt import printable
from mxgw.trail.log_time import RFC_3339, SYSLOG, syslog_time, whole_time

MARK: Final = b" postfix/"
"""What every such line has in it."""

MAX_LINE: Final = 8_192
"""Characters of a line that are looked at: Postfix cuts its own lines at 2,000, or at 4,000 where told so."""

# Before it stand a container's name and times at most: such a line quoted in another is none.
_HEAD: Final = re.compile(
    rf"(?:[\w.-]{{1,64}} {{1,64}}\| )?(?:(?P<docker>{RFC_3339}) )?"
    rf"(?:(?P<syslog>{SYSLOG})|(?P<whole>{RFC_3339})) [^\s\[\]]{{1,255}} "
    r"postfix(?:/(?P<door>[a-z][a-z-]{0,31}))?/(?P<service>[a-z][a-z-]{0,31})\[\d{1,10}\]: ",
    re.ASCII,
)
QUEUE_ID: Final = r"[0-9A-F]{5,32}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,32}"
"""Short and long ones (postconf(5), enable_long_queue_ids). "warning" is none: it has vowels."""

_BY_ID: Final = re.compile(rf"(?P<id>{QUEUE_ID}|NOQUEUE): ")
LINE_ID: Final = re.compile(rb"\[\d{1,10}\]: ([0-9A-Za-z]{5,32}): ")
"""The queue id of a line that need not be read otherwise."""

_PATH: Final = r'(?:"(?:[^"\\]|\\.)*+"|[^">\\])*+'
"""An address as Postfix logs it: the end of the brackets is outside of quotes."""

_CLIENT: Final = re.compile(
    r"client=(?P<client>[^\s,]+)(?:, sasl_method=(?P<method>[^\s,]+))?(?:, sasl_username=(?P<login>.*))?"
)
_PICKUP: Final = re.compile(rf"uid=\d+ from=<(?P<sender>{_PATH})>.*")
_MESSAGE_ID: Final = re.compile(r"(?:resent-)?message-id=(?P<id>.*)")
_FROM: Final = re.compile(
    rf"from=<(?P<sender>{_PATH})>, (?:size=(?P<octets>\d{{1,15}}), nrcpt=\d+ \(.*\)"
    r"|status=(?P<status>(?:force-)?expired), returned to sender)"
)
_TO: Final = re.compile(
    rf"to=<(?P<to>{_PATH})>, (?:orig_to=<(?P<original>{_PATH})>, )?relay=(?P<relay>[^\s,]+), "
    r"(?:[a-z_]+=[^\s,]+, )*?dsn=(?P<dsn>[245]\.\d{1,3}\.\d{1,3}), "
    r"status=(?P<status>[a-z-]+) \((?P<said>.*)\)"
)
_REFUSED: Final = re.compile(
    r"(?P<milter>milter-)?reject: (?P<stage>[A-Z-]+) from (?P<client>[^\s;]+): (?P<rest>.*)"
)
_REFUSED_END: Final = re.compile(
    rf"(?:; from=<(?P<sender>{_PATH})>(?: to=<(?P<to>{_PATH})>)?|;(?: to=<(?P<only>{_PATH})>)?)"
    r" proto=[A-Z]+(?: helo=<[^<>\"\s]*>)?(?: sasl_username=<(?P<login>[^<>\"\s]*)>)?$"
)
_OWNER: Final = re.compile(r"not owned by user ([^\s<>;]+)$")
_REPORT: Final = re.compile(
    r"(?P<whom>sender|postmaster) (?P<kind>non-delivery|delay|delivery status) notification: "
    rf"(?P<id>{QUEUE_ID})"
)
_LOGIN: Final = re.compile(
    r"warning: (?P<client>\S+): SASL [A-Z0-9-]{1,32} authentication failed: .*, sasl_username=(?P<login>.*)"
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Postfix begins to take a message in. ``login`` is "" where the door asks for none."""

    client: str
    login: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """The Message-ID, as it is in the message or was given to it."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Queued:
    """It is whole, and is to be delivered now: again, after each pause."""

    sender: str
    octets: int


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt for one recipient. ``status`` is Postfix's word: sent, deferred, bounced, expired ..."""

    recipient: str
    original: str
    relay: str
    dsn: str
    status: str
    said: str


@dataclass(frozen=True, slots=True)
class Expired:
    """It waited for too long; its sender is told."""

    sender: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not taken in. ``reply`` begins with a code where Postfix refused; ``recipient`` may be ""."""

    client: str
    reply: str
    sender: str
    recipient: str
    stage: str
    by_scanner: bool
    login: str = ""


class ReportKind(StrEnum):
    """What a report to the sender says."""

    FAILURE = "non-delivery"
    DELAY = "delay"
    SUCCESS = "delivery status"


@dataclass(frozen=True, slots=True)
class Reported:
    """The sender gets a report, which is a message with an id of its own."""

    kind: ReportKind
    id: str


@dataclass(frozen=True, slots=True)
class Removed:
    """It has left the queue: delivered or reported, or thrown away ``by_hand``."""

    by_hand: bool


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """Somebody gave this name and a wrong password."""

    client: str
    login: str


Event = Accepted | Named | Queued | Tried | Expired | Refused | Reported | Removed | LoginFailed


@dataclass(frozen=True, slots=True)
class PostfixLine:
    """``id`` is the queue id, "" where there is none yet; ``door`` names one of several of the same service
    (submission, submissions, internal); ``time`` is Unix time."""

    time: float
    id: str
    service: str
    door: str
    event: Event


def parse_postfix(line: str, *, latest: float) -> PostfixLine | None:
    """What a line says; None where it says nothing about a message, or is none of Postfix's.

    ``latest`` is the Unix time that no line of this log is behind: see syslog_time.
    """
    line = line[:MAX_LINE].rstrip("\r\n")
    head = _HEAD.match(line)
    if head is None:
        return None
    whole = head["docker"] or head["whole"]
    time = whole_time(whole) if whole else syslog_time(head["syslog"], latest=latest)
    if time is None:
        return None
    door, service, said = head["door"] or "", head["service"], line[head.end() :]
    by_id = _BY_ID.match(said)
    if by_id is None:
        failed = _LOGIN.fullmatch(said)
        if failed is None:
            return None
        failure = LoginFailed(printable(failed["client"]), printable(failed["login"]))
        return PostfixLine(time, "", service, door, failure)
    event = _event(service, said[by_id.end() :])
    queue_id = "" if by_id["id"] == "NOQUEUE" else by_id["id"]
    if event is None or not (queue_id or isinstance(event, Refused)):
        return None
    return PostfixLine(time, queue_id, service, door, event)


def _event(service: str, said: str) -> Event | None:
    """By who says it: what one of Postfix's programs quotes is never taken for the words of another."""
    match service:
        case "smtpd":
            return _accepted(said) or _refused(said)
        case "cleanup":
            named = _MESSAGE_ID.fullmatch(said)
            return Named(printable(named["id"])) if named else _refused(said)
        case "qmgr":
            return _of_the_queue(said)
        case "pickup":
            picked = _PICKUP.fullmatch(said)
            return Accepted("", sender=printable(picked["sender"])) if picked else None
        case "bounce":
            report = _REPORT.fullmatch(said)
            if report is None or report["whom"] != "sender":
                return None
            return Reported(ReportKind(report["kind"]), report["id"])
        case "postsuper":
            return Removed(by_hand=True) if said == "removed" else None
        case _:
            return _tried(said)


def _accepted(said: str) -> Accepted | None:
    found = _CLIENT.fullmatch(said)
    return Accepted(printable(found["client"]), printable(found["login"] or "")) if found else None


def _of_the_queue(said: str) -> Event | None:
    if said == "removed":
        return Removed(by_hand=False)
    found = _FROM.fullmatch(said)
    if found is None:
        # It also speaks of recipients that it has not handed to a delivery program.
        return _tried(said)
    sender = printable(found["sender"])
    return Expired(sender) if found["status"] else Queued(sender, int(found["octets"]))


def _tried(said: str) -> Tried | None:
    found = _TO.fullmatch(said)
    if found is None:
        return None
    return Tried(
        recipient=printable(found["to"]),
        original=printable(found["original"] or ""),
        relay=printable(found["relay"]),
        dsn=found["dsn"],
        status=found["status"],
        said=printable(found["said"]),
    )


def _refused(said: str) -> Refused | None:
    found = _REFUSED.fullmatch(said)
    if found is None:
        return None
    end = _REFUSED_END.search(found["rest"])
    reply = found["rest"][: end.start()] if end else found["rest"]
    owner = _OWNER.search(reply)
    return Refused(
        client=printable(found["client"]),
        reply=printable(reply),
        sender=printable(end["sender"] or "") if end else "",
        recipient=printable(end["to"] or end["only"] or "") if end else "",
        stage=found["stage"],
        by_scanner=bool(found["milter"]),
        login=printable(owner[1] if owner else end["login"] or "" if end else ""),
    )
