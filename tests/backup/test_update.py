"""Updates: when, in which order, and the way back, on a docker that knows images alone."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mxgw.admin.stack import Stack
from mxgw.admin.update.plan import Outcome, in_window
from mxgw.admin.update.rolling import Patience, update

# Its whole state is a file: what services run, what names stand for, what the registry has, what is broken.
DOCKER = """#!{python} -IS
import json, sys
path = {path!r}
state = json.load(open(path))
words = sys.argv[1:]
state["calls"].append(words)
if words[0] == "compose":
    words = words[3:]
    if words[0] == "pull":
        state["local"] |= state["registry"]
    elif words[0] == "up":
        service = words[-1]
        state["running"][service] = state["local"][state["names"][service]]
    elif words[:2] == ["ps", "--all"]:
        for service, image in state["running"].items():
            health = "unhealthy" if image in state["broken"] else "healthy"
            name = state["names"][service]
            print(json.dumps(dict(Service=service, State="running", Health=health, Image=name)))
    elif words[:2] == ["ps", "-aq"]:
        print("container-" + words[2])
elif words[0] == "inspect":
    print(state["running"][words[-1].removeprefix("container-")])
elif words[:2] == ["image", "inspect"]:
    print(state["local"][words[-1]])
elif words[0] == "tag":
    state["local"][words[2]] = words[1]
json.dump(state, open(path, "w"))
"""
SERVICES = ("home", "dovecot", "mariadb")


class Images:
    """That docker; ``registry`` is what a pull brings."""

    def __init__(self, directory: Path, *, registry: dict[str, str], broken: tuple[str, ...] = ()) -> None:
        self._path = directory / "state.json"
        names = {service: f"{service}:1" for service in SERVICES}
        old = {f"{service}:1": f"old-{service}" for service in SERVICES}
        running = {service: f"old-{service}" for service in SERVICES}
        state = {"names": names, "local": old, "running": running, "registry": registry, "broken": broken}
        self._path.write_text(json.dumps({**state, "calls": []}))
        program = directory / "docker"
        program.write_text(DOCKER.format(python=sys.executable, path=str(self._path)))
        program.chmod(0o755)
        self.stack = Stack(directory, docker=[str(program)])

    @property
    def state(self) -> dict[str, dict[str, str]]:
        state: dict[str, dict[str, str]] = json.loads(self._path.read_text())
        return state

    def update(self) -> tuple[dict[str, Outcome], list[str]]:
        """The outcomes, and what happened in which order."""
        order: list[str] = []
        done = update(
            self.stack,
            lambda: order.append("backup"),
            lambda service, outcome: order.append(service),
            Patience(seconds=0, sleep=lambda seconds: None),
        )
        return done, order


def test_what_is_new_is_restarted_in_order_of_dependence_after_a_backup(tmp_path: Path) -> None:
    new = {f"{service}:1": f"new-{service}" for service in SERVICES}
    images = Images(tmp_path, registry=new)

    done, order = images.update()

    assert order == ["backup", "mariadb", "dovecot", "home"]
    assert set(done.values()) == {Outcome.UPDATED}
    assert images.state["running"] == {service: f"new-{service}" for service in SERVICES}


def test_nothing_new_needs_no_backup_and_no_restart(tmp_path: Path) -> None:
    images = Images(tmp_path, registry={})

    assert images.update() == ({}, [])


def test_an_image_that_is_not_healthy_goes_back_and_what_needs_it_stays(tmp_path: Path) -> None:
    new = {f"{service}:1": f"new-{service}" for service in SERVICES}
    images = Images(tmp_path, registry=new, broken=("new-dovecot",))

    done, _ = images.update()

    assert done == {"mariadb": Outcome.UPDATED, "dovecot": Outcome.ROLLED_BACK}
    assert images.state["running"] == {
        "mariadb": "new-mariadb",
        "dovecot": "old-dovecot",
        "home": "old-home",
    }


def test_a_service_that_was_not_healthy_before_is_not_updated(tmp_path: Path) -> None:
    images = Images(tmp_path, registry={"dovecot:1": "new-dovecot"}, broken=("old-dovecot",))

    done, _ = images.update()

    assert done == {"dovecot": Outcome.LEFT}
    assert images.state["running"]["dovecot"] == "old-dovecot"


@pytest.mark.parametrize(
    ("utc", "inside"),
    [("16:59", False), ("17:00", True), ("18:59", True), ("19:00", False), ("02:30", False)],
)
def test_the_window_is_two_to_four_in_japan(utc: str, inside: bool) -> None:
    hour, minute = map(int, utc.split(":"))

    assert in_window(datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)) is inside
