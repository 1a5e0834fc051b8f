"""The command as people and programs call it: tables and JSON, two languages, exit codes, wrong input."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mxgw.admin.words import Language
from mxgw.cli import group
from mxgw.doctor.words import DoctorWords
from tests.admin.person import Person
from tests.cli.support import PROGRAM, Ended, environment, mxgw
from tests.doctor.doctor_rig import DOMAIN, EDGE, NameServer, OddEdge, issue
from tests.doctor.test_doctor_domain import GOOD, KEY
from tests.rig.homeacts import Act, Hang
from tests.rig.zone import Zone

NO_HOUSE = {"MXGW_STACK": "/nonexistent"}
NO_SETTINGS = {
    **dict.fromkeys(("MXGW_ADMIN_MX", "MXGW_DOMAINS", "MXGW_ADMIN_MX_ADDRESSES"), ""),
    **dict.fromkeys(("MAIL_DOMAINS", "EDGE_HOSTNAME", "CLOUDFLARE_API_TOKEN"), ""),
    **NO_HOUSE,
}
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])
REVERSE = {"127.0.0.1": {"PTR": [EDGE]}}
HERE = {**GOOD, **REVERSE, EDGE: {"A": ["127.0.0.1"]}, "s2._domainkey.example.jp": {"TXT": [KEY]}}


async def doctor(
    *arguments: str, lang: str = "en", settings: dict[str, str] | None = None, trusted: Path | None = None
) -> Ended:
    given = {"LC_ALL": f"{lang}_XX.UTF-8", **NO_HOUSE, **(settings or {})}
    if trusted:
        given["SSL_CERT_FILE"] = os.fspath(trusted)
    return await asyncio.to_thread(mxgw, "doctor", *arguments, settings=given)


def asking(servers: Sequence[NameServer], own: NameServer) -> list[str]:
    return [*[f"--dns={server.address}" for server in servers], f"--authority={own.address}"]


def levels(ended: Ended) -> dict[str, str]:
    return {check["check"]: check["level"] for check in json.loads(ended.out)["checks"]}


async def test_edge_and_domain_are_looked_at_in_one_run(tmp_path: Path) -> None:
    cert, key, authorities = issue(tmp_path)
    async with (
        NameServer(Zone(HERE)) as own,
        NameServer(Zone(HERE)) as one,
        NameServer(Zone(HERE)) as other,
        OddEdge().with_certificate(cert, key) as edge,
    ):
        ended = await doctor(
            *("--edge", f"{EDGE}:{edge.port}", "--domain", DOMAIN, "--mx-address", "127.0.0.1"),
            *asking([one, other], own),
            trusted=authorities,
        )

    told = json.loads(ended.out)
    assert [check for check in told["checks"] if check["level"] != "ok"] == []
    assert (ended.code, ended.err) == (0, "")
    assert told["ok"] is True
    assert told["domains"] == [DOMAIN]
    assert {check["subject"] for check in told["checks"]} == {DOMAIN, f"{EDGE}:{edge.port}"}
    assert len(told["checks"]) == 12 + 10
    assert all(check["message"] and check["evidence"] for check in told["checks"])


async def test_what_is_wrong_is_told_with_what_to_do_and_exit_code_1() -> None:
    zone = Zone(HERE)
    zone.put(DOMAIN, {"MX": [(10, "old.example")]})
    async with NameServer(zone) as server:
        ended = await doctor(
            *("--domain", DOMAIN, "--mx-address", "127.0.0.1"), *asking([server], server), lang="ja"
        )

    (mx,) = [check for check in json.loads(ended.out)["checks"] if check["check"] == "MX"]
    assert ended.code == 1
    assert (mx["level"], mx["finding"]) == ("failed", "mx-elsewhere")
    assert "old.example" in mx["message"]
    assert "MX レコード" in mx["mend"]
    assert mx["evidence"] == [f"{DOMAIN}: 10 old.example  [127.0.0.1, {server.address}]"]


async def test_what_only_a_cache_remembers_is_told_with_the_time_until_it_forgets() -> None:
    stale = Zone(HERE)
    stale.put(DOMAIN, {"MX": [(10, "old.example")]})
    async with NameServer(Zone(HERE)) as own, NameServer(stale, ttl=890) as cache:
        ended = await doctor("--domain", DOMAIN, "--mx-address", "127.0.0.1", *asking([cache], own))

    (mx,) = [check for check in json.loads(ended.out)["checks"] if check["check"] == "MX"]
    assert (ended.code, mx["finding"], mx["level"]) == (0, "spreading", "warning")
    assert mx["mend"] == DoctorWords(Language.EN)("mend-spreading-minutes", minutes=15)


async def test_the_environment_names_the_edge_and_the_domains() -> None:
    settings = {"MXGW_ADMIN_MX_ADDRESSES": "127.0.0.1", "MXGW_DOMAINS": DOMAIN}
    async with NameServer(Zone(HERE)) as server, OddEdge() as edge:
        settings["MXGW_ADMIN_MX"] = f"{EDGE}:{edge.port}"
        both = await doctor(*asking([server], server), "--timeout", "2", settings=settings)
        domain = await doctor("--domain", DOMAIN, *asking([server], server), settings=settings)

    assert both.code == 1
    assert levels(both)["starttls"] == "failed"
    assert levels(both)["MX"] == "ok"
    assert "port" not in levels(domain)
    assert domain.code == 0


async def test_an_edge_by_its_address_is_not_taken_for_the_name_of_the_mx() -> None:
    zone = Zone({**HERE, "in.example.jp": {"A": ["127.0.0.1"]}})
    zone.put(DOMAIN, {"MX": [(10, "in.example.jp")]})
    async with NameServer(zone) as server, OddEdge() as edge:
        where = ("--edge", f"127.0.0.1:{edge.port}", "--domain", DOMAIN, "--mx-address", "127.0.0.1")
        unnamed = await doctor(*where, *asking([server], server), "--timeout", "2")
        named = await doctor(
            *(*where, *asking([server], server), "--timeout", "2"),
            settings={"MXGW_ADMIN_MX": "in.example.jp"},
        )

    assert levels(unnamed)["MX"] == "failed"
    assert levels(named)["MX"] == levels(named)["MX (A)"] == "ok"


async def test_selectors_and_senders_are_those_that_are_given() -> None:
    async with NameServer(Zone(HERE)) as server:
        ended = await doctor(
            *("--domain", DOMAIN, "--outbound", "192.0.2.7", "--selector", "S1"),
            *("--mx-address", "127.0.0.1", *asking([server], server)),
        )
        none = await doctor(
            *("--domain", DOMAIN, "--outbound", "198.51.100.1", "--mx-address", "127.0.0.1"),
            *asking([server], server),
        )

    assert ended.code == 0
    assert [check["check"] for check in json.loads(ended.out)["checks"]].count("DKIM") == 1
    assert none.code == 1
    assert "DKIM" not in levels(none)
    assert levels(none)["SPF"] == "failed"


async def test_a_message_is_delivered_only_where_it_is_asked_for() -> None:
    said: dict[str, Act] = {"RCPT TO:<taro@example.jp>": "250 2.1.5 OK"}
    async with NameServer(Zone(HERE)) as server, OddEdge(said) as edge:
        where = ("--edge", f"127.0.0.1:{edge.port}", f"--dns={server.address}", "--timeout", "1")
        without = await doctor(*where)
        heard = list(edge.heard)
        ended = await doctor(*where, "--send", "taro@example.jp")

    assert "DATA" not in heard
    assert "delivery" not in levels(without)
    assert levels(ended)["delivery"] == "ok"
    assert any("Auto-Submitted: auto-generated" in line for line in edge.heard)


async def test_a_server_that_hangs_takes_no_longer_than_was_asked_for() -> None:
    async with NameServer(Zone(HERE), silent=set(HERE)) as silent, OddEdge({"greeting": Hang()}) as edge:
        ended = await doctor(
            *("--edge", f"127.0.0.1:{edge.port}", "--domain", DOMAIN, "--timeout", "0.2"),
            *asking([silent], silent),
        )

    assert ended.code == 1
    assert [check["finding"] for check in json.loads(ended.out)["checks"]] == [
        *("smtp-silent", "reverse-away", "servers-all-silent"),
    ]


def test_a_port_that_is_no_mail_server_is_told_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"127.0.0.1:{door.getsockname()[1]}"
        # Nobody accepts: connected by the system, and silent.
        ended = mxgw("doctor", "--edge", address, "--timeout", "0.2", "--dns", "127.0.0.1:1")

    assert (ended.code, ended.err) == (1, "")
    assert levels(ended)["port"] == "failed"


# Wrong input.

MISTAKES: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
    ((), "doctor-nothing", {}),
    (("--house",), "doctor-no-house", {}),
    (("--house", "--domain", DOMAIN), "doctor-house-alone", {}),
    (("--house", "--edge", EDGE), "doctor-house-alone", {}),
    (("--yes",), "doctor-yes-alone", {}),
    (("--domain", DOMAIN, "--repair"), "doctor-repair-needs-yes", {}),
    (("--domain", DOMAIN, "--repair", "--yes"), "doctor-repair-elsewhere", {}),
    (("--edge", "mx example"), "bad-edge", {"text": "mx example"}),
    (("--edge", "mx.example.jp:0"), "bad-edge", {"text": "mx.example.jp:0"}),
    (("--edge", "mx.example.jp:smtp"), "bad-edge", {"text": "mx.example.jp:smtp"}),
    (("--edge", "mx.example.jp:99999"), "bad-edge", {"text": "mx.example.jp:99999"}),
    (("--domain", "example"), "bad-domain", {"text": "example"}),
    (("--domain", "a b.example"), "bad-domain", {"text": "a b.example"}),
    (("--domain", DOMAIN, "--outbound", "sendgrid"), "bad-domain", {"text": "sendgrid"}),
    (("--domain", DOMAIN, "--selector", "a_b!"), "bad-selector", {"text": "a_b!"}),
    (("--domain", DOMAIN, "--mx-address", "1.2.3"), "bad-ipv4", {"text": "1.2.3"}),
    (("--domain", DOMAIN, "--dns", "dns.example"), "bad-dns-server", {"text": "dns.example"}),
    (("--domain", DOMAIN, "--authority", "ns.example"), "bad-dns-server", {"text": "ns.example"}),
    (("--domain", DOMAIN, "--reports", "taro"), "bad-address", {"text": "taro"}),
    (("--domain", DOMAIN, "--send", f"taro@{DOMAIN}"), "doctor-send-without-edge", {}),
    (("--edge", EDGE, "--send", "taro"), "bad-address", {"text": "taro"}),
    (("--edge", EDGE, "--timeout", "soon"), "bad-timeout", {"text": "soon", "least": "0.1", "most": "300"}),
    (("--edge", EDGE, "--timeout", "nan"), "bad-timeout", {"text": "nan", "least": "0.1", "most": "300"}),
    (("--edge", EDGE, "--timeout", "0"), "bad-timeout", {"text": "0", "least": "0.1", "most": "300"}),
    (
        tuple(f"--domain=d{number}.example" for number in range(21)),
        "too-many-domains",
        {"count": 21, "most": 20},
    ),
    (("--nonsense",), "usage-no-option", {"name": "--nonsense"}),
    (("word",), "no-such-code", {"text": "word", "example": "M34"}),
    (("--lang", "fr"), "usage-choice", {"name": "--lang", "choices": "en, ja"}),
]


@pytest.mark.parametrize(("arguments", "key", "facts"), MISTAKES)
def test_wrong_input_is_a_sentence_in_the_users_language(
    arguments: tuple[str, ...], key: str, facts: dict[str, Any]
) -> None:
    for lang in Language:
        ended = CliRunner().invoke(
            group, ["doctor", *arguments], env={"LC_ALL": f"{lang}_XX.UTF-8", **NO_SETTINGS}
        )

        assert ended.exit_code == 2
        assert ended.stderr.splitlines()[0] == f"mxgw: {DoctorWords(lang)(key, **facts)}"
        assert isinstance(ended.exception, SystemExit)


@LANGUAGES
def test_wrong_input_is_told_to_programs_too(lang: str) -> None:
    ended = mxgw("doctor", "--domain", "example", settings={"LC_ALL": f"{lang}_XX.UTF-8"})

    sentence = DoctorWords(Language(lang))("bad-domain", text="example")
    assert (ended.code, ended.err) == (2, f"mxgw: {sentence}\n")
    assert json.loads(ended.out) == {"ok": False, "error": "bad-domain", "message": sentence}


# A person at a terminal.


@LANGUAGES
async def test_a_person_sees_a_table_with_evidence_and_what_to_do(lang: str) -> None:
    words = DoctorWords(Language(lang))
    zone = Zone(HERE)
    zone.put("_dmarc.example.jp", {"TXT": []})
    zone.put("_mta-sts.example.jp", {"TXT": ["v=STSv1; id=\x1b[31mred"]})

    def look() -> str:
        environ = {**environment({"TERM": "xterm-256color"}), "LC_ALL": f"{lang}_XX.UTF-8"}
        arguments = ("--domain", DOMAIN, "--mx-address", "127.0.0.1", *asking([server], server))
        edge = ("--edge", f"127.0.0.1:{odd.port}", "--timeout", "2")
        with Person([PROGRAM, "doctor", *edge, *arguments], environ) as someone:
            someone.sees(words("edge-title", place=f"127.0.0.1:{odd.port}"))
            someone.sees(words("label-starttls"))
            someone.sees(words("level-failed"))
            someone.sees(words("starttls-missing"))
            someone.sees(words("domain-title", domain=DOMAIN))
            someone.sees(words("dmarc-missing"))
            someone.sees(words("evidence", text="_dmarc.example.jp: -"))
            someone.sees(words("mta-sts-id"))
            someone.sees(words("doctor-failed", failed=2, warnings=1))
            assert someone.ends() == 1
        return someone.raw

    async with (
        NameServer(zone) as server,
        OddEdge({"EHLO": f"250-{EDGE}\n250-SIZE\n250-PIPELINING\n250 8BITMIME"}) as odd,
    ):
        raw = await asyncio.to_thread(look)

    assert "\x1b[1;31m" in raw
    assert "\x1b[32m" in raw
    assert "\x1b[31mred" not in raw


def test_the_doctor_needs_no_driver_of_a_database() -> None:
    program = (
        "import sys, mxgw.cli.doctor_call; print(*sorted(set(sys.modules) & {'pymysql', 'aiohttp', 'rich'}))"
    )

    assert mxgw("-c", program, start=(sys.executable,)).out.split() == []
