"""A ``docker`` for the commands of the host: ``compose`` with ``ps`` and ``exec`` upon running cells."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.dell.cells import Cell

PROGRAM = """\
#!{python}
import json, os, sys

services = json.loads({services!r})
arguments = sys.argv[1:]
assert arguments[:2] == ["compose", "--project-directory"], arguments
command, *rest = arguments[3:]
with open({log!r}, "a") as log:
    print(command, *rest, file=log)
if command == "ps":
    for name in services:
        print(json.dumps({{"Service": name, "State": "running", "Health": "healthy"}}))
elif command == "exec":
    assert rest[0] == "-T", rest
    service, *program = rest[1:]
    enter = services[service]
    os.execvp(enter[0], [*enter, *program])
else:
    sys.exit(f"docker of the tests: {{command}} is not known")
"""


def docker_in_cells(directory: Path, cells: Mapping[str, Cell]) -> Path:
    """The executable ``docker`` in ``directory``; what it was told stands in docker.log beside it."""
    services = {
        name: [
            *("nsenter", f"--target={cell.child.pid}", "--mount", "--net", "--root", "--wd"),
            *cell._dropped(),
        ]
        for name, cell in cells.items()
    }
    program = directory / "docker"
    log = str(directory / "docker.log")
    program.write_text(PROGRAM.format(python=sys.executable, services=json.dumps(services), log=log))
    program.chmod(0o755)
    return program
