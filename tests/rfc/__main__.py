"""``python -m tests.rfc``: the register as a table; ``--markdown`` gives docs/rfc.md."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.rfc.registry import Clause, Register, Standing, citations, load, missing_tests

COLOURS = {Standing.YES: "green", Standing.DEVIATES: "yellow", Standing.NOT_OURS: "dim"}

HEAD = """\
# What the RFCs ask, and what shows it

Made by `python -m tests.rfc --markdown`; a test keeps it up to date. One row per MUST and MUST NOT that
concerns a receiving relay which offers these extensions, and the SHOULDs that matter. A row without a level
is a rule that the RFC states without such a word.

**yes**: the tests named show it. **deviates**: we do otherwise on purpose, for the reason that stands there.
**not ours**: somebody else's duty, or about what we do not have. A dialogue `group/name` is the transcript
`tests/dialogues/group/name.txt`.
"""


def short(test: str) -> str:
    """A test as people name it: a dialogue by its transcript, any other without its directories."""
    if test.startswith("tests/rfc/test_dialogues.py::test_dialogue"):
        return test.partition("[")[2].removesuffix("]")
    return test.removeprefix("tests/")


def counts(register: Register) -> str:
    """The sum in one line."""
    parts = [f"{count} {standing}" for standing, count in register.counts.items()]
    return f"{len(register.clauses)} clauses: {', '.join(parts)}"


def markdown(register: Register) -> str:
    """The register as docs/rfc.md."""
    lines = [HEAD, counts(register) + ".", ""]
    for rfc, clauses in groupby(register.clauses, key=lambda clause: clause.rfc):
        lines += [f"## RFC {rfc}: {register.titles[rfc]}", ""]
        lines += ["| id | | the clause | we | shown by, or why |", "|---|---|---|---|---|"]
        for clause in clauses:
            tests = ", ".join(f"`{short(test)}`" for test in clause.shown_by)
            reason = " ".join(
                part for part in (clause.why, f"({tests})" if clause.why and tests else tests) if part
            )
            cells = (clause.id, clause.level, clause.says, f"**{clause.standing}**", reason)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def as_json(register: Register) -> str:
    """The register for programs, with the places in the program that cite each section."""
    cited = citations()
    rows = [
        {
            "id": clause.id,
            "level": clause.level,
            "says": clause.says,
            "standing": clause.standing,
            "shown_by": clause.shown_by,
            "why": clause.why,
            "cited_in": cited.get((clause.rfc, clause.section), []),
        }
        for clause in register.clauses
    ]
    return json.dumps({"counts": register.counts, "clauses": rows}, indent=1, ensure_ascii=False)


def print_table(register: Register, console: Console) -> None:
    """The register for people, in colour where the terminal has it."""
    cited = citations()
    for rfc, clauses in groupby(register.clauses, key=lambda clause: clause.rfc):
        table = Table(title=f"RFC {rfc}: {register.titles[rfc]}", title_justify="left", expand=True)
        table.add_column("id", no_wrap=True)
        table.add_column("clause", ratio=3)
        table.add_column("we", no_wrap=True)
        table.add_column("shown by, or why", ratio=3, overflow="fold")
        for clause in clauses:
            table.add_row(clause.id, _clause(clause), _standing(clause), _shown(clause, cited))
        console.print(table)
    console.print(counts(register))


def _clause(clause: Clause) -> str:
    return f"[bold]{clause.level}[/] {escape(clause.says)}" if clause.level else escape(clause.says)


def _standing(clause: Clause) -> str:
    return f"[{COLOURS[clause.standing]}]{clause.standing}[/]"


def _shown(clause: Clause, cited: dict[tuple[str, str], list[str]]) -> str:
    lines = [escape(clause.why)] if clause.why else []
    lines += [escape(short(test)) for test in clause.shown_by]
    if files := cited.get((clause.rfc, clause.section)):
        lines.append(f"[dim]cited in {', '.join(files)}[/]")
    return "\n".join(lines)


def print_plain(register: Register) -> None:
    """One line per clause, for pipes."""
    for clause in register.clauses:
        shown = clause.why or ", ".join(short(test) for test in clause.shown_by)
        print(clause.id, clause.level, clause.standing, clause.says, shown, sep="\t")


def main() -> int:
    """Print the register; exit code 1 where it names a test that does not exist."""
    parser = argparse.ArgumentParser(prog="python -m tests.rfc", description=__doc__)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as docs/rfc.md")
    form.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    register = load()
    if options.markdown:
        print(markdown(register), end="")
        return 0
    if options.json:
        print(as_json(register))
    elif sys.stdout.isatty():
        print_table(register, Console())
    else:
        print_plain(register)
    missing = missing_tests(register)
    for line in missing:
        print(f"no such test: {line}", file=sys.stderr)
    if not options.json:
        print(counts(register), file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
