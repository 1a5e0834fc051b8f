"""Goes to the edge as a sending server does, and writes down what it sees."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from mxgw.doctor.edge_facts import EdgeSeen, Errand, Probe, Probed, TlsSeen, Visit
from mxgw.doctor.smtp_talk import Broken, Distrusted, SmtpTalk, Trouble
from mxgw.lmtp import Extensions
from mxgw.msgauth.iprev import check_iprev
from mxgw.reply import Reply
from mxgw.resolver.answers import Lookup, Status

MAX_ADDRESSES = 4
"""Of the edge: a balancer has two or three; each costs a visit."""

FOREIGN_DOMAINS = ("example.com", "example.net", "example.org")
"""RFC 2606 section 3 reserves them: nobody has a mailbox there that an open relay could fill."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a visitor behaves: its name in EHLO, and how long it waits for each answer, in seconds."""

    name: str
    reply_seconds: float


def probes_for(
    domains: Sequence[str], *, send_to: str = "", content: bytes = b"", token: str = ""
) -> tuple[Probe, ...]:
    """The transactions that show what the edge takes. ``token`` makes the unknown mailbox unheard of."""
    foreign = next(name for name in FOREIGN_DOMAINS if name not in domains)
    stranger = f"mxgw-doctor@{foreign}"
    unknown = f"mxgw-doctor-{token or secrets.token_hex(6)}"
    return (
        Probe(Errand.RELAY, "", stranger),
        *[Probe(Errand.RELAY_AS_OURS, f"postmaster@{domain}", stranger) for domain in domains[:1]],
        *[Probe(Errand.POSTMASTER, "", f"postmaster@{domain}") for domain in domains],
        *[Probe(Errand.UNKNOWN, "", f"{unknown}@{domain}") for domain in domains],
        # The first who asks may be let in before the edge knows that home is away; the next is told.
        *[Probe(Errand.HOME, "", f"postmaster@{domain}") for domain in domains[:1]],
        *([Probe(Errand.SEND, "", send_to, content)] if send_to else []),
    )


async def see_edge(
    lookup: Lookup, host: str, port: int, *, probes: Sequence[Probe], manners: Manners
) -> EdgeSeen:
    """Every address of the edge; the probes at the first that talks SMTP."""
    status, addresses = await _addresses(lookup, host)
    visits: list[Visit] = []
    pending = tuple(probes)
    for address in addresses[:MAX_ADDRESSES]:
        seen = await _see_address(host, address, port, pending, manners)
        visits.append(replace(seen, reverse=await check_iprev(lookup, address)))
        if seen.probed:
            pending = ()
    return EdgeSeen(host, port, status, tuple(visits))


async def _addresses(lookup: Lookup, host: str) -> tuple[Status, list[IPv4Address | IPv6Address]]:
    try:
        return Status.FOUND, [ip_address(host)]
    except ValueError:
        pass
    if "." not in host:
        return await _local_addresses(host)
    v4, v6 = await asyncio.gather(lookup.a(host), lookup.aaaa(host))
    if v4.records or v6.records:
        return Status.FOUND, [*v4.records, *v6.records]
    return (v4.status if v6.void else Status.TEMPORARY), []


