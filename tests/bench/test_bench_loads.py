"""What the senders are told, and how their answers are read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from bench.loads import MxgwLoad, SourceLoad

ADDRESS = "127.0.0.1:PORT"


def ended(*, out: bytes = b"", errors: bytes = b"", code: int = 0) -> subprocess.CompletedProcess[bytes]:
    return subprocess.CompletedProcess([], code, out, errors)


def answer(**counts: int) -> bytes:
    return json.dumps(
        {
            "seconds": 2.5,
            "messages": {"begun": 10, "acknowledged": 10, "refused": 0, "deferred": 0} | counts,
            "texts": {"content 451": "4.3.0 Later"},
            "latency_ms": {"count": 10, "deviation": 1.0, "p50": 3.0, "p99": 9.0},
            "harness": {"cpu_seconds": 0.5},
        }
    ).encode()


def test_smtp_source_keeps_connections_on_wish() -> None:
    kept, new = (SourceLoad(20, 10_240, keep, 100).argv(ADDRESS) for keep in (True, False))

    assert [word for word in kept if word not in new] == ["-d"]
    assert " ".join(new).startswith("smtp-source -s 20 -l 10240 -m 100 ")


def test_signed_mail_comes_from_many_clients() -> None:
    argv = MxgwLoad(5, 10_240, False, 10, signing_key=Path("key.pem"), proxied=True).argv(ADDRESS)

    words = " ".join(argv)
    assert "--proxy 198.51.100.0/24" in words
    assert "--dkim sender.example --dkim-key key.pem" in words


def test_a_warm_up_has_no_rate_of_its_own() -> None:
    load = MxgwLoad(5, 10_240, False, 100, rate=40)

    assert "--rate" in load.argv(ADDRESS)
    assert "--rate" not in load.with_messages(10, octets=10_240).argv(ADDRESS)


def test_the_figures_of_mxgw_load_are_taken_over() -> None:
    found = MxgwLoad(5, 10_240, False, 10).read(ended(out=answer()), 3.0)

    assert (found.seconds, found.complaint, found.accepted, found.cpu_seconds) == (2.5, "", 10, 0.5)
    assert found.latency_ms == {"p50": 3.0, "p99": 9.0}


def test_a_message_that_was_not_acknowledged_is_complained_about() -> None:
    found = MxgwLoad(5, 10_240, False, 10).read(ended(out=answer(acknowledged=9, deferred=1), code=1), 3.0)

    assert found.complaint == "1 deferred; content 451: 4.3.0 Later"
    assert found.accepted == 9


def test_a_sender_that_says_nothing_is_complained_about() -> None:
    found = MxgwLoad(5, 10_240, False, 10).read(ended(errors=b"Traceback\nOops\n", code=1), 3.0)

    assert found.complaint == "Oops"


def test_the_last_words_of_smtp_source_are_kept() -> None:
    failed = ended(errors=b"smtp-source: fatal: no\n", code=1)

    assert SourceLoad(1, 1, False, 1).read(failed, 1.0).complaint == "smtp-source: fatal: no"
