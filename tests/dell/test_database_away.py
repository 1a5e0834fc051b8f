"""MariaDB is away: who is known stays known, everybody else hears "later", and nobody "no such user"."""

from __future__ import annotations

import imaplib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.dell.household import DOMAIN, Household, Said, letter
from tests.rig.process import wait_until


@pytest.fixture(scope="module")
def bereft() -> Iterator[Household]:
    """Its database was killed (-9) after mail and a login of "known"; nobody else was ever seen."""
    with Household() as house:
        house.add("known", "absent", "queued", "reader")
        house.deliver(letter(), "known")
        house.messages("known")
        house.host.cells["mariadb"].child.kill()
        yield house


def test_who_was_seen_before_gets_mail_and_reads_it(bereft: Household) -> None:
    said = bereft.deliver(letter(), "known")

    assert [one.code for one in said] == [250]
    assert len(bereft.messages("known")) == 2


def test_nobody_is_called_unknown_when_the_database_comes_back_in_the_middle(bereft: Household) -> None:
    """Dovecot keeps a question until it has a connection again (see ``asked`` in schema.sql)."""
    with ThreadPoolExecutor() as pool:
        asked = [_asking(bereft, pool, name) for name in ("absent", "queued")]
        login = pool.submit(bereft.imap, "reader")
        changed = pool.submit(bereft.imap, "known", "another")
        bereft.host.cells["mariadb"].start()
        said = [one.result()[0] for one in asked]

    assert {one.code for one in said} <= {250, 451}
    assert 451 in {one.code for one in said}, "the trap was not sprung: find a way that springs it"
    assert "holds no address" in bereft.host.cells["dovecot"].said()
    if (trouble := login.exception()) is None:
        login.result().logout()
    assert trouble is None or "UNAVAILABLE" in str(trouble)
    assert isinstance(changed.exception(), imaplib.IMAP4.error)
    assert [one.code for one in bereft.deliver(letter(), "absent", "queued", "nobody")] == [250, 250, 550]


def test_while_it_hangs_strangers_hear_later_within_half_a_minute_and_known_users_wait_for_nothing(
    bereft: Household,
) -> None:
    bereft.add("newcomer")
    mariadb = bereft.host.cells["mariadb"]
    os.kill(mariadb.child.pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor() as pool:
            stranger = pool.submit(bereft.deliver, letter(), "newcomer")
            known = bereft.deliver(letter(), "known")
            waited_for_nothing = not stranger.done()
            said = stranger.result(30)
    finally:
        os.kill(mariadb.child.pid, signal.SIGCONT)

    assert [one.code for one in known] == [250]
    assert waited_for_nothing
    assert [(one.code, one.text[:5]) for one in said] == [(451, "4.3.0")]


def _asking(house: Household, pool: ThreadPoolExecutor, name: str) -> Future[list[Said]]:
    """A delivery that has come as far as its question to the database."""
    dovecot = house.host.cells["dovecot"]
    before = len(dovecot.said())
    future = pool.submit(house.deliver, letter(), name)
    wait_until(
        lambda: "Connect from" in dovecot.said()[before:], seconds=10, what=f"{name}@{DOMAIN} connects"
    )
    # The question itself leaves no trace; it follows the connection within a few milliseconds.
    time.sleep(0.5)
    return future
