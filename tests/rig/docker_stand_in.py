"""An executable ``docker`` that carries out Compose's commands upon the cells of a running Host.

What it knows: ``docker compose [--project-directory D] exec|ps|stop|start|restart|kill|up|run|logs``. A
program in a cell is the caller's own child, so stdin, stdout, signals and the exit code are the real ones.
Starting and ending services is done in the process of the test, whose children they are.
"""

from __future__ import annotations

import contextlib
import copy
import json
import shlex
import socketserver
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from mxgw.admin.env_file import read_env_file
from tests.dell.cells import Cell, Host
from tests.dell.compose_file import read_compose

# Options of Compose that are followed by a value.
VALUED = {"--project-directory", "-f", "--file", "-p", "--project-name", "--progress", "--env-file"}
EXEC_VALUED = {"--user", "-u", "--env", "-e", "--workdir", "-w", "--index"}
RUN_VALUED = {*EXEC_VALUED, "--entrypoint", "-v", "--volume", "--name"}
OTHER_VALUED = {
    "--format",
    "-t",
    "--timeout",
    "-s",
    "--signal",
    "--since",
    "--until",
    "--tail",
    "-n",
    "--pull",
}

# Runs in whatever Python the test has; the answer is a program to become, or what to print.
CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as session, session.makefile("rwb") as lines:
    session.connect({path!r})
    lines.write(json.dumps(sys.argv[1:]).encode() + b"\\n")
    lines.flush()
    answer = json.loads(lines.readline())
if "become" in answer:
    os.execvp(answer["become"][0], answer["become"])
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["code"])
"""


class DockerStandIn:
    """``program`` is the executable; ``calls`` are the arguments that it was given, in order."""

    def __init__(self, host: Host, directory: Path) -> None:
        self.host = host
        self.program = directory / "docker"
        self.calls: list[list[str]] = []
        self._directory = directory

    def __enter__(self) -> Self:
        # A socket's path is bounded (108 octets); a test's directory may be deeper.
        path = self.host.place.path / f"docker-{id(self)}.socket"
        self._directory.mkdir(parents=True, exist_ok=True)
        self.program.write_text(CLIENT.format(python=sys.executable, path=str(path)))
        self.program.chmod(0o755)
        stand_in = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                arguments = json.loads(self.rfile.readline())
                self.wfile.write(json.dumps(stand_in.answer(arguments)).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self._server = Server(str(path), Session)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, arguments: Sequence[str]) -> dict[str, Any]:
        """What the client is to do."""
        self.calls.append(list(arguments))
        words = list(arguments)
        if not words or words.pop(0) != "compose":
            return _said(f"the stand-in knows docker compose alone: {shlex.join(arguments)}", code=125)
        directory = _last(_options(words, VALUED), "--project-directory")
        self._read_site(Path(directory) / ".env")
        verb = words.pop(0) if words else ""
        acts = {"exec": self._exec, "run": self._run, "ps": self._ps, "up": self._up, "logs": self._logs}
        acts |= {"stop": self._stop, "kill": self._kill, "start": self._start, "restart": self._restart}
        if verb not in acts:
            return _said(f"the stand-in knows no docker compose {verb}", code=125)
        try:
            return acts[verb](words)
        except (KeyError, AssertionError) as error:
            return _said(f"no such service: {error}", code=1)
        except Exception as error:  # noqa: BLE001 - said to the caller, as docker does
            return _said(str(error), code=1)

    def _read_site(self, path: Path) -> None:
        """As Compose does at each call; a running cell keeps the environment that it was started with."""
        if not path.is_file():
            return
        environ = dict(self.host.environ)
        environ |= read_env_file(path)
        if environ != self.host.environ:
            self.host.environ = environ
            self.host.compose = read_compose(environ)

    # -- programs -----------------------------------------------------------------------------------------

    def _exec(self, words: list[str]) -> dict[str, Any]:
        options = _options(words, EXEC_VALUED)
        service, *command = words
        cell = self.host.cells[service]
        if not cell.child.running:
            return _said(f'service "{service}" is not running', code=1)
        enter = ["nsenter", f"--target={cell.child.pid}", "--mount", "--net", "--root", "--wd"]
        return {"become": [*enter, *_as(cell, options), *command]}

    def _run(self, words: list[str]) -> dict[str, Any]:
        """A cell of its own, beside the service's."""
        options = _options(words, RUN_VALUED)
        service, *command = words
        cell = self.host.cells.get(service)
        networks = self.host.compose["services"][service].get("networks", {})
        fixed = isinstance(networks, dict) and any("ipv4_address" in (one or {}) for one in networks.values())
        if fixed and cell is not None and cell.child.running:
            return _said("Error response from daemon: Address already in use", code=1)
        entrypoint = _last(options, "--entrypoint")
        with _settings(self.host, service, options):
            name = f"{service}-run-{len(self.calls)}"
            made = Cell(self.host, service, [*shlex.split(entrypoint), *command], {}, name=name)
        return {"become": made.child.command}

    # -- services -----------------------------------------------------------------------------------------

    def _ps(self, words: list[str]) -> dict[str, Any]:
        options = _options(words, OTHER_VALUED)
        everything = any(name in {"-a", "--all"} for name, _ in options)
        states = [self._state(name) for name in self.host.cells if not words or name in words]
        shown = [state for state in states if everything or state["State"] == "running"]
        return _said("".join(json.dumps(state) + "\n" for state in shown))

    def _state(self, service: str) -> dict[str, Any]:
        cell = self.host.cells[service]
        running = cell.child.running
        check = self.host.compose["services"][service].get("healthcheck", {})
        health = ""
        if running and not check.get("disable"):
            health = "healthy" if self.host.healthy(service) else "unhealthy"
        return {
            "Service": service,
            "Name": f"mxgw-{service}-1",
            "State": "running" if running else "exited",
            "Health": health,
            "ExitCode": 0,
            "Image": self.host.compose["services"][service]["image"],
        }

    def _stop(self, words: list[str]) -> dict[str, Any]:
        for cell in self._named(words):
            cell.child.stop()
        return _said("")

    def _kill(self, words: list[str]) -> dict[str, Any]:
        for cell in self._named(words):
            cell.child.kill()
        return _said("")

    def _start(self, words: list[str]) -> dict[str, Any]:
        for cell in self._named(words):
            # What ends by itself (accounts) was never a child.
            if not cell.child.running and not self._ends(cell):
                cell.start()
        return _said("")

    def _restart(self, words: list[str]) -> dict[str, Any]:
        self._stop(list(words))
        return self._start(words)

    def _up(self, words: list[str]) -> dict[str, Any]:
        options = _options(words, OTHER_VALUED)
        if any(name == "--force-recreate" for name, _ in options):
            self._stop(list(words))
        for cell in self._named(list(words)):
            name = cell.service
            if not self._ends(cell) and cell.settings != self.host.compose["services"][name]:
                cell.child.stop()
                command, mounts = cell.given
                self.host.cell(name, command=command, mounts=mounts)
        return self._start(words)

    def _logs(self, words: list[str]) -> dict[str, Any]:
        _options(words, OTHER_VALUED)
        return _said("".join(cell.said() for cell in self._named(words)))

    def _named(self, words: list[str]) -> list[Cell]:
        _options(words, OTHER_VALUED)
        # A service of compose.yaml that the test does not run is none of its affair.
        unknown = [name for name in words if name not in self.host.compose["services"]]
        if unknown:
            raise KeyError(unknown[0])
        return [cell for name, cell in self.host.cells.items() if not words or name in words]

    def _ends(self, cell: Cell) -> bool:
        return bool(cell.settings.get("healthcheck", {}).get("disable"))


