"""How a repair of a container ends: well, ill, too slow; and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mxgw.admin.patience import Patience
from mxgw.admin.stack import Stack
from mxgw.watch.judge import SERVICES
from mxgw.watch.mending import ENDED_LOOKS, Ended, bring_up, relay_says
from mxgw.watch.repair import Act, Repair

DOCKER = """\
#!/bin/sh
# Each look at the states takes the next file; the last one stays.
cd {place}
shift 3
echo "$*" >>calls
case $1 in
    ps)
        number=$(cat number)
        [ -e "$((number + 1))" ] && echo "$((number + 1))" >number
        exec cat "$number" ;;
    logs) echo "first words"; echo "last words" ;;
    exec) [ -e postfix ] || exit 1 ;;
    *) [ -e refuses ] && {{ echo "no space left" >&2; exit 1; }} ;;
esac
exit 0
"""


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def stack(place: Path, *looks: dict[str, tuple[str, str]]) -> Stack:
    for number, states in enumerate(looks, 1):
        lines = [
            json.dumps({"Service": name, "State": state, "Health": health})
            for name, (state, health) in states.items()
        ]
        (place / str(number)).write_text("".join(f"{line}\n" for line in lines))
    (place / "number").write_text("1\n")
    program = place / "docker"
    program.write_text(DOCKER.format(place=place))
    program.chmod(0o755)
    return Stack(place, docker=[str(program)])


def mended(
    made: Stack, act: Act = Act.START, service: str = "redis"
) -> tuple[Ended, list[Sequence[str]], float]:
    clock, heard = Clock(), list[Sequence[str]]()
    patience = Patience(60.0, lambda: clock.now, clock.sleep)
    ended = bring_up(made, Repair(act, service, ()), patience, heard.append)
    return ended, heard, clock.now


def one(state: str, health: str) -> dict[str, tuple[str, str]]:
    return {"redis": (state, health)}


def test_it_is_waited_for_until_it_is_healthy(tmp_path: Path) -> None:
    made = stack(tmp_path, one("running", "starting"), one("running", "starting"), one("running", "healthy"))

    ended, heard, _ = mended(made)

    assert ended == Ended()
    assert heard == [["redis"], ["redis"]]
    assert (tmp_path / "calls").read_text().splitlines()[0] == "start redis"


def test_what_has_no_check_is_well_when_it_runs(tmp_path: Path) -> None:
    assert mended(stack(tmp_path, one("running", "")))[0] == Ended()


def test_what_is_unhealthy_is_not_waited_for(tmp_path: Path) -> None:
    ended, heard, _ = mended(stack(tmp_path, one("running", "starting"), one("running", "unhealthy")))

    assert ended == Ended("ill", ("redis: running unhealthy", "first words", "last words"))
    assert heard == [["redis"]]


@pytest.mark.parametrize("state", ["restarting", "exited"])
def test_what_does_not_stay_up_is_not_waited_for_long(tmp_path: Path, state: str) -> None:
    ended, heard, _ = mended(stack(tmp_path, one(state, "")))

    assert ended.why == "ill"
    assert ended.evidence[0] == f"redis: {state}"
    assert len(heard) == ENDED_LOOKS - 1


def test_what_runs_a_moment_later_was_no_failure(tmp_path: Path) -> None:
    ended, _, _ = mended(stack(tmp_path, one("created", ""), one("created", ""), one("running", "healthy")))

    assert ended == Ended()


def test_what_takes_too_long_is_told(tmp_path: Path) -> None:
    ended, _, seconds = mended(stack(tmp_path, one("running", "starting")))

    assert ended.why == "slow"
    assert seconds >= 60.0


def test_a_command_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    made = stack(tmp_path, one("exited", ""))
    (tmp_path / "refuses").touch()

    assert mended(made)[0] == Ended("failed", ("no space left",))


def test_all_of_them_are_waited_for(tmp_path: Path) -> None:
    well = dict.fromkeys(SERVICES, ("running", "healthy"))
    made = stack(tmp_path, {**well, "clamav": ("running", "starting")}, well)

    ended, heard, _ = mended(made, Act.UP, "")

    assert ended == Ended()
    assert heard == [["clamav"]]
    assert (tmp_path / "calls").read_text().splitlines()[0] == "up -d"


def test_a_postfix_that_does_not_run_has_no_relay(tmp_path: Path) -> None:
    assert relay_says(stack(tmp_path, one("exited", ""))) == ""
