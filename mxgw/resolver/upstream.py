"""Asks the configured DNS servers one question and says what came back.

This module and mxgw.doctor.authority are the only ones that know dnspython.

EDNS with a payload that is never fragmented (1232 octets, DNS Flag Day 2020); TCP when the answer is cut.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple, cast

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.SRV import SRV

from mxgw.resolver.answers import Answer, MailExchanger, ServiceHost, Status

PAYLOAD_OCTETS = 1232

QUERY_SECONDS = 2.0
"""Until a server is asked again, or the next one is."""

LIFETIME_SECONDS = 5.0
"""Until we give up on a question."""

MAX_RECORDS = 512
"""Of one answer, all sections. Reading one costs some 30 microseconds, with the event loop held: the 4,000
that fit into 64 KiB take 100 ms, times ten per message. Who publishes more is not read."""

DNS_PORT = 53
LOCAL_SERVER = ("127.0.0.1", DNS_PORT)
"""What resolv.conf(5) says where there is no such file."""


class Told(NamedTuple):
    """An answer and how long it holds."""

    answer: Answer[Any]
    ttl_seconds: float


_FAILED = Told(Answer(Status.TEMPORARY), 0.0)


class Upstream:
    """The servers, asked in their order."""

    def __init__(
        self,
        servers: Sequence[tuple[str, int]] = (),
        *,
        query_seconds: float = QUERY_SECONDS,
        lifetime_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        """Without ``servers``: those of the system, read once."""
        self.servers = tuple(servers) or _system_servers()
        self._backend = dns.asyncbackend.get_backend("asyncio")
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [_Server(address, port) for address, port in self.servers]
        self._resolver.use_edns(0, 0, PAYLOAD_OCTETS)
        self._resolver.timeout = query_seconds
        self._resolver.lifetime = lifetime_seconds

    async def ask(self, kind: str, name: str) -> Told:
        """``name`` is canonical. Never raises for what DNS or the network did."""
        question = dns.name.Name([*(label.encode() for label in name.split(".")), b""])
        try:
            answer = await self._resolver.resolve(
                question,
                dns.rdatatype.from_text(kind),
                raise_on_no_answer=False,
                search=False,
                backend=self._backend,
            )
        except dns.resolver.NXDOMAIN as none:
            return _no_name(none.kwargs["responses"][question])
        except (dns.exception.DNSException, OSError):
            return _FAILED
        ttl = float(answer.chaining_result.minimum_ttl)
        read = [_READERS[kind](record) for record in answer.rrset or ()]
        records = [record for record in read if record is not None]
        if not records:
            return Told(Answer(Status.NO_DATA), ttl)
        if kind in {"MX", "SRV"}:
            records.sort()
        return Told(Answer(Status.FOUND, tuple(records)), ttl)


class _Late(dns.exception.DNSException):
    """The server did not answer in time over TCP; it is asked again while the question lives."""


class _Server(dns.nameserver.Do53Nameserver):
    """A server whose answers over TCP are looked at before they are read record by record."""

    async def async_query(
        self,
        request: dns.message.QueryMessage,
        timeout: float,  # noqa: ASYNC109 - dnspython's signature
        source: str | None,
        source_port: int,
        max_size: bool,
        backend: Any,  # dnspython's Backend, which its typed part does not export
        one_rr_per_rrset: bool = False,
        ignore_trailing: bool = False,
    ) -> dns.message.Message:
        if not max_size:
            return await super().async_query(request, timeout, source, source_port, max_size, backend)
        try:
            async with asyncio.timeout(timeout):
                octets = await self._over_tcp(request.to_wire())
        except TimeoutError as late:
            # dnspython takes an OSError, which this is, for a server that is no use at all.
            raise _Late from late
        if len(octets) < 12 or sum(struct.unpack("!3H", octets[6:12])) > MAX_RECORDS:
            raise dns.exception.FormError
        response = dns.message.from_wire(octets)
        if not request.is_response(response):
            raise dns.exception.FormError
        return response

    async def _over_tcp(self, query: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.address, self.port)
        try:
            writer.write(struct.pack("!H", len(query)) + query)
            (octets,) = struct.unpack("!H", await reader.readexactly(2))
            return await reader.readexactly(octets)
        finally:
            writer.close()


def _no_name(response: dns.message.QueryMessage) -> Told:
    chain = response.resolve_chaining()
    # NXDOMAIN is about the last name of a chain of aliases: the name that was asked for exists.
    status = Status.NO_DATA if chain.cnames else Status.NO_NAME
    return Told(Answer(status), float(chain.minimum_ttl))


def _system_servers() -> tuple[tuple[str, int], ...]:
    try:
        found = dns.asyncresolver.Resolver(configure=True).nameservers
    except dns.resolver.NoResolverConfiguration:
        return (LOCAL_SERVER,)
    return tuple((address, DNS_PORT) for address in found if isinstance(address, str)) or (LOCAL_SERVER,)


def _text(name: dns.name.Name) -> str | None:
    """A name as text; None where that would be another name (a dot inside a label) or is unprintable."""
    labels = name.labels[:-1]
    if any(b"." in label for label in labels):
        return None
    try:
        text = b".".join(labels).decode("ascii")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _txt(record: dns.rdata.Rdata) -> bytes:
    return b"".join(cast("TXT", record).strings)


def _a(record: dns.rdata.Rdata) -> IPv4Address:
    return IPv4Address(cast("A", record).address)


def _aaaa(record: dns.rdata.Rdata) -> IPv6Address:
    return IPv6Address(cast("AAAA", record).address)


def _mx(record: dns.rdata.Rdata) -> MailExchanger | None:
    exchanger = cast("MX", record)
    host = _text(exchanger.exchange)
    return None if host is None else MailExchanger(exchanger.preference, host)


def _ptr(record: dns.rdata.Rdata) -> str | None:
    return _text(cast("PTR", record).target)


def _srv(record: dns.rdata.Rdata) -> ServiceHost | None:
    service = cast("SRV", record)
    host = _text(service.target)
    return None if host is None else ServiceHost(service.priority, service.weight, service.port, host)


_READERS = {"TXT": _txt, "A": _a, "AAAA": _aaaa, "MX": _mx, "PTR": _ptr, "SRV": _srv}
