"""Asks Rspamd about a message over HTTP: POST /checkv2, the content streamed out of the spool.

Everything has an end: one deadline over waiting and scanning, so many scans at a time, so many octets of an
answer. A connection serves one scan; connecting costs nothing beside it, and no scan falls on a connection
that Rspamd has given up meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp

from mxgw.envelope import ForwardPath, ReversePath
from mxgw.scanner.answer import Answer, Fault, parse_answer

MAX_ANSWER_OCTETS = 1024 * 1024
"""An answer has some 3 KiB, and 100 KiB with every URL of a newsletter."""

MAX_TOLD_RECIPIENTS = 100
"""RFC 5321 section 4.5.3.1.8 asks for 100 in a transaction. Each is a field of the HTTP header, of which
servers take some 80 KiB; what Rspamd is not told of is delivered like the rest."""

READ_OCTETS = 64 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """A message to be scanned. ``client`` is the address that it came from, "" where nobody knows it.

    ``facts`` are further fields of the request, for rules that look at them. ``chunks`` gives ``octets``
    octets.
    """

    id: str
    client: str
    helo: str
    reverse_path: ReversePath
    forward_paths: tuple[ForwardPath, ...]
    facts: tuple[tuple[str, str], ...]
    octets: int
    chunks: Callable[[], Iterator[bytes]]


class Rspamd:
    """The normal worker of a Rspamd at ``url``. An async context manager: it is used while open.

    ``seconds`` bounds a scan with its waiting; ``at_a_time`` how many there are.
    """

    def __init__(self, url: str, *, hostname: str, seconds: float, at_a_time: int) -> None:
        self._url = f"{url}/checkv2"
        self._hostname = hostname
        self._seconds = seconds
        self._slots = asyncio.Semaphore(at_a_time)
        self._session: aiohttp.ClientSession | None = None
        self._fault: Fault | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def scan(self, question: Question) -> Answer | Fault:
        """What Rspamd says. Raises nothing but CancelledError."""
        said, detail = await self._scan(question)
        fault = said if isinstance(said, Fault) else None
        if fault is not self._fault:
            # Once when it begins and once when it ends: each message has its own line already.
            self._fault = fault
            if fault is None:
                logger.info("rspamd answers")
            else:
                logger.warning("rspamd gives no verdict: %s %s", fault, detail)
        return said

    async def _scan(self, question: Question) -> tuple[Answer | Fault, str]:
        asked = False
        try:
            async with asyncio.timeout(self._seconds), self._slots:
                asked = True
                return await self._ask(question)
        except TimeoutError:
            return Fault.TIMEOUT if asked else Fault.BUSY, f"within {self._seconds:g} s"
        except aiohttp.ClientConnectorError as error:
            return Fault.UNREACHABLE, str(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: a field that HTTP cannot carry. Nothing of that kind passes the door.
            return Fault.BROKEN_OFF, f"{type(error).__name__}: {error}"

    async def _ask(self, question: Question) -> tuple[Answer | Fault, str]:
        if self._session is None:
            raise RuntimeError("the scanner's client is not open")
        headers = request_fields(question, hostname=self._hostname)
        async with self._session.post(self._url, data=_stream(question), headers=headers) as response:
            octets = bytearray()
            async for chunk in response.content.iter_chunked(READ_OCTETS):
                octets += chunk
                if len(octets) > MAX_ANSWER_OCTETS:
                    return Fault.GARBAGE, "the answer does not end"
            if response.status != 200:
                return Fault.REFUSED, f"HTTP status {response.status}"
            return parse_answer(bytes(octets)), "not understood"


def request_fields(question: Question, *, hostname: str) -> list[tuple[str, str]]:
    """The header of the request, as Rspamd's protocol names its fields.

    Without IP it skips whatever depends on the client (SPF, DNS lists), which is better than to judge by the
    address of a machine of ours. A path outside US-ASCII it takes for none (Rspamd 3.4).
    """
    fields = [
        ("Content-Length", str(question.octets)),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "mxgw"),
        ("MTA-Name", hostname),
        ("Queue-Id", question.id),
        ("From", f"<{question.reverse_path}>"),
    ]
    if question.client:
        fields.append(("IP", question.client))
        if question.helo:
            fields.append(("Helo", question.helo))
    fields += [("Rcpt", f"<{path}>") for path in question.forward_paths[:MAX_TOLD_RECIPIENTS]]
    fields += question.facts
    return fields


async def _stream(question: Question) -> AsyncIterator[bytes]:
    for chunk in question.chunks():
        yield chunk
