"""A docker that knows images and what runs on them, for the tests of updates; a program of its own.

Its whole state is a file: what services run, what names stand for, what the registry has, how new images do.
What it does not know (exec, run), another docker may.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from mxgw.admin.stack import Stack
from tests.rig.process import wait_until

DOCKER = """#!{python} -IS
import json, os, sys, time
path, beyond = {path!r}, {beyond!r}
state = json.load(open(path))
words = sys.argv[1:]
state["calls"].append(words)

def end(code=0, errors=""):
    with open(path + ".new", "w") as file:
        json.dump(state, file)
    os.replace(path + ".new", path)
    sys.stderr.write(errors)
    sys.exit(code)

def service_of(container):
    return container.split("-")[1]

def waits(name):
    # A step that takes, once, as long as the test wants, which sees that it is begun.
    if state["waits"] == name:
        open(path + ".begun", "w").close()
        while os.path.exists(path + ".begun"):
            time.sleep(0.02)
        state["waits"] = ""

if words[0] == "compose":
    words = words[3:]
    if words[0] == "pull":
        waits("pull")
        asked = [state["names"][name] for name in words[2:]]
        new = {{name: image for name, image in state["registry"].items() if name in asked}}
        state["local"] |= new
        state["present"] += list(new.values())
        end(18 if state["pull_error"] else 0, state["pull_error"])
    elif words[0] == "up":
        service = words[-1]
        waits("up")
        image = state["local"][state["names"][service]]
        if image != state["running"][service]:
            state["number"] += 1
            state["running"][service] = image
            state["containers"][service] = f"c-{{service}}-{{state['number']}}"
        end(1 if image in state["unstartable"] else 0)
    elif words[:4] == ["ps", "--all", "--format", "json"]:
        for service, image in state["running"].items():
            health = "starting" if image in state["starting"] + state["crashing"] else "healthy"
            health = "unhealthy" if image in state["broken"] else health
            # As Docker has it: the number, once the name leads elsewhere.
            name = state["names"][service]
            name = name if state["local"][name] == image else image
            run = dict(Service=service, State="running", Health=health, Image=name, Labels="",
                       ID=state["containers"][service], Name=f"mxgw-{{service}}-1")
            print(json.dumps(run))
        end()
    elif beyond:
        os.execv(beyond, [beyond, *sys.argv[1:]])
elif words[0] == "inspect":
    service = service_of(words[-1])
    if "RestartCount" in words[2]:
        print(3 if state["running"][service] in state["crashing"] else 0)
    else:
        print(state["names"][service], state["running"][service])
    end()
elif words[:2] == ["image", "inspect"]:
    if words[-1] not in state["local"]:
        end(1, "No such image")
    print(state["local"][words[-1]])
    end()
elif words[:2] == ["image", "rm"]:
    if words[2] in state["running"].values():
        end(1, "image is being used by running container")
    if words[2] in state["local"]:
        state["local"].pop(words[2])
    elif words[2] in state["present"]:
        state["present"].remove(words[2])
    else:
        end(1, "No such image")
    end()
elif words[0] == "tag":
    state["local"][words[2]] = words[1]
    end()
end(64, "not foreseen: " + " ".join(sys.argv[1:]))
"""
SERVICES = ("nginx", "dovecot", "mariadb")


class ImagesDocker:
    """``registry`` is what a pull brings, by name; the rest are images: broken ones are not healthy, starting
    ones never get so, crashing ones end by themselves, unstartable ones are refused by Docker."""

    def __init__(self, directory: Path, *, beyond: Path | None = None) -> None:
        self._path = directory / "images.json"
        self.program = directory / "images-docker"
        self.program.write_text(
            DOCKER.format(python=sys.executable, path=str(self._path), beyond=str(beyond) if beyond else "")
        )
        self.program.chmod(0o755)
        self.stack = Stack(directory, docker=[str(self.program)])
        old = {f"{service}:1": f"old-{service}" for service in SERVICES}
        self._write(
            {
                "names": {service: f"{service}:1" for service in SERVICES},
                "local": old,
                "present": list(old.values()),
                "running": {service: f"old-{service}" for service in SERVICES},
                "containers": {service: f"c-{service}-0" for service in SERVICES},
                "number": 0,
                "registry": {},
                "calls": [],
                **{name: [] for name in ("broken", "starting", "crashing", "unstartable")},
                "pull_error": "",
                "waits": "",
            }
        )

    def set(self, **changes: object) -> None:
        """How things are from now on."""
        self._write(self.state | changes)

    def publish(self, *services: str, version: str = "new") -> None:
        """The registry has something new for these."""
        registry = self.state["registry"]
        self.set(registry=registry | {f"{service}:1": f"{version}-{service}" for service in services})

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._path.read_text())
        return state

    @property
    def running(self) -> dict[str, str]:
        """The images, by service."""
        running: dict[str, str] = self.state["running"]
        return running

    def named(self, name: str) -> str:
        """What a name stands for, or ""."""
        return str(self.state["local"].get(name, ""))

    @property
    def begun(self) -> Path:
        """There as long as a step waits; who removes it lets the step go on."""
        return Path(f"{self._path}.begun")

    def wait_for_step(self) -> None:
        """Until it has begun."""
        wait_until(self.begun.exists, seconds=60, what="the step has begun")

    def _write(self, state: dict[str, Any]) -> None:
        self._path.write_text(json.dumps(state))
