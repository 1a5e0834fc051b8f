"""What the probes bring home: facts without judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mxgw.admin.stack import ServiceState
from mxgw.watch.canary_record import Standing


@dataclass(frozen=True, slots=True)
class Unseen:
    """A probe that could not be run, and why: a finding of its own."""

    why: str


@dataclass(frozen=True, slots=True)
class Containers:
    """States by service, and how often Docker has started each anew by itself."""

    states: Mapping[str, ServiceState]
    restarts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system, by a directory on it. Octets."""

    path: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Mailbox:
    """How full one is; ``limit`` 0 is none. Octets."""

    user: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Queue:
    """Postfix's queue. ``oldest_at`` is Unix time, 0 where it is empty; ``reasons`` are those of delays."""

    count: int
    oldest_at: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tailnet:
    """``state`` is Tailscale's word; ``key_ends_at`` Unix time, 0 where it never ends."""

    state: str
    online: bool
    key_ends_at: float
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate; ``place`` is a file or a port. ``trouble`` says why it could not be seen."""

    place: str
    ends_at: float
    serial: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What a timer's job left behind: None for what it did not say. ``finished`` is Unix time."""

    finished: float
    ok: bool
    verified: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Databases:
    """When they were made: Unix time; 0 where there is none."""

    clamav_at: float
    rspamd_at: float


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages that the relay took, counted in Postfix's log, in the plan's period."""

    count: int
    limit: int
    period: str


@dataclass(frozen=True, slots=True)
class CanaryRun:
    """The last run: which part was broken ("" none), and how long the way took. ``record``: how the record of
    its key was in DNS then."""

    at: float
    broken: str
    why: str
    seconds: float
    record: Standing = Standing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Canary:
    """One that is set up; ``set_at`` is Unix time. ``trouble`` says why its key cannot be used, ``record`` is
    the name of its record, ``standing`` how that is in DNS now."""

    run: CanaryRun | None
    set_at: float
    trouble: str = ""
    record: str = ""
    standing: Standing = Standing.UNKNOWN
