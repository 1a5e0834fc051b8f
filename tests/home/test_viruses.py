"""Viruses at home: the real clamd behind the real Rspamd, and clamd dead."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Iterator

import pytest

from tests.home.sessions import account, bring, letter, stored
from tests.rig.clamav import EICAR, Clamd
from tests.rig.dovecot import Dovecot
from tests.rig.homedoor import HomeDoor
from tests.rig.process import wait_until
from tests.rig.rspamd import Rspamd

INFECTED = "550 5.7.1 A virus was found in this message; it is not accepted #M61"
NOT_SCANNED = "451 4.7.1 The content cannot be checked just now; please try again later #M63"
ATTACHMENT = (
    "MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=invoice.com\r\n"
    "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=invoice.com\r\n"
)


def infected(subject: str) -> bytes:
    """A letter with the test virus attached."""
    body = encodebytes(f"{EICAR} {subject}".encode()).decode().replace("\n", "\r\n")
    return letter(subject, more=ATTACHMENT, body=body)


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    with Clamd() as scanner:
        yield scanner


@pytest.fixture
def rspamd(clamd: Clamd) -> Iterator[Rspamd]:
    with Rspamd(clamd.antivirus_conf) as scanner:
        yield scanner


def test_a_virus_is_refused_in_session_and_without_clamd_nothing_goes_through(
    clamd: Clamd, rspamd: Rspamd, mailboxes: Dovecot
) -> None:
    with HomeDoor(mailboxes.url, rspamd=rspamd.url) as door:
        assert bring(door.lmtp, letter("healthy"))[0].startswith("250")
        assert bring(door.lmtp, infected("one"), "taro@example.jp", "jiro@example.jp") == [INFECTED] * 2

        clamd.kill()
        for octets in (infected("two"), letter("harmless")):
            assert bring(door.lmtp, octets)[0] == NOT_SCANNED
            assert account(door, octets)["checks"]["rspamd"] == "no-virus-scan"

        clamd.start()
        octets = infected("two")
        wait_until(lambda: bring(door.lmtp, octets)[0] == INFECTED, seconds=60, what="clamd is asked again")
        assert bring(door.lmtp, letter("harmless again"))[0].startswith("250")
    assert len(stored(mailboxes, "healthy")) == len(stored(mailboxes, "harmless again")) == 1
    assert [stored(mailboxes, subject) for subject in ("one", "two", "harmless")] == [[], [], []]


def test_mail_goes_on_without_clamd_where_the_administrator_wants_it(
    clamd: Clamd, rspamd: Rspamd, mailboxes: Dovecot
) -> None:
    clamd.kill()
    with HomeDoor(mailboxes.url, rspamd=rspamd.url, unscanned="accept") as door:
        octets = letter("unscanned")

        assert bring(door.lmtp, octets)[0].startswith("250")

        assert account(door, octets)["checks"] == {
            "seal": "none",
            "rspamd": "no-virus-scan",
            "handling": "deliver",
        }
    assert len(stored(mailboxes, "unscanned")) == 1
