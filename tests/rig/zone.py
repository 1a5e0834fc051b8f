"""DNS as a literal: asked in memory (Zone) or over UDP and TCP on loopback (ZoneServer)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from mxgw.resolver.answers import Answer, MailExchanger, ServiceHost, Status
from mxgw.resolver.names import canonical

Records = Mapping[str, Sequence[Any]]
"""Type -> values. TXT: str, bytes, or a list of them (character-strings). MX: (10, "mx.example").
SRV: (0, 0, 443, "host.example"). A, AAAA, PTR, CNAME: str."""

MAX_ALIASES = 8


class Zone:
    """All of DNS for one test. A key may be an address: its PTR records go to the reverse name.

    ``failing`` answers TEMPORARY: a name ("timeout.example"), or one type of it ("MX timeout.example").
    ``asked`` lists the questions that came, ``"TXT example.com"``, in order.
    """

    def __init__(self, names: Mapping[str, Records] | None = None, *, failing: Iterable[str] = ()) -> None:
        self._names: dict[str, dict[str, list[Any]]] = {}
        self._exist: set[str] = set()
        self.failing: set[str] = {self._failure(text) for text in failing}
        self.asked: list[str] = []
        for name, records in (names or {}).items():
            self.put(name, records)

    @property
    def questions(self) -> int:
        """How many questions came."""
        return len(self.asked)

    def put(self, name: str, records: Records) -> None:
        """Set what a name has; whatever it had before of these types is gone."""
        key = self._key(name)
        if key is None:
            raise ValueError(f"not a DNS name: {name!r}")
        self._names.setdefault(key, {}).update(
            {kind.upper(): list(values) for kind, values in records.items()}
        )
        labels = key.split(".")
        self._exist.update(".".join(labels[cut:]) for cut in range(len(labels)))

    def fail(self, name: str) -> None:
        """From now on this name, or "TYPE name", has no answer."""
        self.failing.add(self._failure(name))

    async def txt(self, name: str) -> Answer[bytes]:
        return self._answer("TXT", name, lambda value: b"".join(strings(value)))

    async def a(self, name: str) -> Answer[IPv4Address]:
        return self._answer("A", name, IPv4Address)

    async def aaaa(self, name: str) -> Answer[IPv6Address]:
        return self._answer("AAAA", name, IPv6Address)

    async def mx(self, name: str) -> Answer[MailExchanger]:
        answer = self._answer("MX", name, lambda value: MailExchanger(value[0], value[1].removesuffix(".")))
        return Answer(answer.status, tuple(sorted(answer.records)))

    async def srv(self, name: str) -> Answer[ServiceHost]:
        answer = self._answer("SRV", name, lambda value: ServiceHost(*value))
        return Answer(answer.status, tuple(sorted(answer.records)))

    async def ptr(self, address: IPv4Address | IPv6Address) -> Answer[str]:
        return self._answer("PTR", address.reverse_pointer, lambda value: value.removesuffix("."))

    def find(self, kind: str, name: str) -> tuple[Status, list[tuple[str, str]], list[Any]]:
        """Status, the aliases on the way, and the records. A name with an alias to nowhere exists."""
        aliases: list[tuple[str, str]] = []
        key = self._key(name)
        while len(aliases) <= MAX_ALIASES:
            if key is None:
                return Status.NO_NAME, aliases, []
            if self.failing & {key, f"{kind} {key}"}:
                return Status.TEMPORARY, aliases, []
            records = self._names.get(key, {})
            if records.get(kind):
                return Status.FOUND, aliases, records[kind]
            if not records.get("CNAME"):
                exists = key in self._exist
                return (Status.NO_DATA if exists else Status.NO_NAME), aliases, []
            target = records["CNAME"][0]
            aliases.append((key, target))
            key = self._key(target)
        return Status.TEMPORARY, aliases, []

    def _answer(self, kind: str, name: str, make: Any) -> Answer[Any]:
        self.asked.append(f"{kind} {name}")
        status, aliases, records = self.find(kind, name)
        if status is Status.NO_NAME and aliases:
            return Answer(Status.NO_DATA)
        return Answer(status, tuple(make(record) for record in records))

    @staticmethod
    def _key(name: str) -> str | None:
        try:
            return ip_address(name).reverse_pointer
        except ValueError:
            return canonical(name)

    def _failure(self, text: str) -> str:
        kind, blank, name = text.rpartition(" ")
        return f"{kind.upper()}{blank}{self._key(name)}"


def strings(value: Any) -> list[bytes]:
    """The character-strings of a TXT value."""
    parts = [value] if isinstance(value, str | bytes) else list(value)
    return [part.encode() if isinstance(part, str) else part for part in parts]


@dataclass
class ZoneServer:
    """Serves a Zone on 127.0.0.1 or ``host``, UDP and TCP on one port: ``async with ZoneServer(zone)``.

    ``silent`` names get no answer at all; ``failing`` ones of the zone get SERVFAIL. Negative answers carry
    an SOA whose minimum is ``negative_ttl``. ``udp`` and ``tcp`` count the questions that came on the wire.
    """

    zone: Zone
    ttl: int = 300
    negative_ttl: int = 60
    silent: set[str] = field(default_factory=set)
    delay_seconds: float = 0.0
    udp: int = 0
    tcp: int = 0
    port: int = 0
    host: str = "127.0.0.1"

    @property
    def address(self) -> str:
        """As MXGW_DNS takes it."""
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for _ in range(20):
            self._tcp = await asyncio.start_server(self._stream, self.host, self.port)
            port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(self.host, port)
                )
            except OSError:
                # Somebody else has this number on UDP: take another.
                self._tcp.close()
                continue
            self.port = port
            self._tasks: set[asyncio.Task[None]] = set()
            return self
        raise OSError("no port that is free on both UDP and TCP")

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn_reply(self, octets: bytes, address: Any) -> None:
        """Answer one datagram, at once or after the delay."""
        self.udp += 1
        reply = self._reply(octets, over_udp=True)
        if reply is None:
            return
        if self.delay_seconds:
            asyncio.get_running_loop().call_later(self.delay_seconds, self._send, reply, address)
        else:
            self._send(reply, address)

    def _send(self, reply: bytes, address: Any) -> None:
        if not self._udp.is_closing():
            self._udp.sendto(reply, address)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                octets = await reader.readexactly(length)
                self.tcp += 1
                await asyncio.sleep(self.delay_seconds)
                reply = self._reply(octets, over_udp=False)
                if reply is not None:
                    writer.write(struct.pack("!H", len(reply)) + reply)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    def _reply(self, octets: bytes, *, over_udp: bool) -> bytes | None:
        query = dns.message.from_wire(octets)
        question = query.question[0]
        name = b".".join(question.name.labels[:-1]).decode("ascii", "replace")
        if name.lower() in self.silent:
            return None
        kind = dns.rdatatype.to_text(question.rdtype)
        self.zone.asked.append(f"{kind} {name}")
        status, aliases, records = self.zone.find(kind, name)
        reply = dns.message.make_response(query, recursion_available=True, our_payload=1232)
        owner = question.name
        for _, target in aliases:
            self._add(reply.answer, owner, "CNAME", [target])
            owner = wire_name(target)
        if status is Status.FOUND:
            self._add(reply.answer, owner, kind, records)
        elif status is Status.TEMPORARY:
            reply.set_rcode(dns.rcode.SERVFAIL)
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN if status is Status.NO_NAME else dns.rcode.NOERROR)
            soa = f"ns.invalid. hostmaster.invalid. 1 3600 600 86400 {self.negative_ttl}"
            reply.authority.append(dns.rrset.from_text(dns.name.root, 3600, "IN", "SOA", soa))
        limit = query.payload if query.edns >= 0 else 512
        wire = reply.to_wire(max_size=65535)
        if not over_udp or len(wire) <= min(limit, 1232):
            return wire
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire()

    def _add(
        self, section: list[dns.rrset.RRset], owner: dns.name.Name, kind: str, values: list[Any]
    ) -> None:
        section.append(dns.rrset.from_rdata_list(owner, self.ttl, [_rdata(kind, value) for value in values]))


def wire_name(name: str) -> dns.name.Name:
    """A name of the zone as dnspython has it; text is taken as it is, nothing is escaped."""
    return dns.name.Name([*(label.encode() for label in name.removesuffix(".").split(".") if label), b""])


def _name_octets(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in wire_name(name).labels)


def _rdata(kind: str, value: Any) -> dns.rdata.Rdata:
    if kind == "TXT":
        octets = [
            part[cut : cut + 255] for part in strings(value) for cut in range(0, max(len(part), 1), 255)
        ]
        wire = b"".join(bytes([len(part)]) + part for part in octets)
    elif kind == "MX":
        wire = struct.pack("!H", value[0]) + _name_octets(value[1])
    elif kind == "SRV":
        wire = struct.pack("!3H", *value[:3]) + _name_octets(value[3])
    elif kind in {"PTR", "CNAME"}:
        wire = _name_octets(value)
    else:
        wire = ip_address(value).packed
    return dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.from_text(kind), wire, 0, len(wire))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: ZoneServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.spawn_reply(data, addr)
