"""The same lines out of CloudWatch Logs, at moto's server; and each thing that AWS may refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from botocore import exceptions

from mxgw.loglines import LogCounts
from mxgw.trail.cloudwatch import MAX_PATTERN, CloudWatch, patterns
from mxgw.trail.moments import ALWAYS
from mxgw.trail.words import CATALOGUE
from tests.aws.cloud import KEYS, Cloud, RefusingCloud, empty_cloud, environment
from tests.rig.process import free_port
from tests.trail.asking import message, trace
from tests.trail.story import Story

GROUP = "/mxgw/mail/gateway"
BATCH = 10_000


@pytest.fixture(scope="module")
def cloud(story: Story) -> Iterator[Cloud]:
    """An account whose group holds the logs of both edges, a stream for each, beside much else."""
    with empty_cloud() as account:
        logs = account.client("logs")
        logs.create_log_group(logGroupName=GROUP)
        for name in ("one", "two"):
            stream = f"mxgw/gateway/{name}"
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
            lines = sorted(
                (int(datetime.fromisoformat(event["time"]).timestamp() * 1000), json.dumps(event))
                for event in story.events[name]
            )
            noise = json.dumps({"event": "log", "message": "about late@shop.example"})
            for batch in ([(lines[0][0], noise)] * BATCH, lines):
                logs.put_log_events(
                    logGroupName=GROUP,
                    logStreamName=stream,
                    logEvents=[{"timestamp": at, "message": text} for at, text in batch],
                )
        yield account


def test_a_message_is_followed_over_pages_and_streams(cloud: Cloud, story: Story) -> None:
    found = message("<late@shop.example>", "--log-group", GROUP, **cloud.environment())

    from_files = message("<late@shop.example>", story.one, story.two)
    assert [one["log"] for one in found["attempts"]] == [
        "mxgw/gateway/one",
        "mxgw/gateway/two",
        "mxgw/gateway/one",
    ]
    assert found["fate"] == from_files["fate"] == "stored-after-retry"
    for left, right in zip(found["attempts"], from_files["attempts"], strict=True):
        assert {**left, "log": ""} == {**right, "log": ""}


def test_an_address_is_found_in_whatever_capitals_it_is_typed(cloud: Cloud) -> None:
    found = message("Later@EXAMPLE.jp", "--log-group", GROUP, "--since", "1h", **cloud.environment())

    assert len(found["attempts"]) == 3


def test_a_group_may_stand_beside_files(cloud: Cloud, story: Story) -> None:
    found = message("yumi@example.jp", "--log-group", GROUP, story.third, story.home, **cloud.environment())

    assert len(found["attempts"][0]["home_door"]) == 1


def test_nothing_in_the_time_is_told_with_what_to_try(cloud: Cloud) -> None:
    ended = trace("late@shop.example", "--log-group", GROUP, "--until", "12h", **cloud.environment())

    assert ended.code == 1
    assert f"nothing about late@shop.example in {GROUP} since " in ended.err


def test_a_group_that_is_not_there_is_named(cloud: Cloud) -> None:
    ended = trace("a@b.example", "--log-group", "/mxgw/nowhere", **cloud.environment())

    assert (ended.code, ended.out) == (1, "")
    assert "there is no log group /mxgw/nowhere in ap-northeast-1" in ended.err
    assert "aws logs describe-log-groups" in ended.err


def test_without_credentials_or_region_the_next_step_is_told() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    cleared = dict.fromkeys(KEYS, "")

    keyless = trace("a@b.example", "--log-group", "g", **{**cleared, **environment(nowhere, keys={})})
    placeless = trace(
        "a@b.example",
        "--log-group",
        "g",
        AWS_REGION="",
        AWS_DEFAULT_REGION="",
        **environment(nowhere, region=""),
    )
    silent = trace("a@b.example", "--log-group", "g", **environment(nowhere))

    assert (keyless.code, placeless.code, silent.code) == (1, 1, 1)
    assert "aws sso login" in keyless.err
    assert "set AWS_REGION" in placeless.err
    assert "does not answer" in silent.err


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "allow logs:FilterLogEvents"),
        ("UnrecognizedClientException", "renew them"),
        ("InvalidParameterException", "cannot be the name of a log group"),
        ("Unheard", "cannot be read: Unheard: because"),
    ],
)
def test_a_refusal_of_aws_is_one_sentence_that_says_what_to_do(code: str, words: str) -> None:
    with RefusingCloud(code, "because") as cloud:
        ended = trace("a@b.example", "--log-group", GROUP, **environment(cloud.endpoint))

    assert (ended.code, ended.out) == (1, "")
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ClientError(
            {"Error": {"Code": "ThrottlingException", "Message": "Rate"}}, "FilterLogEvents"
        ),
        exceptions.ClientError({}, "FilterLogEvents"),
        exceptions.NoCredentialsError(),
        exceptions.ReadTimeoutError(endpoint_url="x"),
        exceptions.PartialCredentialsError(provider="x", cred_var="y"),
        OSError("gone"),
    ],
)
def test_every_failure_has_words(error: Exception) -> None:
    refused = CloudWatch(GROUP, ALWAYS)._refused(error)

    assert CATALOGUE[refused.key].en.format(**refused.facts)
    assert CATALOGUE[refused.key].ja.format(**refused.facts)


def test_patterns_are_within_what_aws_takes_and_hold_every_text() -> None:
    texts = [f"{number:064x}" for number in range(50)]

    found = patterns(texts)

    assert max(map(len, found)) <= MAX_PATTERN
    assert [text for one in found for text in one.replace("?", "").replace('"', "").split()] == texts
    assert patterns([]) == ['"transaction"']
    assert patterns(["a@b.example"]) == ['"a@b.example"']


def test_pages_that_never_end_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = CloudWatch(GROUP, ALWAYS)
    asked: list[str | None] = []

    def page(_pattern: str, token: str | None) -> dict[str, object]:
        asked.append(token)
        return {"events": [], "nextToken": str(len(asked))}

    monkeypatch.setattr(cloud, "_page", page)

    assert list(cloud.events((), LogCounts())) == []
    assert len(asked) == 1000
    assert cloud.cut
