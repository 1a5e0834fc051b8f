"""What the doctor is shown: certificates of every kind, an edge by script, name servers with delegations."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mxgw.admin.dns_check import Level
from mxgw.admin.words import Language
from mxgw.doctor.verdict import Verdict
from mxgw.doctor.words import DoctorWords
from tests.rig.homeacts import Act, Close, Hang, Raw
from tests.rig.zone import ZoneServer, wire_name

DOMAIN = "example.jp"
EDGE = "mx.example.jp"
TODAY = datetime.datetime.now(datetime.UTC)


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def issue(
    directory: Path,
    names: tuple[str, ...] = (EDGE,),
    *,
    days: tuple[int, int] = (-1, 90),
    self_signed: bool = False,
) -> tuple[Path, Path, Path]:
    """A certificate, its key, and the file of authorities that would trust it.

    ``days`` are from today on, the first and the last.
    """
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Doctor Test Authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else "nobody")])
    begins, ends = (TODAY + datetime.timedelta(days=day) for day in days)
    root = _certificate(authority, authority, TODAY - datetime.timedelta(days=1000), ends, ca=True)
    issuer = subject if self_signed else authority
    leaf = _certificate(subject, issuer, begins, ends, names=names)
    paths = (directory / "cert.pem", directory / "key.pem", directory / "authorities.pem")
    paths[0].write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        _key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    paths[2].write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return paths


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    begins: datetime.datetime,
    ends: datetime.datetime,
    *,
    names: tuple[str, ...] = (),
    ca: bool = False,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(_key(), hashes.SHA256())


def assert_spoken(verdicts: Sequence[Verdict]) -> None:
    """Every verdict has its facts for a sentence in each language, and says what to do unless it is good."""
    for verdict in verdicts:
        for language in Language:
            words = DoctorWords(language)
            assert words(verdict.key, **verdict.facts)
            if verdict.level is not Level.OK:
                assert words(verdict.mend, **verdict.facts)


HELLO = "250-mx.example.jp\n250-PIPELINING\n250-SIZE 37748736\n250-8BITMIME\n250 STARTTLS"
HELLO_IN_TLS = HELLO.replace("250 STARTTLS", "250 CHUNKING")


@dataclass
class OddEdge:
    """An SMTP server by script, on loopback: ``says`` has the act for a stage, whose name is the verb, or
    ``RCPT TO:<address>``; "greeting", "tls" (in place of the handshake) and "." are stages as well."""

    says: dict[str, Act] = field(default_factory=dict)
    context: ssl.SSLContext | None = None
    port: int = 0
    heard: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def with_certificate(self, cert: Path, key: Path) -> Self:
        """Offer STARTTLS with this."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, ssl.SSLError, EOFError, asyncio.CancelledError):
                await self._talk(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secured = False
        if not await self._act(writer, self.says.get("greeting", f"220 {EDGE} ESMTP odd")):
            return
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.heard.append(line)
            verb = line.split()[0].upper()
            if not await self._act(writer, self._answer(line, verb, secured=secured)):
                return
            if verb == "STARTTLS" and "tls" in self.says:
                await self._act(writer, self.says["tls"])
                return
            if verb == "STARTTLS" and self.context is not None:
                await writer.start_tls(self.context)
                secured = True
            if verb == "DATA":
                self.heard.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                if not await self._act(writer, self.says.get(".", "250 2.0.0 Stored")):
                    return

    def _answer(self, line: str, verb: str, *, secured: bool) -> Act:
        if verb == "EHLO" and secured:
            return self.says.get("EHLO in TLS", HELLO_IN_TLS)
        defaults: Mapping[str, str] = {
            "EHLO": HELLO,
            "STARTTLS": "220 2.0.0 Go ahead",
            "DATA": "354 Go ahead",
            "RCPT": "550 5.1.1 No such user",
        }
        defaults |= {
            "RCPT TO:<postmaster@example.jp>": "250 2.1.5 OK",
            **{f"RCPT TO:<mxgw-doctor@example.{top}>": "550 5.7.1 No relaying" for top in ("com", "net")},
        }
        for stage in (line, verb):
            if stage in self.says:
                return self.says[stage]
        return defaults.get(line) or defaults.get(verb, "250 2.0.0 OK")

    @staticmethod
    async def _act(writer: asyncio.StreamWriter, act: Act) -> bool:
        """Whether the session goes on."""
        match act:
            case str():
                writer.write(act.replace("\n", "\r\n").encode() + b"\r\n")
                return not act.startswith("421")
            case Raw(octets, then):
                writer.write(octets)
                await writer.drain()
                return then is None
            case Hang():
                await asyncio.Event().wait()
            case Close():
                pass
        return False


class NameServer(ZoneServer):
    """A ZoneServer whose zone may have NS records, too."""

    def _add(
        self, section: list[dns.rrset.RRset], owner: dns.name.Name, kind: str, values: list[Any]
    ) -> None:
        if kind != "NS":
            super()._add(section, owner, kind, values)
            return
        for value in values:
            wire = b"".join(bytes([len(label)]) + label for label in wire_name(value).labels)
            rdata = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.NS, wire, 0, len(wire))
            section.append(dns.rrset.from_rdata(owner, self.ttl, rdata))
