"""The door at home with the environment of compose.yaml, before the stack's own scanners and mailboxes."""

from __future__ import annotations

import contextlib
import smtplib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dell.cells import EDGE_ADDRESS
from tests.dell.household import DOMAIN, Household, letter
from tests.dell.letters import mail
from tests.dell.scanning import EICAR, Scanners
from tests.rig.process import ROOT

PORT = 2525

# The checkout and its Python may lie where the cell has a tmpfs, or on another disk than the root.
PROGRAM = {str(path): path for path in (ROOT, Path(sys.base_prefix)) if str(path) != "/usr"}


@pytest.fixture(scope="module")
def door(household: Household, scanners: Scanners) -> Iterator[Household]:
    """Runs as root without capabilities: the tests' Python may lie where no other user may look."""
    assert scanners.rspamd.child.running
    del household.host.compose["services"]["home"]["user"]
    home = household.host.cell(
        "home",
        command=["env", "MXGW_SPOOL_DIR=/tmp", str(ROOT / ".venv/bin/mxgw"), "serve", "home"],
        mounts={"/opt/mxgw/healthcheck.py": ROOT / "docker" / "healthcheck.py", **PROGRAM},
    )
    home.start()
    yield household
    assert home.child.stop() == 0
    assert "Traceback" not in home.said()


def hand_in(house: Household, message: bytes, user: str, *, source: str = EDGE_ADDRESS) -> tuple[int, str]:
    """What the edge would hear: the reply to the content, or to what went wrong before it."""
    with house.host.inside(), smtplib.LMTP("127.0.0.1", PORT, "edge", (source, 0)) as edge:
        edge.ehlo()
        if edge.has_extn("xclient"):
            assert edge.docmd("XCLIENT", "ADDR=192.0.2.1 HELO=mx.example.org")[0] == 220
            edge.ehlo()
        for code, text in (edge.mail("a@example.org"), edge.rcpt(f"{user}@{DOMAIN}")):
            if code != 250:
                return code, text.decode()
        code, text = edge.data(message)
        return code, text.decode()


def test_the_whole_way_from_the_edge_to_the_mailbox(door: Household) -> None:
    door.add("inhabitant")

    greeting = "こんにちは。\r\n"

    code, said = hand_in(door, mail(greeting, charset="iso-2022-jp"), "inhabitant")

    assert (code, door.host.healthy("home")) == (250, True), said
    (stored,) = door.messages("inhabitant", "INBOX") + door.messages("inhabitant", "Junk")
    assert greeting.encode("iso-2022-jp") in stored
    # Dovecot believed the door who the client is.
    assert b"192.0.2.1" in stored.split(b"\r\n\r\n")[0]


def test_a_virus_and_a_stranger_are_refused_in_the_session(door: Household) -> None:
    door.add("careful")

    infected = hand_in(door, mail(more=EICAR + b"\r\n"), "careful")
    unknown = hand_in(door, letter().as_bytes(), "nobody-at-all")

    assert infected[0] // 100 == 5
    assert unknown[0] == 550
    assert door.messages("careful") == []


def test_only_the_tailnet_may_hand_in(door: Household) -> None:
    door.add("guarded")

    code = 0
    with contextlib.suppress(OSError):  # smtplib's own are OSErrors, too
        code, _ = hand_in(door, letter().as_bytes(), "guarded", source="10.129.72.4")

    assert code // 100 != 2
    assert door.messages("guarded") == []
