"""The chat function, taken out of the template and run: real HTTP to a stand-in of each chat."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.ecs.template_reading import BASE, read

ALARM = {
    "AlarmName": "mxgw-edge-home-down",
    "AlarmDescription": "No task reaches home / 自宅サーバーに接続できません",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 5 datapoints were less than the threshold (1.0).",
}
TEXT = (
    "\N{LARGE RED CIRCLE} ALARM: mxgw-edge-home-down\n"
    "No task reaches home / 自宅サーバーに接続できません\n"
    "Threshold Crossed: 5 datapoints were less than the threshold (1.0)."
)


class Chat:
    """A chat that keeps what it is told, and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                chat.requests.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(chat.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def chat() -> Iterator[Chat]:
    chat = Chat()
    thread = threading.Thread(target=chat.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield chat
    chat.server.shutdown()
    thread.join()
    chat.server.server_close()


Tell = Callable[[str, dict[str, str], dict[str, str]], None]


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tell]:
    """Run the function for a service, with a secret, on one notification."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    source = read(BASE)["Resources"]["ChatNotifier"]["Properties"]["Code"]["ZipFile"]

    def run(service: str, secret: dict[str, str], sns: dict[str, str]) -> None:
        client = boto3.client("secretsmanager")
        created = client.create_secret(Name=service, SecretString=json.dumps(secret))
        monkeypatch.setenv("CHAT_SERVICE", service)
        monkeypatch.setenv("CHAT_SECRET", created["ARN"])
        module: dict[str, Any] = {"__name__": "index"}
        exec(compile(source, "index.py", "exec"), module)  # noqa: S102 - the template's own text
        module["handler"]({"Records": [{"Sns": sns}]}, None)

    with mock_aws():
        yield run


def alarm(**changes: str) -> dict[str, str]:
    """What SNS brings of an alarm."""
    return {"Subject": "ALARM", "Message": json.dumps(ALARM | changes)}


def test_slack_is_told_the_alarm_in_words(chat: Chat, tell: Tell) -> None:
    tell("slack", {"url": chat.url}, alarm())

    ((path, _, body),) = chat.requests
    assert (path, body) == ("/hook", {"text": TEXT})


def test_discord_is_told_without_waking_everybody(chat: Chat, tell: Tell) -> None:
    tell("discord", {"url": chat.url}, alarm(NewStateReason="@everyone"))

    ((_, headers, body),) = chat.requests
    assert body["allowed_mentions"] == {"parse": []}
    assert body["content"].endswith("@everyone")
    # Discord turns Python's own user agent away.
    assert headers["User-Agent"] == "mxgw"


def test_discord_is_told_no_more_than_it_takes(chat: Chat, tell: Tell) -> None:
    tell("discord", {"url": chat.url}, alarm(NewStateReason="x" * 3000))

    assert len(chat.requests[0][2]["content"]) <= 2000


def test_line_is_told_with_its_token(chat: Chat, tell: Tell) -> None:
    tell("line", {"url": chat.url, "token": "t0ken", "to": "U123"}, alarm())

    ((_, headers, body),) = chat.requests
    assert headers["Authorization"] == "Bearer t0ken"
    assert body == {"to": "U123", "messages": [{"type": "text", "text": TEXT}]}


def test_the_all_clear_is_told_from_the_alarm(chat: Chat, tell: Tell) -> None:
    tell("slack", {"url": chat.url}, alarm(NewStateValue="OK"))

    assert chat.requests[0][2]["text"].startswith("\N{LARGE GREEN CIRCLE} OK: mxgw-edge-home-down\n")


@pytest.mark.parametrize("message", ["plain words", '{"other": "json"}', "[1]", '"text"'])
def test_what_is_no_alarm_is_passed_on_as_it_is(chat: Chat, tell: Tell, message: str) -> None:
    tell("slack", {"url": chat.url}, {"Subject": "Test", "Message": message})

    assert chat.requests[0][2]["text"] == f"Test\n{message}"


def test_a_chat_that_refuses_makes_the_function_fail_so_that_aws_tries_again(chat: Chat, tell: Tell) -> None:
    chat.status = 500

    with pytest.raises(OSError, match="500") as refusal:
        tell("slack", {"url": chat.url}, alarm())

    refusal.value.close()


def test_the_source_fits_into_a_template() -> None:
    source = read(BASE)["Resources"]["ChatNotifier"]["Properties"]["Code"]["ZipFile"]

    # 4,096 characters were the bound of inline code for years.
    assert len(source) <= 4096
