"""Which names can be asked for, and in which form."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mxgw.resolver.names import canonical


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("example.com", "example.com"),
        ("Example.COM.", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("localhost", "localhost"),
        ("日本語.example", "xn--wgv71a119e.example"),
        ("_dmarc.Bücher.example", "_dmarc.xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("a b.example", "a b.example"),
        ("l" * 63 + ".example", "l" * 63 + ".example"),
        (".".join(["l" * 61] * 4) + ".abcde", ".".join(["l" * 61] * 4) + ".abcde"),
    ],
)
def test_a_name_is_asked_for_in_lower_case_without_final_dot_and_in_a_labels(name: str, form: str) -> None:
    assert canonical(name) == form


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a..example",
        ".example",
        "example..",
        "l" * 64 + ".example",
        ".".join(["l" * 61] * 4) + ".abcdef",
        "nul\0.example",
        "line\n.example",
        "delete\x7f.example",
        "☃️\u200d.example",
        "\ud800.example",
        "ü" * 100 + ".example",
    ],
)
def test_a_name_that_cannot_exist_is_not_asked_for(name: str) -> None:
    assert canonical(name) is None


@given(st.text(max_size=300))
@settings(deadline=None)
@example("xn--a.\u0130")
@example("\u0660\u06f0.example")
@example("Ⅷ.example")
def test_any_text_is_a_name_or_not(text: str) -> None:
    form = canonical(text)

    if form is not None:
        assert form.isascii()
        assert form.isprintable()
        assert 0 < len(form) <= 253
        assert all(0 < len(label) <= 63 for label in form.split("."))
        assert canonical(form) == form
