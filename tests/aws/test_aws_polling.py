"""Looking again: beside the loop, with the last good value in use, and one word about each change."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from mxgw.aws import Poll, domain_poll
from mxgw.aws.watching import MAX_NAMED, changes
from mxgw.config import Parameter, Reference
from mxgw.config.domains import DomainList, DomainSource

PARAMETER = Parameter("/mxgw/domains")


@dataclass
class Kept:
    """A value at AWS, set by hand; or why it cannot be read."""

    text: str = ""
    refusal: str = ""
    told: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def fetch(self) -> Callable[[Reference], str]:
        def read(reference: Reference) -> str:
            assert reference == PARAMETER
            if self.refusal:
                raise ValueError(self.refusal)
            return self.text

        return read

    def poll(self, domains: DomainSource) -> Poll[tuple[str, ...]]:
        return domain_poll(
            PARAMETER,
            ("example.jp",),
            domains,
            fetch=self.fetch,
            tell=self.told.append,
            complain=self.complaints.append,
        )


def source() -> DomainSource:
    return DomainSource(DomainList(("example.jp",), parameter=PARAMETER), report=pytest.fail)


async def test_a_changed_parameter_is_used_and_told_once() -> None:
    kept, domains = Kept("example.jp"), source()
    poll = kept.poll(domains)

    assert await poll.look()
    assert kept.told == []

    kept.text = "example.com, 例え.jp  # new\n"
    assert await poll.look()
    assert await poll.look()

    assert domains.current() == {"example.com", "xn--r8jz45g.jp", "例え.jp"}
    assert domains.first == "example.com"
    assert kept.told == [
        "MXGW_DOMAINS ssm:/mxgw/domains: added example.com, xn--r8jz45g.jp; removed example.jp"
    ]
    assert kept.complaints == []


@pytest.mark.parametrize("wrong", ["", " , ", "# none", "exa mple.jp", "good.example,b@d"])
async def test_a_parameter_that_becomes_wrong_leaves_the_last_good_domains(wrong: str) -> None:
    kept, domains = Kept("new.example"), source()
    poll = kept.poll(domains)
    await poll.look()

    kept.text = wrong
    for _ in range(3):
        assert not await poll.look()

    assert domains.current() == {"new.example"}
    assert len(kept.complaints) == 1
    assert kept.complaints[0].startswith("MXGW_DOMAINS ssm:/mxgw/domains: ")
    assert kept.complaints[0].endswith("; what was read before stays in use")


async def test_each_new_reason_and_the_end_of_the_trouble_are_told_once() -> None:
    kept, domains = Kept("example.jp"), source()
    poll = kept.poll(domains)

    for refusal in ("throttled", "throttled", "denied", "denied", "", "", "denied", ""):
        kept.refusal = refusal
        await poll.look()

    assert [words.split(": ")[1].partition(";")[0] for words in kept.complaints] == [
        "throttled",
        "denied",
        "denied",
    ]
    assert kept.told == ["MXGW_DOMAINS ssm:/mxgw/domains: it can be read again"] * 2


async def test_a_bug_in_a_look_ends_nothing() -> None:
    complaints: list[str] = []

    def broken() -> str:
        raise KeyError("Parameter")

    poll = Poll(
        "it",
        read=broken,
        take=lambda value: value,
        tell=pytest.fail,
        complain=complaints.append,
        seconds=0,
        retry_seconds=0,
        first_seconds=0,
    )

    assert not await poll.look()
    assert complaints == ["it: KeyError: 'Parameter'; what was read before stays in use"]


async def test_an_aws_that_hangs_holds_up_neither_the_loop_nor_the_end() -> None:
    asked, released = threading.Event(), threading.Event()

    def read() -> str:
        asked.set()
        released.wait(60)
        return "late"

    poll = Poll(
        "it",
        read=read,
        take=lambda value: pytest.fail(f"{value} was taken after the end"),
        tell=pytest.fail,
        complain=pytest.fail,
        seconds=0,
        retry_seconds=0,
        first_seconds=0,
    )
    running = asyncio.create_task(poll.run())

    # The loop turns while the thread waits: nobody else could see that it was asked.
    assert await asyncio.to_thread(asked.wait, 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    released.set()
    await asyncio.sleep(0)


def test_the_program_ends_while_aws_hangs() -> None:
    program = """
import asyncio, threading
from mxgw.aws import Poll

asked = threading.Event()

def hang():
    asked.set()
    threading.Event().wait()

async def main():
    poll = Poll("it", read=hang, take=str, tell=print, complain=print,
                seconds=0, retry_seconds=0, first_seconds=0)
    running = asyncio.create_task(poll.run())
    await asyncio.to_thread(asked.wait)
    running.cancel()

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], timeout=60, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_the_pause_is_the_shorter_one_after_a_failure() -> None:
    kept, domains = Kept(refusal="throttled"), source()
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    looks: list[str] = []

    def read() -> str:
        looks.append(kept.refusal)
        if len(looks) == 3:
            kept.refusal, kept.text = "", "again.example"
        return kept.fetch()(PARAMETER)

    def take(name: str) -> str:
        domains.replace((name,))
        loop.call_soon(changed.set)
        return "changed"

    poll = Poll(
        "it",
        read=read,
        take=take,
        tell=kept.told.append,
        complain=kept.complaints.append,
        seconds=3600,
        retry_seconds=0,
        first_seconds=0,
    )
    running = asyncio.create_task(poll.run())

    await changed.wait()
    running.cancel()

    assert domains.current() == {"again.example"}
    assert looks == ["throttled"] * 3
    assert kept.told == ["it: it can be read again", "it: changed"]


def test_a_long_change_is_shortened_in_the_log() -> None:
    many = tuple(f"d{number:03}.example" for number in range(MAX_NAMED + 5))

    assert changes((), many) == f"added {', '.join(many[:MAX_NAMED])} and 5 more"
    assert changes(("a", "b"), ("b", "a")) == "the order changed"
