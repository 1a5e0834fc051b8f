"""Domains in a file: read at the start, read again when it changes, kept when it breaks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mxgw.config.domains import RECHECK_SECONDS, DomainList, DomainSource, domain_list


@dataclass
class Watch:
    """A source over a file, a clock that is set by hand, and what was reported."""

    path: Path
    now: float = 100.0
    reports: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        # A new file each time: within one tick of the file system's clock the old one would look unchanged.
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.path)

    def source(self) -> DomainSource:
        return DomainSource(
            domain_list(f"file:{self.path}"), report=self.reports.append, clock=lambda: self.now
        )


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    watch = Watch(tmp_path / "domains.txt")
    watch.write("# ours\nexample.jp\n\n  Example.com  # too\nEXAMPLE.jp\n")
    return watch


def test_a_file_has_one_domain_a_line_and_comments(watch: Watch) -> None:
    domains = domain_list(f"file:{watch.path}")

    assert domains == DomainList(("example.jp", "example.com"), watch.path)
    assert str(domains) == f"file:{watch.path}"


def test_a_mistake_in_the_file_is_named_by_its_line(watch: Watch) -> None:
    watch.write("example.jp\n\nexa mple.jp\n")

    with pytest.raises(ValueError, match="line 3: it is not a domain name"):
        domain_list(f"file:{watch.path}")


def test_a_change_is_seen_after_a_second_and_not_before(watch: Watch) -> None:
    source = watch.source()
    assert source.current() == {"example.jp", "example.com"}

    watch.write("new.example\n")
    watch.now += RECHECK_SECONDS / 2
    assert source.current() == {"example.jp", "example.com"}
    watch.now += RECHECK_SECONDS / 2
    assert source.current() == {"new.example"}
    assert source.first == "new.example"
    assert watch.reports == []


@pytest.mark.parametrize("content", ["", "# nothing\n", "good.example\nb@d\n", "x" * 300, "\udcff"])
def test_a_broken_file_keeps_the_last_good_domains_and_is_reported_once(watch: Watch, content: str) -> None:
    source = watch.source()
    source.current()

    fresh = watch.path.with_suffix(".new")
    fresh.write_bytes(content.encode(errors="surrogateescape"))
    os.replace(fresh, watch.path)
    for _ in range(3):
        watch.now += RECHECK_SECONDS
        assert source.current() == {"example.jp", "example.com"}
    assert len(watch.reports) == 1
    assert str(watch.path) in watch.reports[0]

    watch.write("mended.example\n")
    watch.now += RECHECK_SECONDS
    assert source.current() == {"mended.example"}
    assert len(watch.reports) == 1


def test_a_file_that_vanishes_and_comes_back_is_read_again(watch: Watch) -> None:
    source = watch.source()
    source.current()

    watch.path.unlink()
    for _ in range(3):
        watch.now += RECHECK_SECONDS
        assert source.current() == {"example.jp", "example.com"}
    watch.write("back.example\n")
    watch.now += RECHECK_SECONDS

    assert source.current() == {"back.example"}
    assert len(watch.reports) == 1


def test_a_pipe_in_place_of_the_file_does_not_block(watch: Watch) -> None:
    source = watch.source()
    watch.path.unlink()
    os.mkfifo(watch.path)

    assert source.current() == {"example.jp", "example.com"}
    assert "not a regular file" in watch.reports[0]


def test_a_literal_list_is_not_looked_at_again() -> None:
    reports: list[str] = []
    source = DomainSource(DomainList(("a.example", "b.example")), report=reports.append)

    assert source.current() == {"a.example", "b.example"}
    assert source.first == "a.example"
    assert reports == []


def test_an_internationalised_domain_is_known_in_both_spellings() -> None:
    source = DomainSource(domain_list("例え.jp"), report=lambda _: None)

    assert source.current() == {"xn--r8jz45g.jp", "例え.jp"}
    assert source.first == "xn--r8jz45g.jp"
