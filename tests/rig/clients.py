"""Foreign clients: each sends one message as strangers do, and says what the gateway answered."""

from __future__ import annotations

import asyncio
import re
import smtplib
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import aiosmtplib

from tests.rig.process import find_program

SENDER = "sender@example.org"
TARO = "taro@example.jp"
SECONDS = 120


@dataclass(frozen=True, slots=True)
class Sent:
    """How a client ended: accepted or not, and its words."""

    accepted: bool
    words: str


def _run(command: Sequence[str], *, octets: bytes = b"") -> Sent:
    done = subprocess.run(command, input=octets, capture_output=True, timeout=SECONDS, check=False)
    return Sent(done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace"))


def no_check() -> ssl.SSLContext:
    """TLS as mail servers use it towards an MX: encrypted, the name not verified."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def swaks(
    address: tuple[str, int],
    octets: bytes,
    *,
    sender: str = SENDER,
    recipients: Sequence[str] = (TARO,),
    tls: bool = False,
    extra: Sequence[str] = (),
) -> Sent:
    command = [find_program("swaks", package="swaks libnet-ssleay-perl libio-socket-ssl-perl")]
    with tempfile.NamedTemporaryFile() as file:
        # swaks takes lines with LF, makes CRLF of it, doubles the leading dots and adds CRLF.CRLF at the end.
        file.write(octets.removesuffix(b"\r\n").replace(b"\r\n", b"\n"))
        file.flush()
        command += ["--server", f"{address[0]}:{address[1]}", "--from", sender, "--to", ",".join(recipients)]
        command += ["--helo", "client.example.org", "--data", f"@{file.name}", "--suppress-data"]
        return _run([*command, *(["--tls"] if tls else []), *extra])


def curl(
    address: tuple[str, int],
    octets: bytes,
    *,
    sender: str = SENDER,
    recipients: Sequence[str] = (TARO,),
    tls: bool = False,
) -> Sent:
    command = [find_program("curl", package="curl"), "--silent", "--show-error", "--verbose"]
    command += [f"smtp://{address[0]}:{address[1]}/client.example.org", "--mail-from", sender]
    for recipient in recipients:
        command += ["--mail-rcpt", recipient]
    with tempfile.NamedTemporaryFile() as file:
        file.write(octets)
        file.flush()
        return _run([*command, "--upload-file", file.name, *(["--ssl-reqd", "--insecure"] if tls else [])])


def msmtp(
    address: tuple[str, int],
    octets: bytes,
    *,
    sender: str = SENDER,
    recipients: Sequence[str] = (TARO,),
    tls: bool = False,
) -> Sent:
    command = [find_program("msmtp", package="msmtp"), "--file=/dev/null", "--debug", "--auth=off"]
    command += [f"--host={address[0]}", f"--port={address[1]}", "--domain=client.example.org"]
    command += ["--tls=on", "--tls-starttls=on", "--tls-certcheck=off"] if tls else ["--tls=off"]
    return _run([*command, f"--from={sender}", "--", *recipients], octets=octets.replace(b"\r\n", b"\n"))


def smtplib_client(
    address: tuple[str, int],
    octets: bytes,
    *,
    sender: str = SENDER,
    recipients: Sequence[str] = (TARO,),
    tls: bool = False,
    options: Sequence[str] = (),
) -> Sent:
    try:
        with smtplib.SMTP(*address, local_hostname="client.example.org", timeout=SECONDS) as client:
            if tls:
                client.starttls(context=no_check())
            refused = client.sendmail(sender, list(recipients), octets, mail_options=options)
    except (smtplib.SMTPException, OSError) as error:
        return Sent(False, repr(error))
    return Sent(not refused, repr(refused))


async def aiosmtplib_client(
    address: tuple[str, int],
    octets: bytes,
    *,
    sender: str = SENDER,
    recipients: Sequence[str] = (TARO,),
    tls: bool = False,
    options: Sequence[str] = (),
) -> Sent:
    client = aiosmtplib.SMTP(
        hostname=address[0],
        port=address[1],
        local_hostname="client.example.org",
        timeout=SECONDS,
        start_tls=tls,
        tls_context=no_check() if tls else None,
    )
    connection: socket.socket | None = None
    try:
        async with client:
            if client.transport is not None:
                connection = client.transport.get_extra_info("socket")
            refused, words = await client.sendmail(
                sender, list(recipients), octets, mail_options=list(options)
            )
    except aiosmtplib.SMTPException as error:
        return Sent(False, repr(error))
    # Under TLS the client goes while its farewell is still under way, and leaves the socket to the loop.
    async with asyncio.timeout(SECONDS):
        while connection is not None and connection.fileno() != -1:  # noqa: ASYNC110 - sockets tell nobody
            await asyncio.sleep(0.005)
    return Sent(not refused, words)


def smtp_source(
    address: tuple[str, int],
    *,
    messages: int = 1,
    sessions: int = 1,
    octets: int = 2000,
    keep: bool = False,
    lmtp: bool = False,
    sender: str = SENDER,
    recipient: str = TARO,
) -> Sent:
    """Postfix's load generator. ``keep``: many messages on a connection (-d)."""
    command = [find_program("smtp-source", package="postfix"), "-s", str(sessions), "-m", str(messages)]
    command += ["-l", str(octets), "-f", sender, "-t", recipient, "-M", "client.example.org"]
    command += ["-d"] * keep + ["-L"] * lmtp
    sent = _run([*command, f"{address[0]}:{address[1]}"])
    # It ends with 0 after a refusal too; only its words tell.
    return Sent(sent.accepted and not re.search(r"\b[45]\d\d\b|fatal|error", sent.words), sent.words)
