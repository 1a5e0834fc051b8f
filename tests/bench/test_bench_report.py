"""The report as Markdown, and its pictures."""

from __future__ import annotations

from pathlib import Path

from bench.compare import Spread, Verdict
from bench.document import Chapter, Listing, Picture, Table, Text, markdown, verdict_table
from bench.drawing import Bar, Curve, draw_bars, draw_curves
from bench.gateways import Mxgw
from bench.measure import WORKLOADS
from bench.relay import relay_chapter
from bench.report import Result, as_json, write_markdown
from bench.run import Run
from tests.bench.samples import sample


def test_a_chapter_becomes_markdown_with_its_listings_at_the_end() -> None:
    chapter = Chapter(
        "One",
        [Text("Words."), Table("T", ("a", "b"), [("x", "1")]), Picture("p.svg", "Shown")],
        listings=[Listing("L", ["do it"])],
    )

    assert markdown([chapter, Chapter("Two", [])]) == [
        *("", "## One", "", "Words.", "", "### T", "", "| a | b |", "| --- | ---: |", "| x | 1 |"),
        *(
            "",
            "![Shown](p.svg)",
            "",
            "## Two",
            "",
            "## How each was run",
            "",
            "L:",
            "",
            "```",
            "do it",
            "```",
        ),
    ]


def test_a_listing_is_shown_once() -> None:
    chapters = [Chapter(name, [], listings=[Listing("L", ["do it"])]) for name in ("One", "Two")]

    assert markdown(chapters).count("L:") == 1


def test_what_is_behind_its_limit_says_so() -> None:
    table = verdict_table("", [Verdict("s", Spread(2.0, 1.0, 3.0), "below 1", holds=False)])

    assert table.rows == [("s", "2.00 (1.00-3.00)", "below 1", "**BEHIND**")]


def test_the_report_has_each_figure_from_the_run(tmp_path: Path) -> None:
    samples = [
        sample("mxgw", cpu_ms=0.5),
        sample("proxy", cpu_ms=0.8),
        sample("mxgw", round_number=1, cpu_ms=0.7),
    ]
    run = Run(rounds=2, factor=1.0, method=None, tell=lambda _: None, samples=samples)
    run.absent["Exim"] = "not there"
    chapter = relay_chapter([Mxgw()], WORKLOADS[:1], samples)
    result = Result([chapter], run, "make bench", 12.0)

    write_markdown(tmp_path / "report.md", result)

    text = (tmp_path / "report.md").read_text()
    assert "Written by `make bench`" in text
    assert "| mxgw | 0.600 (0.500-0.700) |" in text
    assert "* Exim not measured: not there" in text
    assert "smtp-source -s 20" in text
    assert len(as_json(result)["samples"]) == 3  # type: ignore[arg-type]


def test_a_lost_message_is_complained_about() -> None:
    run = Run(rounds=1, factor=1.0, method=None, tell=lambda _: None, samples=[sample("mxgw", delivered=99)])

    assert Result([], run, "", 0).complaints == ["mxgw, a20, round 1: 99 of 100 delivered. "]


def test_pictures_are_svg_and_the_same_for_the_same_figures(tmp_path: Path) -> None:
    bars = [Bar("spf", 10, 8, 12)]
    panels = [("messages/s", [Curve("mxgw", (1, 10), (5, 50), (4, 40), (6, 60))])]
    names = [(1.0, "1"), (10.0, "10")]

    first = [draw_bars(tmp_path / "a", "bars", "%", bars)]
    first.append(draw_curves(tmp_path / "a", "curves", panels, x_label="x", x_names=names))
    draw_bars(tmp_path / "b", "bars", "%", bars)
    draw_curves(tmp_path / "b", "curves", panels, x_label="x", x_names=names)

    assert first == ["a/bars.svg", "a/curves.svg"]
    for name in ("bars.svg", "curves.svg"):
        octets = (tmp_path / "a" / name).read_bytes()
        assert b"<svg " in octets
        assert octets == (tmp_path / "b" / name).read_bytes()


def test_nothing_is_drawn_where_nobody_wants_it() -> None:
    assert draw_bars(None, "bars", "%", [Bar("spf", 10, 8, 12)]) == ""
