"""The services outside, on loopback, and one household for the tests of a whole domain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admin.admin_house import AdminHouse
from tests.aws.cloud import Cloud, empty_cloud
from tests.cloud.fake_api import FakeCloudflare, FakeSendGrid


@pytest.fixture(scope="session")
def house() -> Iterator[AdminHouse]:
    """MariaDB and Dovecot of the stack, with the domain example.jp; "reader" has a mailbox."""
    with AdminHouse() as running:
        running.user("reader")
        yield running


@pytest.fixture(scope="session")
def aws(house: AdminHouse) -> Iterator[Cloud]:
    """An account that the house reaches; ask it within ``house.host.inside()``."""
    with house.host.inside(), empty_cloud() as account:
        yield account


@pytest.fixture
def cloudflare(house: AdminHouse) -> Iterator[FakeCloudflare]:
    with house.host.inside():
        running = FakeCloudflare("example.jp", "shop.example")
    with running:
        yield running


@pytest.fixture
def sendgrid(house: AdminHouse) -> Iterator[FakeSendGrid]:
    with house.host.inside():
        running = FakeSendGrid()
    with running:
        yield running
