"""A relay as SendGrid is one: STARTTLS and a login demanded, 30 MB at most, and its bad days on demand."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.dell.certificates import Pair
from tests.rig.process import Service, free_port, wait_until

MAX_OCTETS = 30 * 1024 * 1024
USER = "apikey"
KEY = "SG.key-of-the-tests/+="


@dataclass(frozen=True, slots=True)
class Relayed:
    """One message that the relay took: how it came, from whom, to whom, and its octets."""

    tls: bool
    login: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes


class SendGrid(Service):
    """The relay, on ``port`` of localhost, certified by ``pair``.

    ``refusals`` maps a recipient to the reply it gets at RCPT; ``content_reply``, where set, is what every
    message gets after its end. They may change while it runs, as may ``key``. ``close`` takes it off
    the net, and ``start`` back to the same port, with the certificate ``pair`` of that time.
    """

    def __init__(self, pair: Pair, *, key: str = KEY) -> None:
        self.port = free_port()
        self.key = key
        self.taken: list[Relayed] = []
        self.refusals: dict[str, str] = {}
        self.content_reply = ""
        self.logins_failed = 0
        self.pair = pair
        self._controller: Controller | None = None

    @property
    def host(self) -> str:
        """As Postfix writes a relay: no MX look-up, and a name that its certificate can prove."""
        return f"[localhost]:{self.port}"

    def start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pair.certificate, self.pair.key)
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=context,
            require_starttls=True,
            authenticator=self._login,
            auth_required=True,
            auth_require_tls=True,
            data_size_limit=MAX_OCTETS,
            ident="SG ESMTP service ready",
            # Others work on the machine, too.
            ready_timeout=30.0,
        )
        self._controller.start()

    def close(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def wait_for(self, recipient: str, *, count: int = 1, seconds: float = 20.0) -> Relayed:
        """The ``count``-th message for a recipient, as soon as it is there."""

        def found() -> list[Relayed]:
            return [message for message in self.taken if recipient in message.recipients]

        wait_until(lambda: len(found()) >= count, seconds=seconds, what=f"the relay has mail for {recipient}")
        return found()[count - 1]

    def _login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        good = (
            isinstance(data, LoginPassword)
            and data.login == USER.encode()
            and data.password == self.key.encode()
        )
        self.logins_failed += not good
        return AuthResult(success=good, handled=False, auth_data=data)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self.refusals.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 Recipient address accepted"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(0)
        if self.content_reply:
            return self.content_reply
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else ""
        content = envelope.original_content or b""
        self.taken.append(
            Relayed(
                tls=session.ssl is not None,
                login=login,
                sender=(envelope.mail_from or "").removeprefix("<>"),
                recipients=tuple(envelope.rcpt_tos),
                content=content,
            )
        )
        return "250 Ok: queued as made-up-name"
