"""Every transcript below tests/dialogues, played on a real socket against a real gateway process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.support import Demo
from tests.rfc.dialogue import Dialogue, Send, every_dialogue, parse, settings, unescape
from tests.rfc.edge import Edge
from tests.rfc.player import play
from tests.rfc.wire import StrictWire

AT_THE_LMTP_DOOR = [dialogue for dialogue in every_dialogue() if dialogue.group == "lmtp"]
AT_THE_SMTP_DOOR = [dialogue for dialogue in every_dialogue() if dialogue.group != "lmtp"]


def name(dialogue: Dialogue) -> str:
    return f"{dialogue.group}/{dialogue.name}"


@pytest.mark.parametrize("dialogue", AT_THE_SMTP_DOOR, ids=name)
def test_dialogue(dialogue: Dialogue, edges: Callable[[Mapping[str, str]], Edge]) -> None:
    """The program talks as the transcript says."""
    edge = edges(settings(dialogue.group))

    play(dialogue, edge.connect, edge.home)


@pytest.fixture(scope="module")
def lmtp_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The LMTP door of the embedded mailbox: the same door as at the edge, speaking the other protocol."""
    mail_dir: Path = tmp_path_factory.mktemp("mail")
    with Demo(mail_dir) as demo:
        host, _, port = demo.doors["lmtp"].rpartition(":")
        yield host, int(port)


@pytest.mark.parametrize("dialogue", AT_THE_LMTP_DOOR, ids=name)
def test_dialogue_at_the_lmtp_door(dialogue: Dialogue, lmtp_door: tuple[str, int]) -> None:
    """The same for LMTP: RFC 2033."""
    play(dialogue, lambda: StrictWire(lmtp_door))


def test_lines_of_the_client_leave_in_one_write_until_the_server_speaks() -> None:
    text = "# for the reader\nC: NOOP\nR: A\\x00\\{a\\n*2}\\r\\n\nS: 250\n\nC: QUIT\n-- send\nC: x\n"

    dialogue = parse(text, group="g", name="n")

    assert [step.octets for step in dialogue.steps if isinstance(step, Send)] == [
        b"NOOP\r\nA\x00a\na\n\r\n",
        b"QUIT\r\n",
        b"x\r\n",
    ]
    assert unescape("\\\\r") == b"\\r"
