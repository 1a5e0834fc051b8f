"""The gateway that one writes in an afternoon: stock aiosmtpd in front, stock aiosmtplib behind.

    python -m bench.plain_gateway LISTEN_PORT HOME_PORT

It is honest work with both libraries as their manuals show them: no log, no Received field, no limits, one
connection to home per message. aiosmtplib knows no LMTP, so LHLO goes out by ``execute_command``. Its
``local_hostname`` is left to itself, as in its manual: it asks ``getfqdn`` in a thread for each connection.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

HOSTNAME = "plain.bench.example"
MAX_MESSAGE_OCTETS = 37_748_736


class ToHome:
    """aiosmtpd handler that relays at once and answers with home's reply."""

    def __init__(self, home_port: int) -> None:
        self._home_port = home_port

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        try:
            return await self._relay(envelope)
        except (aiosmtplib.SMTPException, OSError):
            return "451 4.4.1 Try again later"

    async def _relay(self, envelope: Envelope) -> str:
        home = aiosmtplib.SMTP(hostname="127.0.0.1", port=self._home_port, start_tls=False)
        await home.connect()
        try:
            await home.execute_command(b"LHLO", HOSTNAME.encode())
            await home.execute_command(b"MAIL", f"FROM:<{envelope.mail_from}>".encode())
            for forward_path in envelope.rcpt_tos:
                await home.execute_command(b"RCPT", f"TO:<{forward_path}>".encode())
            assert home.protocol is not None
            assert isinstance(envelope.content, bytes)
            reply = await home.protocol.execute_data_command(envelope.content, timeout=300)
            await home.quit()
        finally:
            home.close()
        return f"{reply.code} {reply.message}"


async def serve(listen_port: int, home_port: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(
        lambda: SMTP(ToHome(home_port), hostname=HOSTNAME, data_size_limit=MAX_MESSAGE_OCTETS, loop=loop),
        "127.0.0.1",
        listen_port,
        backlog=256,
    )
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
