"""Where the administration of Dovecot answers otherwise than it should. The real one is in the house."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mxgw.admin.access import DoveadmAccess
from mxgw.admin.mailstore import MailStore
from mxgw.admin.refusal import Refused

KEY = "key"


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers as it is told, and remembers what was asked."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(asked))  # type: ignore[attr-defined]
        answer: bytes = self.server.answer  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as running:
        running.asked, running.answer, running.status = [], b"[]", 200  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def store(server: Any) -> MailStore:
    return MailStore(DoveadmAccess("127.0.0.1", server.server_port, KEY))


def refusal(act: Any, *arguments: object) -> str:
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return refused.value.key


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"null",
        b"[1]",
        b"[[1,2]]",
        b'[["doveadmResponse",[],"1"]]',
        b'[["error",{"type":"exitCode","exitCode":75},"0"]]',
        b'[["error",{"type":"unknownMethod","exitCode":0},"0"]]',
        b'[["error",null,"0"]]',
        b'[["what",[],"0"]]',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_an_answer_that_means_nothing_is_a_failure(server: Any, store: MailStore, answer: bytes) -> None:
    server.answer = answer

    assert refusal(store.forget, ["taro@example.jp"]) == "doveadm-failed"
    assert refusal(store.disconnect, "taro@example.jp") == "doveadm-failed"
    assert refusal(store.home, "taro@example.jp") == "doveadm-failed"


@pytest.mark.parametrize(
    ("status", "key"),
    [(401, "doveadm-says-no"), (403, "doveadm-says-no"), (404, "doveadm-failed"), (500, "doveadm-failed")],
)
def test_a_door_that_does_not_open_is_named(server: Any, store: MailStore, status: int, key: str) -> None:
    server.status = status

    assert refusal(store.forget, ["taro@example.jp"]) == key


@pytest.mark.parametrize(
    "home", ["/", "/srv/mail", "/srv/mail/example.jp", "/srv/mail/hanako", "taro", "/srv/mail/../taro", ""]
)
def test_a_directory_that_may_be_others_too_is_never_deleted(
    server: Any, store: MailStore, home: str
) -> None:
    server.answer = json.dumps([["doveadmResponse", {"taro@example.jp": {"home": home}}, "0"]]).encode()

    assert refusal(store.home, "taro@example.jp") == "home-is-not-the-users"


@pytest.mark.parametrize("home", ["/srv/mail/example.jp/taro", "/srv/mail/taro@example.jp"])
def test_a_directory_that_bears_the_users_name_is_the_users(server: Any, store: MailStore, home: str) -> None:
    server.answer = json.dumps([["doveadmResponse", {"taro@example.jp": {"home": home}}, "0"]]).encode()

    assert store.home("taro@example.jp") == home


def test_a_mailbox_that_cannot_be_counted_is_left_out(server: Any, store: MailStore) -> None:
    rows = [{"type": "STORAGE", "value": "3"}, {"type": "MESSAGE", "value": "2"}]
    server.answer = json.dumps(
        [["doveadmResponse", rows, "0"], ["error", {"type": "exitCode", "exitCode": 75}, "1"]]
    ).encode()

    usage = store.usage(["taro@example.jp", "hanako@example.jp"])

    assert list(usage) == ["taro@example.jp"]
    assert (usage["taro@example.jp"].octets, usage["taro@example.jp"].messages) == (3072, 2)


def test_a_catch_all_makes_it_forget_everybody(server: Any, store: MailStore) -> None:
    server.answer = b'[["doveadmResponse",[{"entries":"2"}],"0"]]'

    store.forget(["taro@example.jp"])
    store.forget(["taro@example.jp", "@example.jp"])

    assert [asked[0][1]["user"] for asked in server.asked] == [["taro@example.jp"], []]


def test_nobody_is_asked_about_nobody(server: Any, store: MailStore) -> None:
    assert store.usage([]) == {}
    assert server.asked == []
