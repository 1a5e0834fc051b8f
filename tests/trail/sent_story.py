"""Mail that users of the stack's Postfix sent, well and ill, and the logs of it and of Dovecot."""

from __future__ import annotations

import contextlib
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.dell.sending_house import STACK, SendingHouse, letter
from tests.rig.process import find_program, wait_until

BURST = 20
"""Recipients at once, here; the stack allows 100."""

GONE = "550 5.1.1 no \x1b[31msuch user, status=sent (250 ok)"
"""As a relay could word it to be taken for another."""

HOSTILE = '"a>, relay=none, status=bounced (x)"@example.net'


@contextlib.contextmanager
def limited_house(directory: Path) -> Iterator[SendingHouse]:
    """The sending half of the stack, its own limit set to fewer recipients."""
    limit = (STACK / "rspamd" / "local.d" / "ratelimit.conf").read_text()
    small = limit.replace("burst = 100;", f"burst = {BURST};")
    assert small != limit, "the stack's limit is written in another way"
    with SendingHouse(directory, scanning={"local.d/ratelimit.conf": small}) as house:
        yield house


def tell(house: SendingHouse, directory: Path) -> tuple[str, str]:
    """Send it all; the paths of Postfix's log and Dovecot's."""
    _well(house)
    _refused(house)
    _waiting(house)
    paths = directory / "postfix.log", directory / "dovecot.log"
    for path, text in zip(paths, (house.postfix.log(), house.store.log()), strict=True):
        path.write_text(text)
    return str(paths[0]), str(paths[1])


def _well(house: SendingHouse) -> None:
    with house.login(implicit=True) as client:
        client.sendmail("taro@example.jp", ["friend@example.net", HOSTILE], named("friend"))
    house.send(named("neighbour"), "hanako@example.jp")
    house.relay.wait_for("friend@example.net")
    house.store.wait_for("hanako")


def _refused(house: SendingHouse) -> None:
    house.relay.refusals["gone@example.net"] = GONE
    house.send(named("gone"), "gone@example.net")
    house.store.wait_for("taro")
    refused: dict[str, Callable[[], object]] = {
        "another's address": lambda: house.send(letter(), "x@example.net", sender="boss@example.jp"),
        "another's From": lambda: house.send(named("forged", "Boss <boss@bank.example>"), "bank@example.net"),
        "nobody here": lambda: house.send(named("nobody"), "nobody@example.jp"),
        "a wrong password": lambda: _guess(house),
    }
    for what, send in refused.items():
        with contextlib.suppress(smtplib.SMTPException):
            send()
            raise AssertionError(f"{what} was taken")
    # Too many recipients at once, but for the first time.
    for count in (BURST, 1):
        with house.login("hanako") as client, contextlib.suppress(smtplib.SMTPDataError):
            recipients = [f"guest{count}-{number}@example.net" for number in range(count)]
            client.sendmail("hanako@example.jp", recipients, named("party", "hanako@example.jp"))


def _guess(house: SendingHouse) -> None:
    with house.connect() as client:
        client.login("postmaster@example.jp", "guessed")


def _waiting(house: SendingHouse) -> None:
    house.relay.refusals["later@example.net"] = house.relay.refusals["never@example.net"] = "451 4.7.1 later"
    house.send(named("later"), "later@example.net")
    house.send(named("never"), "never@example.net")
    for name in ("later", "never"):
        _wait_for_line(house, f"to=<{name}@example.net>", "status=deferred")
    del house.relay.refusals["later@example.net"]
    wait_until(lambda: _tried_again(house), seconds=30, what="the relay has it")
    for name in ("thrown", "waits"):
        house.relay.refusals[f"{name}@example.net"] = "451 4.7.1 later"
        house.send(named(name), f"{name}@example.net")
        _wait_for_line(house, f"to=<{name}@example.net>", "status=deferred")
    [line] = [line for line in house.postfix.log().splitlines() if "message-id=<thrown@" in line]
    _tell_postfix(house, "postsuper", "-d", line.split(": ")[1])
    _wait_for_line(house, "postsuper", "removed")


def _tried_again(house: SendingHouse) -> bool:
    _tell_postfix(house, "postqueue", "-f")
    return any("later@example.net" in message.recipients for message in house.relay.taken)


def _tell_postfix(house: SendingHouse, program: str, *arguments: str) -> None:
    command = [find_program(program, package="postfix"), "-c", str(house.postfix.etc), *arguments]
    subprocess.run(command, check=True, capture_output=True)


def _wait_for_line(house: SendingHouse, *words: str) -> None:
    def logged() -> bool:
        return any(all(word in line for word in words) for line in house.postfix.log().splitlines())

    wait_until(logged, seconds=20, what=f"Postfix has logged {words}")


def named(name: str, author: str = "taro@example.jp") -> bytes:
    """A letter whose Message-ID is its name at our domain."""
    lines = letter(author=author).split(b"\r\n")
    mine = f"Message-ID: <{name}@example.jp>".encode()
    return b"\r\n".join(mine if line.startswith(b"Message-ID:") else line for line in lines)
