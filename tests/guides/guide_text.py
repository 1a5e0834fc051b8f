"""A guide as it is read: headings, blocks, tables, links, and the commands that it tells to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
LANGUAGES = ("en", "ja")
NAMES = sorted(path.name for path in (DOCS / "en").glob("*.md"))

_TRANSCRIPT = re.compile(r"<!-- transcript:([a-z-]+) -->\n(.*?)<!-- /transcript -->", re.DOTALL)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
_COMMAND = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Guide:
    """One file of one language."""

    language: str
    name: str

    @property
    def path(self) -> Path:
        return DOCS / self.language / self.name

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def own(self) -> str:
        """What people wrote: without the transcripts."""
        return _TRANSCRIPT.sub("", self.text)

    @property
    def transcripts(self) -> dict[str, str]:
        return dict(_TRANSCRIPT.findall(self.text))

    @property
    def levels(self) -> list[int]:
        """Of the headings, from the top."""
        prose = _BLOCK.sub("", self.own)
        return [len(found) for found in re.findall(r"^(#+) ", prose, re.MULTILINE)]

    @property
    def blocks(self) -> list[str]:
        return [body for _, body in _BLOCK.findall(self.own)]

    @property
    def tables(self) -> list[tuple[int, int]]:
        """Rows and columns of each."""
        found = re.findall(r"((?:^\|.*\|\n)+)", _BLOCK.sub("", self.own), re.MULTILINE)
        return [(table.count("\n"), table.splitlines()[1].count("|") - 1) for table in found]

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.own)

    def commands(self) -> Iterator[list[str]]:
        """The words of each call of mxgw that it tells to type, in blocks and in sentences."""
        lines = [line for block in self.blocks for line in block.splitlines()]
        for line in [*lines, *_COMMAND.findall(_BLOCK.sub("", self.own))]:
            call = line.removeprefix("sudo ")
            if call.startswith("mxgw "):
                yield shlex.split(call, comments=True)

    def calls_of_install(self) -> Iterator[list[str]]:
        for line in [*"\n".join(self.blocks).splitlines(), *_COMMAND.findall(_BLOCK.sub("", self.own))]:
            if "install.sh" in line:
                yield [word for word in line.split() if word.startswith("--")]


def guides() -> list[Guide]:
    return [Guide(language, name) for name in NAMES for language in LANGUAGES]
