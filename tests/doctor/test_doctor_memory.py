"""Resolvers that still give an old answer are named, with what they say and how long they remember it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mxgw.admin.words import Language, Words
from mxgw.doctor.memory import Memory, Noting, Old, memories
from mxgw.doctor.public_resolvers import resolver_name
from mxgw.resolver.answers import Status
from tests.admin.admin_house import Told, admin
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.rig.process import find_program
from tests.rig.zone import Zone, ZoneServer

DOMAIN = "example.jp"
MX = "mx.example.jp"
NEW: dict[str, dict[str, Sequence[Any]]] = {
    DOMAIN: {"MX": [(10, MX)], "TXT": ["v=spf1 include:sendgrid.net ~all"]},
    MX: {"A": ["203.0.114.1"]},
    "_autodiscover._tcp.example.jp": {"SRV": [(0, 0, 443, "home.example.ts.net")]},
    "_dmarc.example.jp": {"TXT": ["v=DMARC1; p=reject; rua=mailto:a@example.jp"]},
}
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


class Broken(Zone):
    """Has no answer to anything."""

    def find(self, kind: str, name: str) -> tuple[Status, list[tuple[str, str]], list[Any]]:
        del kind, name
        return Status.TEMPORARY, [], []


def zone_with(**changes: Sequence[Any]) -> Zone:
    """The new zone, with other records of these types at the domain."""
    zone = Zone(NEW)
    zone.put(DOMAIN, changes)
    return zone


async def asked(truth: Zone, *servers: ZoneServer, seconds: float = 3.0) -> list[Memory]:
    """What the servers remember against the truth."""
    noting = Noting(truth)
    await noting.mx(DOMAIN)
    await noting.txt(DOMAIN)
    await noting.a(MX)
    await noting.aaaa(MX)
    await noting.txt(f"_dmarc.{DOMAIN}")
    await noting.srv(f"_autodiscover._tcp.{DOMAIN}")
    resolvers = [("127.0.0.1", server.port) for server in servers]
    return await memories(noting.answers, resolvers, answer_seconds=seconds)


async def test_who_says_what_the_zone_says_remembers_nothing_old() -> None:
    async with ZoneServer(Zone(NEW)) as server:
        (memory,) = await asked(Zone(NEW), server)

    assert memory == Memory(resolver_name(("127.0.0.1", server.port)), True)


async def test_an_old_answer_is_shown_with_its_rest_of_time() -> None:
    stale = zone_with(MX=[(1, "aspmx.l.google.com"), (5, "alt1.google.com")], TXT=[])
    async with ZoneServer(stale, ttl=900, negative_ttl=120) as first, ZoneServer(Zone(NEW)) as second:
        old, current = await asked(Zone(NEW), first, second)

    assert old.old == (
        Old("MX", DOMAIN, ("1 aspmx.l.google.com", "5 alt1.google.com"), 900.0),
        Old("TXT", DOMAIN, (), 120.0),
    )
    assert (old.seconds, current.old) == (900.0, ())


async def test_what_the_zone_has_no_more_is_old_too() -> None:
    truth = Zone(NEW)
    truth.put("_autodiscover._tcp.example.jp", {"SRV": []})
    async with ZoneServer(Zone(NEW), ttl=60) as server:
        (memory,) = await asked(truth, server)

    assert memory.old == (
        Old("SRV", "_autodiscover._tcp.example.jp", ("0 0 443 home.example.ts.net",), 60.0),
    )


async def test_no_name_and_no_record_are_the_same_nothing() -> None:
    truth = Zone({DOMAIN: {"MX": [(10, MX)]}, f"below.{MX}": {"A": ["192.0.2.1"]}})
    told = Zone({DOMAIN: {"MX": [(10, MX)]}})
    async with ZoneServer(told) as server:
        (memory,) = await asked(truth, server)

    assert memory.old == ()


async def test_capitals_and_order_are_no_difference_but_the_end_of_a_long_text_is() -> None:
    long = "v=DKIM1; p=" + "A" * 200
    same = zone_with(MX=[(10, MX.upper())], TXT=["b", long])
    async with ZoneServer(same) as first, ZoneServer(zone_with(TXT=["b", f"{long}B"])) as second:
        one, other = await asked(zone_with(TXT=[long, "b"]), first, second)

    assert one.old == ()
    assert [(it.kind, it.name) for it in other.old] == [("TXT", DOMAIN)]


@pytest.mark.parametrize("name", ["mta-sts.example.jp", "autodiscover.example.jp"])
async def test_names_that_a_network_for_content_serves_may_have_another_address(name: str) -> None:
    truth, told, gone = (Zone({name: {"A": addresses}}) for addresses in (["192.0.2.1"], ["192.0.2.2"], []))
    noting = Noting(truth)
    await noting.a(name)
    async with ZoneServer(told) as first, ZoneServer(gone) as second:
        servers = [("127.0.0.1", server.port) for server in (first, second)]
        other, none = await memories(noting.answers, servers)

    assert (other.old, [it.seen for it in none.old]) == ((), [()])


async def test_who_does_not_answer_is_silent_and_not_old() -> None:
    async with ZoneServer(Zone(NEW, failing=[*NEW])) as failing, ZoneServer(Zone(NEW)) as mute:
        mute.silent = set(NEW)
        found = await asked(Zone(NEW), failing, mute, seconds=0.3)

    assert [(it.answered, it.old) for it in found] == [(False, ())] * 2


async def test_what_the_zone_itself_did_not_say_is_not_compared() -> None:
    truth = Zone(NEW, failing=[f"MX {DOMAIN}"])
    async with ZoneServer(zone_with(MX=[(1, "aspmx.l.google.com")])) as server:
        (memory,) = await asked(truth, server)

    assert memory.old == ()
    assert f"MX {DOMAIN}" not in server.zone.asked


async def test_one_question_without_an_answer_hides_no_other() -> None:
    stale = Zone(NEW, failing=[f"TXT {DOMAIN}"])
    stale.put(DOMAIN, {"MX": [(1, "aspmx.l.google.com")]})
    async with ZoneServer(stale) as server:
        (memory,) = await asked(Zone(NEW), server)

    assert (memory.answered, [it.kind for it in memory.old]) == (True, ["MX"])


async def test_what_was_noted_is_what_was_said() -> None:
    noting = Noting(Zone(NEW, failing=[MX]))

    await noting.a(MX)
    await noting.txt("nothing.example.jp")

    assert {question: answer.status for question, answer in noting.answers.items()} == {
        ("A", MX): Status.TEMPORARY,
        ("TXT", "nothing.example.jp"): Status.NO_NAME,
    }


# -- the command --------------------------------------------------------------------------------------------


async def checked(new: ZoneServer, *resolvers: ZoneServer, lang: str = "en") -> Told:
    options = [word for server in resolvers for word in ("--resolver", server.address)]
    settings = {"MXGW_DNS": new.address}
    command = ("domain", "check", DOMAIN, *options)
    return await asyncio.to_thread(admin, *command, settings=settings, lang=lang)


async def test_the_check_says_who_still_has_the_old_answer_and_until_when() -> None:
    before = datetime.now(UTC)
    stale = zone_with(MX=[(1, "aspmx.l.google.com")])
    async with ZoneServer(Zone(NEW)) as new, ZoneServer(stale, ttl=900) as old:
        told = await checked(new, new, old)
    after = datetime.now(UTC)

    current, remembering = told.facts["resolvers"]
    assert current == {"resolver": new.address, "state": "current", "old": []}
    assert (remembering["resolver"], remembering["state"]) == (old.address, "old")
    (one,) = remembering["old"]
    assert (one["type"], one["name"], one["seen"]) == ("MX", DOMAIN, ["1 aspmx.l.google.com"])
    until = datetime.fromisoformat(one["until"])
    assert before + timedelta(seconds=898) <= until <= after + timedelta(seconds=900)


async def test_who_names_a_server_asks_no_other() -> None:
    async with ZoneServer(Zone(NEW)) as new:
        told = await checked(new)

    assert told.facts["resolvers"] == []


async def test_a_resolver_that_is_no_address_is_refused() -> None:
    told = await asyncio.to_thread(admin, "domain", "check", DOMAIN, "--resolver", "ns.example", settings={})

    assert (told.code, told.facts["error"]) == (2, "bad-dns-server")


@LANGUAGES
async def test_a_person_sees_a_line_for_each_resolver_and_how_long_to_wait(lang: str) -> None:
    words = Words(Language(lang))
    stale = zone_with(MX=[(1, "aspmx.l.google.com")], TXT=[])

    def looks(*servers: ZoneServer) -> str:
        new, *resolvers = servers
        given = {"MXGW_DNS": new.address, "LANG": f"{lang}_XX.UTF-8", "LC_ALL": "", "TERM": "xterm"}
        # The time of day is that of the person, and says whose it is.
        environ = environment({**given, "TZ": "JST-9", "COLUMNS": "200"})
        setsid = find_program("setsid", package="util-linux")
        command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "domain", "check", DOMAIN]
        for server in resolvers:
            command += ["--resolver", server.address]
        with Person(command, environ) as someone:
            someone.ends()
            return someone.screen

    async with (
        ZoneServer(Zone(NEW)) as new,
        ZoneServer(stale, ttl=90000, negative_ttl=90) as old,
        ZoneServer(Broken()) as broken,
    ):
        screen = await asyncio.to_thread(looks, new, new, old, broken)

    text = " ".join(screen.split())
    assert words("memory-is-current") in text
    assert words("memory-is-silent") in text
    assert "MX example.jp = 1 aspmx.l.google.com" in text
    nothing = words("memory-line-nothing", kind="TXT", name=DOMAIN, time="", minutes=2)
    assert nothing.partition("2")[2] in text
    assert " JST" in text
    assert words("memory-wait", time="").partition(".")[0][:20] in text
