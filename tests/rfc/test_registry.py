"""The register of clauses is sound: its tests exist, docs/rfc.md says the same, and each form shows all."""

from __future__ import annotations

import io
import json

from rich.console import Console

from tests.rfc.__main__ import as_json, markdown, print_table
from tests.rfc.registry import ROOT, Standing, citations, load, missing_tests


def test_every_test_that_the_register_names_exists() -> None:
    assert missing_tests(load()) == []


def test_the_document_is_the_register() -> None:
    # If not: .venv/bin/python -m tests.rfc --markdown > docs/rfc.md
    assert (ROOT / "docs" / "rfc.md").read_text() == markdown(load())


def test_every_rfc_of_the_door_is_in_the_register() -> None:
    register = load()

    assert register.titles.keys() == {
        *["5321", "2033", "3030", "3207", "2920"],
        *["1870", "6152", "6531", "2034", "8689", "9422"],
    }
    assert all(count > 0 for count in register.counts.values())
    assert sum(register.counts.values()) == len(register.clauses)


def test_who_deviates_says_why() -> None:
    for clause in load().clauses:
        if clause.standing is not Standing.YES:
            assert clause.why.endswith("."), clause.id


def test_the_table_shows_every_clause_in_each_of_its_forms() -> None:
    register = load()
    out = io.StringIO()

    print_table(register, Console(file=out, width=200, no_color=True))

    table, document = out.getvalue(), json.loads(as_json(register))
    assert all(clause.id in table for clause in register.clauses)
    assert [row["id"] for row in document["clauses"]] == [clause.id for clause in register.clauses]


def test_citations_of_the_program_are_found() -> None:
    assert "mxgw/envelope.py" in citations()["5321", "4.1.1.3"]
