"""The canary: a signed message by the way that everybody's mail takes, and a forged twin that must not pass.

Two ways. ``direct`` goes to the MX on port 25, signed with our own key. Most Japanese providers block that
port outwards (OP25B); there ``sendgrid`` has SendGrid bring it to the MX, signed for our domain. It forges
nothing for anybody, so that way has no twin, and says so.
"""

from __future__ import annotations

import secrets
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from mxgw.scanner.judgement import NOT_SCANNED
from mxgw.watch.canary_letters import Results, forged, genuine
from mxgw.watch.canary_record import Standing

SMTP_SECONDS: Final = 45.0
"""The edge waits for home, and home for its scanner."""

ARRIVAL_SECONDS: Final = 30.0
SENDGRID_SECONDS: Final = 240.0
"""SendGrid has a queue of its own."""

LOOK_SECONDS: Final = 2.0
SMTP_PORT: Final = 25


class Part(StrEnum):
    """What may be broken, in the order of the way."""

    DNS = "dns"
    SENDGRID = "sendgrid"
    PORT = "port-25"
    TLS = "starttls"
    EDGE = "edge"
    HOME = "edge-to-home"
    SCANNER = "scanner"
    DOVECOT = "dovecot"
    IMAP = "imap"
    AUTHENTICATION = "authentication"
    RECORD = "dkim-record"
    """Mail flows; that the canary is not proven is the fault of its own record in DNS."""
    FORGERY = "forgery"


class Way(StrEnum):
    """How it goes out."""

    DIRECT = "direct"
    SENDGRID = "sendgrid"


class Broken(Exception):
    """A part of the way does not work."""

    def __init__(self, part: Part, why: str) -> None:
        super().__init__(why)
        self.part = part
        self.why = why[:300]


@dataclass(frozen=True, slots=True)
class Bird:
    """Whom it flies for. ``key`` is a PEM of RSA, b"" where SendGrid signs; ``cafile`` "" is the system's."""

    sender: str
    recipient: str
    authserv_id: str
    way: Way
    selector: str = ""
    key: bytes = b""
    port: int = SMTP_PORT
    cafile: str = ""
    helo: str = "localhost"


class Home(Protocol):
    """The mailbox at home. Raises Broken (IMAP, DOVECOT)."""

    def take(self, token: str) -> bytes | None:
        """The message with this token, removed there; None where it has not come."""

    def trouble(self) -> Part:
        """Which part is to blame when the edge says that home cannot be reached: HOME or DOVECOT."""


@dataclass(frozen=True, slots=True)
class Flight:
    """How it went. ``seconds`` is None where it did not arrive; ``parts`` were seen to work. ``record``: how
    that of its key was in DNS, asked for where it was not proven."""

    at: float
    way: Way
    broken: Part | None
    why: str
    seconds: float | None
    parts: Mapping[str, float]
    twin: str = "untried"
    """"refused", "marked" (delivered, and not as pass) or "untried"."""
    record: Standing = Standing.UNKNOWN


