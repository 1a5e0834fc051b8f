"""An AWS account and a home for the tests of a file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.aws.cloud import Cloud, empty_cloud
from tests.rig.homeserver import HomeServer


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """An account at moto's server, on loopback."""
    with empty_cloud() as account:
        yield account


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    """The address of a home that takes everything."""
    loop = asyncio.new_event_loop()
    turning = threading.Thread(target=loop.run_forever)
    turning.start()
    server = HomeServer()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
    yield f"lmtp://127.0.0.1:{server.port}"
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    turning.join()
    loop.close()
