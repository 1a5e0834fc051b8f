"""The site as the host's commands find it: .env of the stack, and where they keep their own state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mxgw.admin.env_file import with_env_file
from mxgw.admin.places import (
    DATA_DIRECTORY,
    RUN_DIRECTORY,
    RUN_VARIABLE,
    STACK_DIRECTORY,
    STACK_VARIABLE,
    STATE_DIRECTORY,
    STATE_VARIABLE,
)
from mxgw.admin.stack import Stack, docker_command


@dataclass(frozen=True, slots=True)
class Site:
    """``settings`` are .env with the environment over it; ``run`` is for a state that cannot be written."""

    stack: Stack
    state: Path
    run: Path
    settings: Mapping[str, str]

    def get(self, name: str, default: str = "") -> str:
        """A setting without blanks around it."""
        return self.settings.get(name, "").strip() or default

    @property
    def data(self) -> Path:
        """Where the mail is."""
        return Path(self.get("MAILSERVER_DATA", DATA_DIRECTORY))


def site_of(environ: Mapping[str, str]) -> Site:
    """The site of this machine; Refused where there is no .env to read."""
    directory = Path(environ.get(STACK_VARIABLE, STACK_DIRECTORY))
    state = Path(environ.get(STATE_VARIABLE, STATE_DIRECTORY))
    run = Path(environ.get(RUN_VARIABLE, RUN_DIRECTORY))
    stack = Stack(directory, docker=docker_command(environ))
    return Site(stack, state, run, with_env_file(environ, directory / ".env"))
