"""The canary's mailbox: looked into by IMAP as a phone does; doveadm is the second witness."""

from __future__ import annotations

import imaplib
import socket
import ssl
from typing import Final

from mxgw.admin.refusal import Refused
from mxgw.watch.canary import Broken, Part
from mxgw.watch.canary_letters import FIELD
from mxgw.watch.site import Site

SECONDS: Final = 15.0
FOLDERS: Final = ("INBOX", "Junk")


class Mailbox:
    """See canary.Home. The certificate must be good for MAIL_HOSTNAME."""

    def __init__(self, site: Site, user: str, password: str, *, port: int = 993) -> None:
        self._site = site
        self._user = user
        self._password = password
        self._port = port

    def take(self, token: str) -> bytes | None:
        """The message with this token, removed; None where it has not come. Raises Broken."""
        try:
            with self._session() as session:
                return _taken(session, token)
        except (OSError, imaplib.IMAP4.error) as error:
            arrived = self._arrived(token)
            note = "the message has arrived, but IMAP does not show it: " if arrived else ""
            raise Broken(Part.IMAP if self._dovecot_runs() else Part.DOVECOT, f"{note}{error}") from None

    def trouble(self) -> Part:
        """DOVECOT where it does not run or is not well; else the way from the edge."""
        return Part.HOME if self._dovecot_runs() else Part.DOVECOT

    def _session(self) -> imaplib.IMAP4_SSL:
        context = _Named(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
        if cafile := self._site.get("CANARY_CA"):
            context.load_verify_locations(cafile)
        context.name = self._site.get("MAIL_HOSTNAME")
        host = self._site.get("TAILSCALE_IP", "127.0.0.1")
        session = imaplib.IMAP4_SSL(host, self._port, ssl_context=context, timeout=SECONDS)
        try:
            session.login(self._user, self._password)
        except BaseException:
            session.shutdown()
            raise
        return session

    def _dovecot_runs(self) -> bool:
        try:
            dovecot = self._site.stack.states().get("dovecot")
        except Refused:
            return True
        return dovecot is not None and dovecot.state == "running" and dovecot.health != "unhealthy"

    def _arrived(self, token: str) -> bool:
        search = ["doveadm", "search", "-u", self._user, "mailbox", "*", "HEADER", FIELD, token]
        try:
            answer = self._site.stack.run("dovecot", search, timeout=SECONDS)
        except Refused:
            return False
        return answer.code == 0 and bool(answer.output.strip())


class _Named(ssl.SSLContext):
    """Asks for the certificate of ``name``, whatever address was connected to."""

    name = ""

    def wrap_socket(self, sock: socket.socket, *args: object, **more: object) -> ssl.SSLSocket:
        """As ssl does."""
        return super().wrap_socket(sock, server_hostname=self.name)


def _taken(session: imaplib.IMAP4_SSL, token: str) -> bytes | None:
    found = None
    for folder in FOLDERS:
        if session.select(folder)[0] != "OK":
            continue
        numbers = session.uid("SEARCH", "HEADER", FIELD, token)[1][0]
        for number in (numbers or b"").decode().split():
            part = session.uid("FETCH", number, "(BODY.PEEK[HEADER])")[1][0]
            found = part[1] if isinstance(part, tuple) else found
            session.uid("STORE", number, "+FLAGS.SILENT", r"(\Deleted)")
        session.expunge()
    return found
