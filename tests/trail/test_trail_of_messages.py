"""What became of a message is told from the logs that the running doors wrote."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.trail.asking import message, messages, trace
from tests.trail.story import SENDER, TARO, Story


def test_a_message_that_was_put_off_twice_over_two_edges_was_stored_once(story: Story) -> None:
    found = message("<late@shop.example>", story.one, story.two)

    assert [one["decision"] for one in found["attempts"]] == ["defer", "defer", "accept"]
    assert [Path(one["log"]).name for one in found["attempts"]] == ["one.log", "two.log", "one.log"]
    assert [one["reply"] for one in found["attempts"]] == story.told["late"]
    assert found["attempts"][0]["recipients"] == [
        {"forward_path": "later@example.jp", "home": "451 4.3.0 Not now"}
    ]
    assert found["attempts"][0]["checks"]["spf"] == "pass"
    assert found["fate"] == "stored-after-retry"
    assert found["recipients"][0]["put_off"] == 2
    assert found["recipients"][0]["times_stored"] == 1
    assert found["conclusion"].startswith("Put off 2 times since ")
    assert "was stored once at" in found["conclusion"]
    assert found["advice"] == []


def test_before_it_comes_again_a_message_is_put_off_and_senders_give_up_after_days(story: Story) -> None:
    found = message("late@shop.example", story.two)

    assert found["fate"] == "put-off"
    assert found["causes"] == ["home-says-later"]
    assert found["conclusion"].startswith("Put off at 20")
    assert "senders usually give up after 4 to 5 days" in found["conclusion"]
    assert "comes again by itself" in found["advice"][0]


def test_recipients_of_one_message_have_their_own_fates(story: Story) -> None:
    found = message("<mixed@shop.example>", story.one)

    assert {one["address"]: one["state"] for one in found["recipients"]} == {
        TARO: "stored",
        "never@example.jp": "refused",
    }
    assert found["fate"] == "mixed"
    assert f"stored for {TARO}" in found["conclusion"]
    assert "refused for good for never@example.jp (552 5.2.2 Mailbox full)" in found["conclusion"]
    assert "the sender was asked to come again" in found["conclusion"]
    assert found["causes"] == ["mailbox-full"]
    assert found["attempts"][0]["reply"].startswith("451")


def test_what_was_stored_for_some_came_again_for_all_and_is_there_once(story: Story) -> None:
    found = message("<partly@shop.example>", story.one, story.two)

    assert {one["address"]: (one["times_stored"], one["put_off"]) for one in found["recipients"]} == {
        TARO: (2, 0),
        "full@example.jp": (1, 1),
    }
    assert found["fate"] == "stored-after-retry"


def test_a_message_that_came_again_after_it_was_stored_is_known_by_its_fingerprint(story: Story) -> None:
    found = message("ken@example.jp", story.one, story.two)

    assert found["fate"] == "stored-once"
    assert len(found["fingerprints"]) == 1
    assert "keeps one copy" in found["conclusion"]


def test_a_refusal_says_why_and_what_to_do(story: Story) -> None:
    found = message("nobody@example.jp", story.one, "--number", "1")

    assert found["fate"] == "refused"
    assert found["recipients"][0]["said"].startswith("550 5.1.1")
    assert found["conclusion"].startswith("Refused for good at ")
    assert "550 5.1.1 No such mailbox here" in found["conclusion"]
    assert found["causes"] == ["no-mailbox"]
    assert "mxgw admin user add" in found["advice"][0]


def test_a_domain_that_is_not_ours_is_named_as_the_reason(story: Story) -> None:
    assert message("someone@elsewhere.example", story.one)["causes"] == ["not-our-domain"]


def test_a_message_that_failed_dmarc_is_in_the_junk_folder_or_refused(story: Story) -> None:
    junk = message("<junk@shop.example>", story.one)
    forged = message("<forged@shop.example>", story.one)

    assert (junk["fate"], junk["junk"]) == ("stored", True)
    assert "in the Junk folder" in junk["conclusion"]
    assert "dmarc=fail" in junk["conclusion"]
    assert junk["attempts"][0]["client"] == "198.51.100.9"
    assert (forged["fate"], forged["causes"]) == ("refused", ["dmarc"])
    assert story.told["forged"][0].startswith("550 5.7.26")


def test_an_attempt_without_content_is_taken_for_the_message_that_followed(story: Story) -> None:
    found = message("<left@shop.example>", story.one)

    assert [(one["decision"], one["guessed"]) for one in found["attempts"]] == [
        ("aborted", True),
        ("accept", False),
    ]
    assert found["fate"] == "stored-after-retry"


def test_while_home_is_away_the_message_is_put_off(story: Story) -> None:
    found = message("aki@example.jp", story.two)

    assert (found["fate"], found["causes"]) == ("put-off", ["home-away"])


def test_the_log_of_the_home_door_is_shown_within_the_attempt_at_the_edge(story: Story) -> None:
    both = message("yumi@example.jp", story.home, story.third)
    alone = message("yumi@example.jp", story.home)

    [attempt] = both["attempts"]
    [behind] = attempt["home_door"]
    assert (attempt["door"], behind["door"]) == ("edge", "home")
    assert behind["checks"] == {"seal": "valid", "rspamd": "no-action", "handling": "deliver"}
    assert attempt["fingerprint"] == behind["fingerprint"]
    assert both["fate"] == alone["fate"] == "stored"


def test_any_attempt_leads_to_all_of_its_message(story: Story) -> None:
    whole = message("<late@shop.example>", story.one, story.two)

    for attempt in whole["attempts"]:
        assert message(attempt["id"], story.one, story.two)["attempts"] == whole["attempts"]
    assert (
        message(whole["fingerprints"][0][:12].upper(), story.two, story.one)["attempts"] == whole["attempts"]
    )
    assert message("LATER@Example.JP", story.one, story.two)["attempts"] == whole["attempts"]


def test_logs_may_be_packed_read_from_a_pipe_or_given_twice(story: Story, tmp_path: Path) -> None:
    whole = message("<late@shop.example>", story.one, story.two)
    packed = tmp_path / "packed.gz"
    packed.write_bytes(
        gzip.compress(Path(story.one).read_bytes()) + gzip.compress(Path(story.two).read_bytes())
    )

    for arguments, stdin in (
        ([str(packed)], ""),
        ([str(tmp_path), str(packed)], ""),
        (["-"], Path(story.one).read_text() + Path(story.two).read_text()),
        ([], Path(story.one).read_text() + Path(story.two).read_text()),
    ):
        found = message("<late@shop.example>", *arguments, stdin=stdin)
        assert [one["id"] for one in found["attempts"]] == [one["id"] for one in whole["attempts"]]


def test_several_messages_are_numbered_and_one_may_be_chosen(story: Story) -> None:
    found = messages(SENDER, story.one)

    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    assert len(found) > 5
    second = message(SENDER, story.one, "--number", "2")
    assert second == found[1]
    beyond = trace(SENDER, story.one, "--number", "99")
    assert (beyond.code, beyond.out) == (2, "")
    assert f"there are {len(found)} messages" in beyond.err


def test_the_time_bounds_what_is_found(story: Story) -> None:
    assert messages(TARO, story.one, "--since", "1h")
    gone = trace(TARO, story.one, "--until", "2026-01-01")

    assert gone.code == 1
    assert json.loads(gone.out)["messages"] == []
    assert "Try: a longer time" in gone.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("", "edge.log"), "expected an address"),
        (("x@y", "no-such.log"), "no-such.log: there is no such file"),
        (("x@y", "-", "--since", "yesterday"), "--since yesterday: expected a span"),
        (("x@y", "-", "--since", "20261124"), "--since 20261124: expected a span"),
        (("x@y", "-", "--since", "2026-02-30"), "--since 2026-02-30: expected a span"),
        (("x@y", "-", "--since", "1h", "--until", "2h"), "--since must be before --until"),
        (("x@y", "-", "--lang", "fr"), "--lang"),
        (("x@y", "-", "--number", "0"), "--number"),
        ((), "WHAT"),
    ],
)
def test_a_mistake_is_one_clear_sentence(arguments: tuple[str, ...], words: str) -> None:
    ended = trace(*arguments)

    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_a_log_that_breaks_off_is_told_once_and_what_was_read_counts(story: Story, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gz"
    octets = Path(story.two).read_bytes() * 50
    broken.write_bytes(gzip.compress(octets)[:-2000])

    ended = trace("<twice@shop.example>", story.one, str(broken))

    assert ended.code == 1
    assert json.loads(ended.out)["messages"][0]["fate"].startswith("stored")
    assert ended.err.count("broken.gz") == 1


def test_lines_that_cannot_be_used_are_counted(story: Story) -> None:
    lines = '{"event":"transaction","decision":"maybe","id":"<late@shop.example>"}\n' + "\n".join(
        story.lines("one")
    )

    ended = trace("late@shop.example", "-", stdin=lines)

    assert ended.code == 0
    assert "1 cannot be used; the first: stdin, line 1: decision is 'maybe'" in ended.err


def test_the_conclusion_is_in_the_language_that_is_asked_for(story: Story) -> None:
    by_option = message("<late@shop.example>", story.one, story.two, "--lang", "ja")
    by_locale = message("<late@shop.example>", story.one, story.two, LC_ALL="ja_JP.UTF-8")

    assert "2 回延期されたあと再送され" in by_option["conclusion"]
    assert by_option == by_locale
