"""Opens connections to home: directly, or through a SOCKS5 proxy that resolves the name.

Foreign exceptions (OSError, those of python-socks) end here: what comes out is a transport or DialError.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from python_socks import ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy

from mxgw.outcome import Trouble


class DialError(Exception):
    """Home was not reached: CONNECT_FAILED or CONNECT_TIMEOUT. The text is for the operator."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble


class Dialer(Protocol):
    """How connections to home are opened."""

    async def dial(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """Connect ``protocol``; raises DialError and nothing else but CancelledError."""


class DirectDialer:
    """Plain TCP. ``timeout_seconds`` covers looking the name up and connecting."""

    def __init__(self, host: str, port: int, timeout_seconds: float) -> None:
        self._host = host
        self._port = port
        self._timeout_seconds = timeout_seconds

    async def dial(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """Connect ``protocol`` to home; raises DialError."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                transport, _ = await loop.create_connection(lambda: protocol, self._host, self._port)
        except TimeoutError as error:
            raise _timed_out(self._host, self._port, self._timeout_seconds) from error
        except OSError as error:
            raise DialError(Trouble.CONNECT_FAILED, f"{self._host}:{self._port}: {error}") from error
        return transport


class Socks5Dialer:
    """Through a SOCKS5 proxy (RFC 1928) without authentication; the proxy resolves home's name."""

    def __init__(
        self, proxy_host: str, proxy_port: int, host: str, port: int, timeout_seconds: float
    ) -> None:
        self._proxy_host = proxy_host
        self._proxy_port = proxy_port
        self._host = host
        self._port = port
        self._timeout_seconds = timeout_seconds

    async def dial(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """Connect ``protocol`` to home; raises DialError."""
        loop = asyncio.get_running_loop()
        proxy = Proxy(ProxyType.SOCKS5, self._proxy_host, self._proxy_port, rdns=True, loop=loop)
        where = f"{self._host}:{self._port} by SOCKS5 proxy {self._proxy_host}:{self._proxy_port}"
        try:
            sock = await proxy.connect(self._host, self._port, timeout=self._timeout_seconds)
        except ProxyTimeoutError as error:
            raise _timed_out(where, None, self._timeout_seconds) from error
        except (ProxyError, OSError, UnicodeError) as error:
            # UnicodeError: a host name that IDNA cannot encode.
            raise DialError(Trouble.CONNECT_FAILED, f"{where}: {error}") from error
        try:
            transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
        except OSError as error:
            sock.close()
            raise DialError(Trouble.CONNECT_FAILED, f"{where}: {error}") from error
        except asyncio.CancelledError:
            sock.close()
            raise
        return transport


def _timed_out(host: str, port: int | None, seconds: float) -> DialError:
    where = host if port is None else f"{host}:{port}"
    return DialError(Trouble.CONNECT_TIMEOUT, f"{where}: no connection within {seconds:g} s")