def _options(words: list[str], valued: set[str]) -> list[tuple[str, str]]:
    """Take the options in front; those of ``valued`` with the word behind them."""
    found = []
    while words and words[0].startswith("-"):
        name, equals, value = words.pop(0).partition("=")
        if not equals and name in valued:
            value = words.pop(0)
        found.append((name, value))
    return found


def _last(options: Sequence[tuple[str, str]], *names: str) -> str:
    return next((value for name, value in reversed(options) if name in names), "")


def _as(cell: Cell, options: Sequence[tuple[str, str]]) -> list[str]:
    """The service's rights and environment; another user and more variables where the options say so."""
    words = cell.entry()
    user = _last(options, "--user", "-u")
    if user:
        words = [word for word in words if not word.startswith(("--reuid", "--regid", "--clear-groups"))]
        number, _, group = user.partition(":")
        at = words.index("env")
        words[at:at] = [f"--reuid={number}", f"--regid={group or number}", "--clear-groups"]
    return [*words, *(value for name, value in options if name in {"--env", "-e"})]


@contextlib.contextmanager
def _settings(host: Host, service: str, options: Sequence[tuple[str, str]]) -> Iterator[None]:
    """The service with volumes, variables and the user of a single run."""
    before = host.compose["services"][service]
    changed = copy.deepcopy(before)
    for name, value in options:
        if name in {"-v", "--volume"}:
            changed.setdefault("volumes", []).append(value)
        elif name in {"-e", "--env"}:
            key, _, text = value.partition("=")
            changed.setdefault("environment", {})[key] = text
        elif name in {"-u", "--user"}:
            changed["user"] = value if ":" in value else f"{value}:{value}"
    host.compose["services"][service] = changed
    try:
        yield
    finally:
        host.compose["services"][service] = before


def _said(out: str, *, code: int = 0) -> dict[str, Any]:
    return {"out": "" if code else out, "err": f"{out}\n" if code else "", "code": code}
