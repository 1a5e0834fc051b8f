"""What DNS said, as values; and the interface that every check asks through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

Record = TypeVar("Record", covariant=True)


class Status(StrEnum):
    """How a question ended. RFC 8020: NO_NAME means that nothing exists at or below the name."""

    FOUND = "found"
    NO_NAME = "no-name"
    NO_DATA = "no-data"
    TEMPORARY = "temporary-failure"


@dataclass(frozen=True, slots=True)
class Answer(Generic[Record]):
    """``records`` is empty unless ``status`` is FOUND. A name that cannot be asked for (too long, an empty
    label) has NO_NAME; more questions than a message may ask, a timeout or a broken server are TEMPORARY."""

    status: Status
    records: tuple[Record, ...] = ()

    @property
    def void(self) -> bool:
        """RFC 7208 section 4.6.4: a look-up that found nothing, for sure."""
        return self.status in {Status.NO_NAME, Status.NO_DATA}


CROWDED: Answer[Any] = Answer(Status.TEMPORARY)
"""This very object: we had too many questions on their way to ask this one. It says nothing of the name."""


class MailExchanger(NamedTuple):
    """One MX record; ``host`` without its final dot, "" for the null MX (RFC 7505)."""

    preference: int
    host: str


class ServiceHost(NamedTuple):
    """One SRV record (RFC 2782); ``host`` without its final dot, "" where the service is not offered."""

    priority: int
    weight: int
    port: int
    host: str


class Lookup(Protocol):
    """Asks DNS. Names are text, with or without the final dot, compared without case; never raises but
    CancelledError. CNAMEs are followed."""

    async def txt(self, name: str) -> Answer[bytes]:
        """Each record with its character-strings joined (RFC 7208 section 3.3, RFC 6376 section 3.6.2.2)."""

    async def a(self, name: str) -> Answer[IPv4Address]:
        """IPv4 addresses."""

    async def aaaa(self, name: str) -> Answer[IPv6Address]:
        """IPv6 addresses."""

    async def mx(self, name: str) -> Answer[MailExchanger]:
        """Mail exchangers, in the order of their preference."""

    async def ptr(self, address: IPv4Address | IPv6Address) -> Answer[str]:
        """Names of an address, without final dots."""