async def _local_addresses(host: str) -> tuple[Status, list[IPv4Address | IPv6Address]]:
    """A name without a dot is one of this machine or of its containers: the system knows it."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return Status.NO_NAME, []
    return Status.FOUND, [ip_address(where[0]) for *_, where in found]


async def _see_address(
    host: str, address: IPv4Address | IPv6Address, port: int, probes: Sequence[Probe], manners: Manners
) -> Visit:
    """Up to three sessions: one that trusts nobody unknown, one that trusts anybody, one in clear."""
    session = _Session(host, address, port, manners)
    seen = await session.run(probes, _trusting())
    if seen.tls is not None and seen.tls.distrust:
        anew = await session.run(probes, _trusting_anybody())
        tls = replace(anew.tls, distrust=seen.tls.distrust) if anew.tls else seen.tls
        seen = replace(anew, tls=tls)
    if seen.tls is not None and seen.tls.broken and not seen.broken:
        in_clear = await session.run(probes, None)
        seen = replace(seen, probed=in_clear.probed)
    return seen


class _Session:
    """One address, as often as it takes."""

    def __init__(self, host: str, address: IPv4Address | IPv6Address, port: int, manners: Manners) -> None:
        self._host = host
        self._address = address
        self._port = port
        self._manners = manners

    async def run(self, probes: Sequence[Probe], context: ssl.SSLContext | None) -> Visit:
        """Greeting, EHLO, STARTTLS under ``context`` (None: stay in clear), the probes, QUIT."""
        seen = Visit(self._address)
        began = time.monotonic()
        try:
            talk, _ = await SmtpTalk.open(
                str(self._address), self._port, reply_seconds=self._manners.reply_seconds
            )
        except Broken as broken:
            return replace(seen, broken=broken)
        try:
            greeting = await talk.reply("greeting")
            seen = replace(seen, greeting=greeting, seconds=time.monotonic() - began)
            if greeting.code != 220:
                return seen
            hello = await talk.ask(f"EHLO {self._manners.name}")
            seen = replace(seen, hello=hello)
            if not hello.positive:
                return seen
            if context is not None and "STARTTLS" in Extensions.parse(hello).keywords:
                tls = await self._secure(talk, context)
                seen = replace(seen, tls=tls)
                if not tls.certificate:
                    return seen
                seen = replace(seen, hello_in_tls=await talk.ask(f"EHLO {self._manners.name}"))
            seen = replace(seen, probed=await _run_probes(talk, probes))
        except Broken as broken:
            return replace(seen, broken=broken)
        finally:
            talk.close()
        return seen

    async def _secure(self, talk: SmtpTalk, context: ssl.SSLContext) -> TlsSeen:
        reply: Reply | None = None
        try:
            reply = await talk.ask("STARTTLS")
            if reply.code != 220:
                return TlsSeen(reply)
            secured = await talk.start_tls(context, self._server_name)
        except Distrusted as why:
            return TlsSeen(reply, distrust=str(why))
        except Broken as broken:
            return TlsSeen(reply, broken=broken)
        cipher = secured.cipher()
        certificate = secured.getpeercert(binary_form=True)
        return TlsSeen(reply, secured.version() or "", cipher[0] if cipher else "", certificate or b"")

    @property
    def _server_name(self) -> str | None:
        try:
            ip_address(self._host)
        except ValueError:
            return self._host
        return None


async def _run_probes(talk: SmtpTalk, probes: Sequence[Probe]) -> tuple[Probed, ...]:
    done: list[Probed] = []
    for probe in probes:
        probed = await _run_probe(talk, probe)
        done.append(probed)
        if probed.broken:
            break
    return tuple(done)


async def _run_probe(talk: SmtpTalk, probe: Probe) -> Probed:
    seen = Probed(probe)
    try:
        seen = replace(seen, mail=await talk.ask(f"MAIL FROM:<{probe.sender}>"))
        if seen.mail is not None and seen.mail.positive:
            seen = replace(seen, rcpt=await talk.ask(f"RCPT TO:<{probe.recipient}>"))
        if probe.content and seen.rcpt is not None and seen.rcpt.positive:
            seen = replace(seen, data=await talk.ask("DATA"))
            if seen.data is not None and seen.data.code == 354:
                seen = replace(seen, final=await talk.content(probe.content))
        else:
            # 421 ends the session (RFC 5321 section 3.8), with the next word at the latest.
            await talk.ask("RSET")
    except Broken as broken:
        answered = broken.trouble is Trouble.CLOSED and broken.stage == "RSET"
        return seen if answered else replace(seen, broken=broken)
    return seen


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Names are compared by whoever judges: a wrong name and an unknown authority are two findings.
    context.check_hostname = False
    return context


def _trusting_anybody() -> ssl.SSLContext:
    context = _trusting()
    context.verify_mode = ssl.CERT_NONE
    return context
