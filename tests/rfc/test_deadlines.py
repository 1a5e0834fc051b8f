"""How long the door waits: RFC 5321 section 4.5.3.2."""

from __future__ import annotations

from mxgw.listener.settings import Deadline


def test_the_next_command_may_take_five_minutes() -> None:
    # Section 4.5.3.2.7.
    assert Deadline.COMMAND.value >= 5 * 60


def test_a_block_of_content_may_take_three_minutes() -> None:
    # Section 4.5.3.2.5 gives the client so long for each.
    assert Deadline.CONTENT_BLOCK.value >= 3 * 60
