"""One scanner for all tests here: it takes seconds to start. A mailbox server and a door for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rig.dovecot import Dovecot
from tests.rig.homedoor import HomeDoor
from tests.rig.rspamd import Rspamd
from tests.rig.zone import Zone


@pytest.fixture(scope="session")
def scanner() -> Iterator[Rspamd]:
    """The real one. A test that hurts it takes its own."""
    zone = Zone({"bank.example": {"TXT": ["v=spf1 ip4:203.0.113.5 -all"]}})
    with Rspamd(zone=zone) as rspamd:
        yield rspamd


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Dovecot]:
    """taro, hanako, jiro; and full, whose quota takes nothing."""
    with Dovecot({"taro": None, "hanako": None, "jiro": None, "full": 100}) as home:
        yield home


@pytest.fixture(scope="module")
def door(mailboxes: Dovecot, scanner: Rspamd) -> Iterator[HomeDoor]:
    """A door between the two. It must end with exit code 0, and without a traceback."""
    with HomeDoor(mailboxes.url, rspamd=scanner.url) as home:
        yield home
        assert home.terminate() == 0
        assert home.tracebacks() == []