def fly(
    bird: Bird,
    home: Home,
    *,
    exchangers: Callable[[], list[tuple[str, str]]],
    by_sendgrid: Callable[[bytes, str], None],
    published: Callable[[], Standing] = lambda: Standing.UNKNOWN,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Flight:
    """One flight. ``exchangers`` gives name and address of the MX; ``by_sendgrid`` hands a message over,
    with its token. Both raise Broken. ``published``: how the record of its key is in DNS."""
    at, began = now(), time.monotonic()
    parts: dict[str, float] = {}
    seconds, twin = None, "untried"

    def seen(part: Part) -> None:
        parts[part.value] = round(time.monotonic() - began, 3)

    try:
        servers = exchangers()
        seen(Part.DNS)
        token = secrets.token_hex(12)
        if bird.way is Way.DIRECT:
            refusal = _bring(
                bird, servers, genuine(bird.sender, bird.recipient, token, bird.selector, bird.key), seen
            )
            if refusal is not None:
                raise Broken(_to_blame(*refusal, home), f"{refusal[0]} {refusal[1]}")
        else:
            by_sendgrid(genuine(bird.sender, bird.recipient, token, "", b""), token)
            seen(Part.SENDGRID)
        arrived = _await(home, token, ARRIVAL_SECONDS if bird.way is Way.DIRECT else SENDGRID_SECONDS, sleep)
        seconds = round(time.monotonic() - began, 3)
        seen(Part.IMAP)
        _must_pass(Results.read(arrived, bird.authserv_id))
        seen(Part.AUTHENTICATION)
        if bird.way is Way.DIRECT:
            twin = _twin(bird, servers, home, sleep)
            seen(Part.FORGERY)
    except Broken as why:
        part, record = why.part, Standing.UNKNOWN
        if part is Part.AUTHENTICATION and bird.way is Way.DIRECT:
            record = published()
            part = Part.RECORD if record in {Standing.MISSING, Standing.OTHER} else part
        return Flight(at, bird.way, part, why.why, seconds, parts, twin, record)
    return Flight(at, bird.way, None, "", seconds, parts, twin)


def _twin(bird: Bird, servers: list[tuple[str, str]], home: Home, sleep: Callable[[float], None]) -> str:
    token = secrets.token_hex(12)
    letter = forged(bird.sender, bird.recipient, token, bird.selector, bird.key)
    refusal = _bring(bird, servers, letter, lambda _: None)
    if refusal is not None:
        if refusal[0] >= 500:
            return "refused"
        raise Broken(_to_blame(*refusal, home), f"{refusal[0]} {refusal[1]}")
    results = Results.read(_await(home, token, ARRIVAL_SECONDS, sleep), bird.authserv_id)
    if results.passed:
        raise Broken(Part.FORGERY, f"a forged message was marked as genuine: {results.text}")
    return "marked"


def _must_pass(results: Results) -> None:
    if not results.passed:
        raise Broken(Part.AUTHENTICATION, results.text or "no Authentication-Results of the edge")


def _await(home: Home, token: str, seconds: float, sleep: Callable[[float], None]) -> bytes:
    end = time.monotonic() + seconds
    while (found := home.take(token)) is None:
        if time.monotonic() >= end:
            raise Broken(Part.DOVECOT, f"taken by the edge, but not in the mailbox after {seconds:g} s")
        sleep(LOOK_SECONDS)
    return found


def _to_blame(code: int, text: str, home: Home) -> Part:
    """Which part a refusal of the edge is about."""
    if "4.4." in text or "4.3.0" in text:
        return home.trouble()
    if text.partition(" #")[0] in str(NOT_SCANNED) or "scan" in text.lower():
        return Part.SCANNER
    if "5.7." in text or "4.7." in text:
        return Part.AUTHENTICATION
    return Part.DOVECOT if any(one in text for one in ("5.1.1", "5.2.", "4.2.")) else Part.EDGE


def _bring(
    bird: Bird, servers: list[tuple[str, str]], letter: bytes, seen: Callable[[Part], None]
) -> tuple[int, str] | None:
    """The refusal of the first server that talks; None where it took the message. Raises Broken."""
    last = Broken(Part.DNS, "no address")
    for name, address in servers:
        try:
            session = smtplib.SMTP(timeout=SMTP_SECONDS, local_hostname=bird.helo)
            code, text = session.connect(address, bird.port)
        except (OSError, smtplib.SMTPException) as error:
            last = Broken(Part.PORT, f"{address} port {bird.port}: {error}")
            continue
        try:
            seen(Part.PORT)
            if code != 220:
                raise Broken(Part.EDGE, f"{code} {_text(text)}")
            _secure(session, name, bird)
            seen(Part.TLS)
            refusal = _transaction(session, bird, letter)
        except (OSError, smtplib.SMTPException) as error:
            raise Broken(Part.EDGE, f"{name}: {error}") from None
        finally:
            session.close()
        if refusal is None:
            seen(Part.EDGE)
            seen(Part.HOME)
        return refusal
    raise last


def _secure(session: smtplib.SMTP, name: str, bird: Bird) -> None:
    context = ssl.create_default_context(cafile=bird.cafile or None)
    # smtplib names the host that it connected to, which is an address here.
    session._host = name  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        session.ehlo()
        if not session.has_extn("starttls"):
            raise Broken(Part.TLS, f"{name} does not offer STARTTLS")
        session.starttls(context=context)
        session.ehlo()
    except (OSError, smtplib.SMTPException) as error:
        raise Broken(Part.TLS, f"{name}: {error}") from None


def _transaction(session: smtplib.SMTP, bird: Bird, letter: bytes) -> tuple[int, str] | None:
    for code, text in (session.mail(bird.sender), session.rcpt(bird.recipient)):
        if code // 100 != 2:
            return code, _text(text)
    code, text = session.data(letter)
    return None if code // 100 == 2 else (code, _text(text))


def _text(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())
