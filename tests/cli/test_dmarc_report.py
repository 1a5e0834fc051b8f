"""``mxgw dmarc-report`` as its user meets it: a summary, files, mails, and what was left out."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.cli.support import PROGRAM, SECONDS, environment, mxgw
from tests.reports.events import NS, SCHEMA, line
from tests.rig.zone import Zone, ZoneServer

ME = ("--email", "dmarc@example.org", "--receiver", "mx.example.org")


@pytest.fixture
def log(tmp_path: Path) -> str:
    """Two days of three domains, with other lines and one that is cut."""
    path = tmp_path / "edge.log"
    path.write_bytes(
        b'{"time":"2024-11-22T10:00:00.000Z","event":"listening"}\n'
        + at("2024-11-22T10:00:00Z")
        + at("2024-11-23T10:00:00Z")
        + at("2024-11-23T11:00:00Z")
        + at("2024-11-23T12:00:00Z", source_ip="2001:db8::1", disposition="quarantine", **FAILED)
        + at("2024-11-23T13:00:00Z", policy_domain="example.net", rua=["mailto:dmarc@reports.example"])
        + at("2024-11-23T14:00:00Z", policy_domain="quiet.example", rua=[])
        + at("2024-11-23T15:00:00Z", policy_domain="")
        + line()[:200]
    )
    return str(path)


FAILED = {"dkim_aligned": "fail", "spf_aligned": "fail"}


def at(time: str, **changes: Any) -> bytes:
    return line(time=time, **changes)


def rows(out: str) -> dict[str, dict[str, Any]]:
    """What it prints for programs, by domain."""
    return {row["policy_domain"]: row for row in map(json.loads, out.splitlines())}


def test_a_program_gets_one_json_line_per_domain(log: str) -> None:
    ended = mxgw("dmarc-report", log)

    assert ended.code == 0
    found = rows(ended.out)
    assert list(found) == ["example.com", "example.net", "quiet.example"]
    assert found["example.com"]["begin"] == "2024-11-23T00:00:00+00:00"
    assert [
        found["example.com"][name] for name in ("messages", "passed", "failed", "quarantined", "rows")
    ] == [
        3,
        2,
        1,
        1,
        2,
    ]
    assert found["example.net"]["destinations"] == [
        {
            "uri": "mailto:dmarc@reports.example",
            "address": "dmarc@reports.example",
            "standing": "unchecked",
            "usable": False,
        }
    ]


def test_what_was_left_out_is_told_on_stderr(log: str) -> None:
    told = mxgw("dmarc-report", log).err

    assert "9 lines read: 7 DMARC events, 1 lines of other kinds" in told
    assert f"1 cannot be used; the first: {log}, line 9: the JSON is cut or broken" in told
    assert "1 messages are of other times than the period" in told
    assert "1 messages are of domains without a DMARC record" in told


def test_a_person_gets_a_table(log: str) -> None:
    shown = on_a_terminal("dmarc-report", log, "--rua")

    assert "DMARC, 2024-11-23 UTC" in shown
    words = {row.split()[0]: row.split() for row in shown.splitlines() if row.split()}
    assert words["example.com"][-2:] == ["d@example.com", "own"]
    assert words["example.net"][-2:] == ["dmarc@reports.example", "unchecked"]
    assert "nobody asks for reports" in shown
    assert ["example.com", "3", "2", "1", "1", "0", "2", "reject", "to", "1"] in [
        row.split() for row in shown.splitlines()
    ]


def test_reports_are_written_by_the_name_of_the_rfc_and_follow_its_schema(log: str, tmp_path: Path) -> None:
    reports = tmp_path / "new" / "reports"

    ended = mxgw("dmarc-report", log, "--output", str(reports), *ME)

    assert ended.code == 0
    written = sorted(path.name for path in reports.iterdir())
    assert written == sorted(row["file_name"] for row in rows(ended.out).values())
    assert written[0].startswith("mx.example.org!example.com!1732320000!1732406399!")
    for name in written:
        SCHEMA.assertValid(etree.fromstring(gzip.decompress((reports / name).read_bytes())))


def test_the_same_log_makes_the_same_files(log: str, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        mxgw("dmarc-report", log, "--output", str(tmp_path / name), *ME)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})

    assert made[0] == made[1]


def test_one_report_goes_to_stdout_as_xml(log: str) -> None:
    ended = mxgw("dmarc-report", log, "--domain", "EXAMPLE.com", "--output", "-", "--report-id", "mine7", *ME)

    root = etree.fromstring(ended.out.encode())
    SCHEMA.assertValid(root)
    assert root.findtext(f"{NS}report_metadata/{NS}report_id") == "mine7"
    assert root.findtext(f"{NS}policy_published/{NS}domain") == "example.com"


@pytest.mark.parametrize("name", ["-", None])
def test_a_log_may_come_through_a_pipe(log: str, name: str | None) -> None:
    messages = [{"message": text} for text in Path(log).read_text().splitlines()]
    fetched = json.dumps({"events": messages}, indent=4)

    ended = mxgw("dmarc-report", *([name] if name else []), stdin=fetched)

    assert rows(ended.out)["example.com"]["messages"] == 3


def test_a_directory_is_read_with_all_that_is_in_it(log: str, tmp_path: Path) -> None:
    export = tmp_path / "export" / "edge-1"
    export.mkdir(parents=True)
    (export / "000000.gz").write_bytes(gzip.compress(Path(log).read_bytes()))
    (tmp_path / "export" / "aws-logs-write-test").write_text("Permission Check Successful")

    ended = mxgw("dmarc-report", str(tmp_path / "export"))

    assert rows(ended.out)["example.com"]["messages"] == 3


def test_places_in_several_logs_are_told_apart(log: str, tmp_path: Path) -> None:
    second = tmp_path / "second.log"
    second.write_bytes(line()[:200])

    assert f"the first: {second}, line 1: " in mxgw("dmarc-report", str(second), log).err
    assert "2 cannot be used" in mxgw("dmarc-report", log, str(second)).err


def test_a_domain_without_mail_is_told(log: str) -> None:
    ended = mxgw("dmarc-report", log, "--domain", "example.info")

    assert (ended.code, ended.out) == (0, "")
    assert "there is no message under the policy of example.info" in ended.err


def test_a_file_that_breaks_off_costs_its_rest_and_the_exit_code(log: str, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(Path(log).read_bytes())[:-20])

    ended = mxgw("dmarc-report", str(cut), log)

    assert ended.code == 1
    assert f"mxgw: {cut}: the compressed data ends too early" in ended.err
    assert rows(ended.out)["example.com"]["messages"] >= 3


def test_a_period_that_is_asked_for_is_reported(log: str) -> None:
    whole = mxgw("dmarc-report", log, "--from", "2024-11-22", "--until", "2024-11-24")
    hour = mxgw("dmarc-report", log, "--from", "2024-11-23T10:00", "--until", "2024-11-23T11:00:00Z")

    assert rows(whole.out)["example.com"]["messages"] == 4
    assert rows(hour.out)["example.com"]["messages"] == 1


def test_a_log_without_events_is_no_failure(tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"")

    ended = mxgw("dmarc-report", str(empty))

    assert (ended.code, ended.out) == (0, "")
    assert "there is nothing to report" in ended.err


def test_a_flood_is_held_by_bounds_that_are_told(log: str) -> None:
    ended = mxgw("dmarc-report", log, "--max-reports", "1", "--max-rows", "1")

    assert list(rows(ended.out)) == ["example.com"]
    assert rows(ended.out)["example.com"]["left_out"] == 1
    assert "1 messages are in no row" in ended.err
    assert "2 domains get no report" in ended.err


def content(path: str) -> str:
    return Path(path).read_bytes().decode()


async def asked(zone: Zone, *arguments: str) -> tuple[str, str]:
    async with ZoneServer(zone) as server:
        settings = {"MXGW_DNS": f"127.0.0.1:{server.port}"}
        ended = await asyncio.to_thread(mxgw, *arguments, settings=settings)
    assert ended.code == 0, ended.err
    return ended.out, ended.err


async def test_mail_is_written_for_those_who_ask_and_have_agreed(log: str, tmp_path: Path) -> None:
    zone = Zone({"example.net._report._dmarc.reports.example": {"TXT": ["v=DMARC1"]}})

    out, _ = await asked(zone, "dmarc-report", log, "--output", str(tmp_path / "r"), "--eml", "--dns", *ME)

    found = rows(out)
    assert found["quiet.example"]["eml"] is None
    assert found["example.net"]["destinations"][0]["standing"] == "agreed"
    for domain, to in (("example.com", "d@example.com"), ("example.net", "dmarc@reports.example")):
        path = found[domain]["eml"]
        assert f"\r\nTo: {to}\r\n" in content(path)
        assert found[domain]["send"] == f"sendmail -i -f dmarc@example.org -- {to} < '{path}'"


def test_destinations_elsewhere_get_no_mail_unchecked(log: str, tmp_path: Path) -> None:
    ended = mxgw("dmarc-report", log, "--output", str(tmp_path / "r"), "--eml", *ME)

    assert rows(ended.out)["example.net"]["eml"] is None
    assert "1 destinations elsewhere get no mail unchecked: add --dns" in ended.err


async def test_who_has_not_agreed_gets_no_mail(log: str, tmp_path: Path) -> None:
    out, _ = await asked(Zone(), "dmarc-report", log, "--output", str(tmp_path / "r"), "--eml", "--dns", *ME)

    assert rows(out)["example.net"]["destinations"][0]["standing"] == "not-agreed"
    assert rows(out)["example.net"]["eml"] is None
    assert rows(out)["example.net"]["path"]


def test_the_command_that_is_shown_gives_sendmail_the_mail(log: str, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    sendmail = programs / "sendmail"
    sendmail.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.arguments"\ncat > "$0.mail"\n')
    sendmail.chmod(0o755)
    out = mxgw("dmarc-report", log, "--output", str(tmp_path / "it's here"), "--eml", *ME).out
    report = rows(out)["example.com"]

    path = f"{programs}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", report["send"]], env={"PATH": path}, check=True, timeout=SECONDS)

    given = (programs / "sendmail.arguments").read_text().split()
    assert given == ["-i", "-f", "dmarc@example.org", "--", "d@example.com"]
    assert (programs / "sendmail.mail").read_bytes() == Path(report["eml"]).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "tomorrow"), "--from 'tomorrow': expected a date"),
        (("--from", "2024-11-24", "--until", "2024-11-23"), "the period must begin before it ends"),
        (("--from", "9999-12-31"), "between the years 1970 and 9999"),
        (("--domain", "a b"), "--domain 'a b': expected a domain"),
        (("--eml",), "--eml needs a directory: --output DIR"),
        (("--output", "reports"), "--email ADDRESS, for example"),
        (("--output", "-", *ME), "and there are 3: use --domain"),
        (("--email", "nobody"), "--email 'nobody': expected an address"),
        (("--receiver", "a/b"), "--receiver 'a/b': expected a domain"),
        (("--report-id", "x!"), "letters and digits only"),
        (("--report-id", "x"), "choose its domain with --domain"),
    ],
)
def test_a_mistake_is_one_sentence(log: str, arguments: tuple[str, ...], sentence: str) -> None:
    ended = mxgw("dmarc-report", log, *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


def test_a_wrong_server_for_dns_is_a_mistake(log: str) -> None:
    ended = mxgw("dmarc-report", log, "--dns", settings={"MXGW_DNS": "ns.example"})

    assert ended.code == 2
    assert "MXGW_DNS" in ended.err.splitlines()[-1]


def test_a_directory_that_cannot_be_written_is_a_failure(log: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ended = mxgw("dmarc-report", log, "--output", str(tmp_path / "file" / "reports"), *ME)

    assert ended.code == 1
    assert "the reports cannot be written" in ended.err


def test_a_bar_shows_how_far_a_large_log_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large.log"
    other = b'{"event":"transaction","filler":"' + b"x" * 1000 + b'"}\n'
    large.write_bytes(other * 20_000 + at("2024-11-23T10:00:00Z"))

    shown = on_a_terminal("dmarc-report", str(large))

    assert "reading" in shown
    assert "example.com" in shown


def on_a_terminal(*arguments: str, settings: Mapping[str, str] | None = None) -> str:
    """All that a person sees."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        env=environment({"TERM": "xterm", "NO_COLOR": "1", **(settings or {})}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:
        # Linux says EIO where the other side of a terminal is gone.
        pass
    finally:
        os.close(ours)
        assert process.wait(SECONDS) == 0
    return seen.decode()
