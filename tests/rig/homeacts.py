"""What a scripted home does at a stage of the dialogue: say a reply line, or one of these acts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing more until the client goes away."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Neither say nor read anything more."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection in good order, without a word."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Drop the connection with a TCP reset, as a killed process does."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Send these octets as they are, then act."""

    octets: bytes
    then: Act | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait, then act."""

    seconds: float
    then: Act


@dataclass(frozen=True, slots=True)
class Until:
    """Wait for the test's event, then act."""

    event: asyncio.Event
    then: Act


Act = str | Hang | Stall | Close | Reset | Raw | Delay | Until
Plan = Act | list[Act]
