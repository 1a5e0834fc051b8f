"""Mail that users send is followed through the log of a real Postfix with the stack's own configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.trail.asking import trace
from tests.trail.sent_story import BURST, HOSTILE, limited_house, tell


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Of Postfix and of Dovecot."""
    with limited_house(tmp_path_factory.mktemp("house")) as house:
        return tell(house, tmp_path_factory.mktemp("sent"))


def sent(query: str, logs: tuple[str, str], *arguments: str) -> list[dict[str, Any]]:
    ended = trace(query, *logs, *arguments)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["messages"] == []
    messages: list[dict[str, Any]] = found["sent"]
    return messages


def one(query: str, logs: tuple[str, str], *arguments: str) -> dict[str, Any]:
    [found] = sent(query, logs, *arguments)
    return found


def recipient(message: dict[str, Any], address: str) -> dict[str, Any]:
    [found] = [known for known in message["recipients"] if known["address"] == address]
    assert isinstance(found, dict)
    return found


def test_what_the_relay_took_is_not_said_to_have_arrived(logs: tuple[str, str]) -> None:
    found = one("friend@example.net", logs)

    assert (found["fate"], found["login"], found["door"]) == ("handed-over", "taro@example.jp", "submissions")
    assert found["message_ids"] == ["<friend@example.jp>"]
    assert found["client"] == "unknown[127.0.0.1]"
    assert "is not in our log" in found["conclusion"]
    assert "250 Ok: queued as made-up-name" in found["conclusion"]
    assert "Suppressions" in found["advice"][0]


def test_a_recipient_that_looks_like_postfixs_words_is_none_of_them(logs: tuple[str, str]) -> None:
    found = one(HOSTILE, logs)

    assert recipient(found, HOSTILE)["state"] == "handed-over"


@pytest.mark.parametrize("query", ["<friend@example.jp>", "FRIEND@example.JP", "FRIEND@EXAMPLE.NET"])
def test_it_is_found_by_its_message_id_or_an_address_in_any_capitals(
    query: str, logs: tuple[str, str]
) -> None:
    assert one(query, logs)["message_ids"] == ["<friend@example.jp>"]


def test_it_is_found_by_its_queue_id(logs: tuple[str, str]) -> None:
    found = one("friend@example.net", logs)

    for query in (found["queue_id"], found["queue_id"].lower()):
        assert one(query, logs)["message_ids"] == ["<friend@example.jp>"]


def test_mail_from_one_user_to_another_is_followed_into_the_mailbox(logs: tuple[str, str]) -> None:
    found = one("<neighbour@example.jp>", logs)

    assert found["fate"] == "delivered"
    assert [(filed["user"], filed["mailbox"]) for filed in found["mailboxes"]] == [
        ("hanako@example.jp", "INBOX")
    ]
    assert " into INBOX" in found["conclusion"]
    assert found["advice"] == []


def test_what_the_relay_refused_is_shown_with_its_words_and_the_report(logs: tuple[str, str]) -> None:
    found = one("gone@example.net", logs)

    assert (found["fate"], found["causes"]) == ("bounced", ["relay-no"])
    assert "550 5.1.1 no ?[31msuch user, status=sent (250 ok)" in found["conclusion"]
    assert "taro@example.jp has a report of it in the mailbox" in found["conclusion"]
    [report] = found["reports"]
    assert (report["kind"], report["delivered"]) == ("non-delivery", True)


def test_a_report_is_shown_with_its_message_and_not_beside_it(logs: tuple[str, str]) -> None:
    found = sent("taro@example.jp", logs)

    [gone] = [message for message in found if message["message_ids"] == ["<gone@example.jp>"]]
    assert gone["reports"][0]["queue_id"] not in {message["queue_id"] for message in found}


@pytest.mark.parametrize(
    ("query", "fate", "cause", "words"),
    [
        ("boss@example.jp", "refused", "not-own-address", "not owned by user taro@example.jp"),
        ("<forged@example.jp>", "refused", "not-own-from", "From must be your own address"),
        ("nobody@example.jp", "refused", "no-mailbox", "User unknown in virtual mailbox table"),
        ("postmaster@example.jp", "login-failed", "wrong-password", "wrong password"),
        ("guest1-0@example.net", "put-off", "rate", 'Ratelimit "outbound" exceeded'),
        ("later@example.net", "handed-over", "handed-over", "in vain"),
        ("never@example.net", "waiting", "relay-later", "451 4.7.1 later"),
        ("thrown@example.net", "deleted", "deleted", "Thrown away at"),
    ],
)
def test_each_end_is_told_with_its_reason_and_what_to_do(
    query: str, fate: str, cause: str, words: str, logs: tuple[str, str]
) -> None:
    found = one(query, logs)

    assert (found["fate"], found["causes"]) == (fate, [cause])
    assert words in found["conclusion"]
    assert all(found["advice"])


def test_whoever_sent_under_a_strange_address_is_known(logs: tuple[str, str]) -> None:
    found = [message for message in sent("taro@example.jp", logs) if message["sender"] == "boss@example.jp"]

    assert [message["login"] for message in found] == ["taro@example.jp"]


def test_within_the_limit_mail_goes_out(logs: tuple[str, str]) -> None:
    found = one(f"guest{BURST}-0@example.net", logs)

    assert (found["fate"], len(found["recipients"])) == ("handed-over", BURST)
    assert f"for all {BURST} recipients" in found["conclusion"]


def test_a_message_that_waited_has_all_its_attempts(logs: tuple[str, str]) -> None:
    attempts = recipient(one("later@example.net", logs), "later@example.net")["attempts"]

    statuses = [attempt["status"] for attempt in attempts]
    assert statuses[-1] == "sent"
    assert set(statuses[:-1]) == {"deferred"}


def test_japanese_says_the_same(logs: tuple[str, str]) -> None:
    found = one("friend@example.net", logs, "--lang", "ja")

    assert "受け取られました" in found["conclusion"]
    assert "迷惑メールフォルダー" in found["advice"][0]


def test_a_time_before_it_finds_nothing(logs: tuple[str, str]) -> None:
    ended = trace("friend@example.net", *logs, "--until", "2026-01-01")

    assert ended.code == 1
    assert json.loads(ended.out)["sent"] == []
