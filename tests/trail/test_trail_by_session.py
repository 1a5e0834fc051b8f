"""The lines of one attempt, at the edge and at home, belong together by the edge's id, not by clocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.trail.asking import message
from tests.trail.story import Story

TRANSACTION: dict[str, Any] = {
    "event": "transaction",
    "client": "192.0.2.7",
    "helo": "mx.shop.example",
    "tls": "",
    "reverse_path": "news@shop.example",
    "recipients": [{"forward_path": "taro@example.jp", "home": "550 5.1.1 No such user"}],
    "octets": 0,
    "decision": "reject",
    "reason": "refused-at-home",
    "reply": "550 5.1.1 No such user",
    "message_id": "",
    "fingerprint": "",
    "receive_seconds": 0.1,
    "relay_seconds": 0.1,
}
NOON = 1795521600.0


def logs(directory: Path, *lines: dict[str, Any], name: str = "both") -> str:
    path = directory / f"{name}.log"
    path.write_text("".join(json.dumps(TRANSACTION | line) + "\n" for line in lines))
    return str(path)


def test_doors_that_run_name_their_common_attempt(story: Story) -> None:
    found = message("yumi@example.jp", story.home, story.third)

    [attempt] = found["attempts"]
    [behind] = attempt["home_door"]
    at_home = [json.loads(line) for line in story.lines("home") if f'"{behind["id"]}"' in line]
    assert {line["session"] for line in at_home if line["event"] == "transaction"} == {attempt["id"]}


def test_an_attempt_at_home_stands_behind_the_one_that_it_names_though_clocks_disagree(
    tmp_path: Path,
) -> None:
    both = {"message_id": "<1@shop.example>", "decision": "defer", "reply": "451 4.3.0 Later"}
    path = logs(
        tmp_path,
        {"id": "aa01", "ended_at": NOON, **both},
        {"id": "aa02", "ended_at": NOON + 600, **both},
        # The clock at home is ten minutes ahead: by time, this would be the second attempt.
        {"id": "hh01", "ended_at": NOON + 600, "session": "aa01", "checks": {"rspamd": "no-action"}, **both},
    )

    first, second = message("<1@shop.example>", path)["attempts"]

    assert [one["id"] for one in first["home_door"]] == ["hh01"]
    assert second["home_door"] == []


def test_an_attempt_without_content_is_found_at_home_by_the_id_that_the_sender_was_told(
    tmp_path: Path,
) -> None:
    edge = logs(tmp_path, {"id": "aa01", "ended_at": NOON}, name="edge")
    home = logs(tmp_path, {"id": "hh01", "ended_at": NOON + 9, "session": "aa01"}, name="home")

    for asked in ("aa01", "hh01"):
        [attempt] = message(asked, edge, home)["attempts"]
        assert (attempt["id"], [one["id"] for one in attempt["home_door"]]) == ("aa01", ["hh01"])


def test_where_only_home_s_log_is_at_hand_the_edges_id_finds_the_attempt(tmp_path: Path) -> None:
    path = logs(tmp_path, {"id": "hh01", "ended_at": NOON, "session": "aa01", "checks": {"seal": "valid"}})

    [attempt] = message("aa01", path)["attempts"]

    assert (attempt["id"], attempt["door"]) == ("hh01", "home")


def test_the_mailbox_servers_lines_are_found_by_the_edges_id_too(tmp_path: Path) -> None:
    stored = {"message_id": "<2@shop.example>", "decision": "accept", "reply": "250 2.0.0 Stored"}
    path = logs(
        tmp_path,
        {"id": "hh01", "ended_at": NOON, "session": "aa01", "checks": {"seal": "valid"}, **stored},
    )
    with Path(path).open("a") as log:
        log.write(
            "lmtp(taro@example.jp)<7><aa01:T1>: Info: sieve: msgid=<2@shop.example>: "
            "stored mail into mailbox 'Junk'\n"
        )

    [attempt] = message("<2@shop.example>", path)["attempts"]

    assert [one["mailbox"] for one in attempt["mailboxes"]] == ["Junk"]
