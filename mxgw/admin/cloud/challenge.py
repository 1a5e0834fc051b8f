"""The TXT record of an ACME challenge at Cloudflare: set, waited for, taken away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mxgw.admin.cloud.cloudflare import Cloudflare, Put
from mxgw.admin.refusal import Refused

TTL_SECONDS = 60
"""The least that Cloudflare takes: the record lives for a minute or two."""

VISIBLE_SECONDS = 120.0
"""Cloudflare's servers have a change within seconds."""

PAUSE_SECONDS = 2.0


class DnsChallenge:
    """``seen(name, text)`` tells whether the servers of the zone say so. Raises Refused."""

    def __init__(
        self,
        cloudflare: Cloudflare,
        *,
        seen: Callable[[str, str], bool],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cloudflare = cloudflare
        self._seen = seen
        self._sleep = sleep
        self._clock = clock

    @contextmanager
    def published(self, name: str, text: str) -> Iterator[None]:
        """The record stands there meanwhile; other challenges at the same name stay as they are."""
        zone = self._cloudflare.zone(name.partition(".")[2])
        record = self._cloudflare.create(zone, Put("TXT", name, text, ttl=TTL_SECONDS))
        try:
            end = self._clock() + VISIBLE_SECONDS
            while not self._seen(name, text):
                if self._clock() > end:
                    raise Refused("acme-not-visible", failure=True, name=name, zone=zone.name)
                self._sleep(PAUSE_SECONDS)
            yield
        finally:
            # What is left over does no harm, and must not hide what happened.
            with suppress(Refused):
                self._cloudflare.delete(zone, record)
