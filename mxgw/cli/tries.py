"""What ``mxgw check`` tries: each try gives findings, and never an exception.

They touch what the configuration names and change nothing: a port is bound and given back, home is asked
about postmaster without a message being sent.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from mxgw import lmtp
from mxgw.config import Address, Config, KeptKey, Pem
from mxgw.dialer import DialError, DirectDialer, Socks5Dialer
from mxgw.envelope import NULL_REVERSE_PATH, ForwardPath, MailParameters
from mxgw.listener.tls import pem_context
from mxgw.reply import Reply

REPLY_SECONDS = 30.0
"""How long home may think about one command; a person is waiting."""

BANNER_SECONDS = 3.0
"""How long whoever holds our port may take to say its name."""

RENEW_DAYS = 14
"""ACME clients renew 30 days before the end; with two weeks left something is wrong."""


MAX_SHOWN_DOMAINS = 10
"""Enough to recognise the list."""


class Level(StrEnum):
    """How good a finding is. A warning is something to know, and no reason to fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing tried."""

    name: str
    level: Level
    detail: str


def try_all(config: Config, *, now: Callable[[], float] = time.time) -> list[Finding]:
    """Every try, in the order in which a message needs them."""
    return [
        *try_kept(config),
        try_listen("mail door", config.listen, probe=b"", mine=f"220 {config.hostname} "),
        try_listen(
            "status door", config.http_listen, probe=b"GET /livez HTTP/1.0\r\n\r\n", mine="Server: mxgw"
        ),
        *try_certificate(config, now()),
        *try_spool(config),
        *asyncio.run(try_home(config)),
        try_seal(config),
    ]


def try_listen(name: str, address: Address, *, probe: bytes, mine: str) -> Finding:
    """Whether the address can be listened at. Where it is in use, ``probe`` is sent to who holds it; an
    answer with ``mine`` in it tells that it is this gateway, running already."""
    try:
        candidates = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, where in candidates:
            with socket.socket(family, kind, protocol) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(where)
                sock.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE and mine in _first_words(address, probe):
            return Finding(name, Level.WARNING, f"{address} is in use: this gateway is running already")
        return Finding(name, Level.FAILED, f"cannot listen at {address}: {_reason(error)}")
    return Finding(name, Level.OK, f"can listen at {address}")


def try_kept(config: Config) -> list[Finding]:
    """What was read from AWS: reading it is part of loading the configuration, so here it has succeeded."""
    findings: list[Finding] = []
    if config.domains.parameter:
        names = config.domains.names
        shown = ", ".join(names[:MAX_SHOWN_DOMAINS]) + (", ..." if len(names) > MAX_SHOWN_DOMAINS else "")
        count = "1 domain" if len(names) == 1 else f"{len(names)} domains"
        findings.append(Finding("domains", Level.OK, f"{config.domains.parameter} lists {count}: {shown}"))
    for name, value in (
        ("certificate kept", config.tls_cert),
        ("key kept", config.tls_key),
        ("seal key kept", config.seal_key),
    ):
        if isinstance(value, Pem | KeptKey) and value.reference:
            findings.append(Finding(name, Level.OK, f"{value.reference} was read"))
    return findings


def try_certificate(config: Config, now: float) -> list[Finding]:
    """Whether certificate and key can be read and belong together, for how long, and for which name."""
    name = "certificate"
    if config.tls_cert is None or config.tls_key is None:
        return [Finding(name, Level.OK, "none named: a self-signed one is made at the start")]
    where = f"{config.tls_cert}, {config.tls_key}"
    try:
        chain, key = (_pem(each) for each in (config.tls_cert, config.tls_key))
        pem_context(chain, key)
    except ssl.SSLError as error:
        # An error that OpenSSL did not make has no reason of its own.
        reason = getattr(error, "reason", "") or str(error)
        mismatch = reason == "KEY_VALUES_MISMATCH"
        detail = "certificate and key do not belong together" if mismatch else f"cannot be used: {reason}"
        return [Finding(name, Level.FAILED, f"{where}: {detail}")]
    except (OSError, ValueError) as error:
        return [Finding(name, Level.FAILED, f"{where}: {_reason(error)}")]
    return _judge_certificate(name, config, chain.encode(), now)


def try_spool(config: Config) -> list[Finding]:
    """Whether the spool can be written to, and has room for the budget."""
    name = "spool"
    directory = config.spool_dir or Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"mxgw check\n")
            file.flush()
        free = shutil.disk_usage(directory).free
    except OSError as error:
        return [Finding(name, Level.FAILED, f"{directory} cannot be written to: {_reason(error)}")]
    if free < config.max_message_octets:
        return [Finding(name, Level.FAILED, f"{directory} has {_size(free)} free, less than one message")]
    budget = config.max_spool_octets * config.workers
    if free < budget:
        detail = f"{directory} has {_size(free)} free, the budget is {_size(budget)}"
        return [Finding(name, Level.WARNING, detail)]
    return [Finding(name, Level.OK, f"{directory} can be written to and has {_size(free)} free")]


def try_seal(config: Config) -> Finding:
    """Whether repeats can be recognised."""
    if config.seal_key is None:
        detail = "MXGW_SEAL_KEY is not set: home cannot recognise a message that is sent again"
        return Finding("seal", Level.WARNING, detail)
    return Finding("seal", Level.OK, "fingerprints are made")


async def try_home(config: Config) -> list[Finding]:
    """Whether home can be reached, what it offers, and whether it knows postmaster."""
    findings: list[Finding] = []
    home, proxy = config.home, config.socks5
    way = f" by SOCKS5 proxy {proxy}" if proxy else ""
    dialer = (
        Socks5Dialer(proxy.host, proxy.port, home.host, home.port, config.connect_seconds)
        if proxy
        else DirectDialer(home.host, home.port, config.connect_seconds)
    )
    reader = asyncio.StreamReader()
    started_at = time.monotonic()
    try:
        transport = await dialer.dial(asyncio.StreamReaderProtocol(reader))
    except DialError as error:
        return [Finding("home", Level.FAILED, f"cannot be reached: {error}")]
    milliseconds = (time.monotonic() - started_at) * 1000
    try:
        talk = _Talk(reader, transport)
        await _converse(config, talk, findings, f"{home}{way} reached in {milliseconds:.0f} ms")
    except (TimeoutError, EOFError, lmtp.Garbage, OSError) as error:
        reason = {TimeoutError: "it does not answer", EOFError: "it closed the connection"}.get(type(error))
        findings.append(Finding("home", Level.FAILED, f"{home}{way}: {reason or error}"))
    finally:
        transport.abort()
    return findings


class _Talk:
    """Commands and replies, one by one."""

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.Transport) -> None:
        self._reader = reader
        self._transport = transport
        self._replies = lmtp.ReplyReader()
        self._ready: list[Reply] = []

    async def reply(self, command: bytes = b"") -> Reply:
        """Send a command, if any, and wait for the next reply."""
        if command:
            self._transport.write(command)
        async with asyncio.timeout(REPLY_SECONDS):
            while not self._ready:
                octets = await self._reader.read(4096)
                if not octets:
                    raise EOFError
                self._ready += self._replies.feed(octets)
        return self._ready.pop(0)


async def _converse(config: Config, talk: _Talk, findings: list[Finding], reached: str) -> None:
    greeting = await talk.reply()
    if not greeting.positive:
        findings.append(Finding("home", Level.FAILED, f"{reached}, it turns us away: {greeting}"))
        return
    hello = await talk.reply(lmtp.lhlo(config.hostname))
    if not hello.positive:
        findings.append(Finding("home", Level.FAILED, f"{reached}, it speaks no LMTP: {hello}"))
        return
    findings.append(Finding("home", Level.OK, f"{reached}: {greeting}"))
    extensions = lmtp.Extensions.parse(hello)
    offered = ", ".join(sorted(extensions.keywords)) or "nothing"
    missing = [word for word in ("PIPELINING", "CHUNKING", "8BITMIME") if word not in extensions.keywords]
    level = Level.WARNING if missing else Level.OK
    lacking = f"; not {', '.join(missing)}, which costs round trips or 8-bit mail" if missing else ""
    findings.append(Finding("home offers", level, f"{offered}{lacking}"))
    postmaster = config.postmaster or ForwardPath("postmaster", config.domains.names[0])
    findings.append(await _ask_postmaster(postmaster, extensions, talk))
    await talk.reply(b"QUIT\r\n")


async def _ask_postmaster(path: ForwardPath, extensions: lmtp.Extensions, talk: _Talk) -> Finding:
    reply = await talk.reply(lmtp.mail(NULL_REVERSE_PATH, MailParameters(), None, extensions))
    if not reply.positive:
        return Finding("postmaster", Level.FAILED, f"home takes no mail from <>: {reply}")
    reply = await talk.reply(lmtp.rcpt(path))
    await talk.reply(b"RSET\r\n")
    if reply.positive:
        return Finding("postmaster", Level.OK, f"home knows {path}")
    level = Level.FAILED if reply.permanent else Level.WARNING
    needed = "every domain needs one (RFC 5321 section 4.5.1)"
    return Finding("postmaster", level, f"home does not take {path}: {reply}; {needed}")


def _judge_certificate(name: str, config: Config, pem: bytes, now: float) -> list[Finding]:
    # Imported here: only a configured certificate needs it.
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(pem)
    end = certificate.not_valid_after_utc
    days = (end - datetime.fromtimestamp(now, UTC)).total_seconds() / 86400
    detail = f"{config.tls_cert} is valid until {end:%Y-%m-%d}, {days:.0f} days"
    if days < 0:
        return [Finding(name, Level.FAILED, f"{config.tls_cert} ended on {end:%Y-%m-%d}")]
    findings = [Finding(name, Level.WARNING if days < RENEW_DAYS else Level.OK, detail)]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        covered = [entry.lower() for entry in names.get_values_for_type(x509.DNSName)]
    except x509.ExtensionNotFound:
        covered = []
    wildcard = "*." + config.hostname.partition(".")[2]
    if config.hostname not in covered and wildcard not in covered:
        words = ", ".join(covered) or "no name"
        detail = f"it is for {words}, not for MXGW_HOSTNAME {config.hostname}"
        findings.append(Finding("certificate name", Level.WARNING, detail))
    return findings


def _pem(where: Path | Pem) -> str:
    return where.text if isinstance(where, Pem) else where.read_text(encoding="utf-8", errors="replace")


def _first_words(address: Address, probe: bytes) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    try:
        with socket.create_connection((host, address.port), timeout=BANNER_SECONDS) as sock:
            sock.sendall(probe)
            return sock.recv(1024).decode(errors="replace")
    except OSError:
        return ""


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _size(octets: int) -> str:
    return f"{octets / 1024**3:.1f} GiB" if octets >= 1024**3 else f"{octets / 1024**2:.0f} MiB"
