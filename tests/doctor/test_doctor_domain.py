"""What a domain publishes, as several servers tell it: mistakes, and what is only on its way."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from mxgw.admin.dns_check import Level
from mxgw.admin.dns_records import SENDGRID, Exchanger, Purpose
from mxgw.doctor.authority import Authority, Delegation, FixedServers
from mxgw.doctor.domain_judge import judge_domain
from mxgw.doctor.spf_tree import SpfTree, walk_spf
from mxgw.doctor.survey import Source, Wanted, authorities, survey
from mxgw.doctor.verdict import Verdict
from mxgw.resolver.answers import Status
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream
from tests.doctor.doctor_rig import DOMAIN, EDGE, NameServer, assert_spoken
from tests.rig.zone import Zone

Records = Mapping[str, Sequence[Any]]
ADDRESS = "203.0.114.1"
SPREADING = "spreading"


def rsa_record(bits: int) -> str:
    public = rsa.generate_private_key(65537, bits).public_key()
    octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"


def ed25519_record() -> str:
    octets = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(octets).decode()}"


KEY, BROKEN_KEY = rsa_record(2048), rsa_record(1024).replace("p=MI", "p=XX")

GOOD: dict[str, Records] = {
    DOMAIN: {"MX": [(10, EDGE)], "TXT": ["v=spf1 include:sendgrid.net ~all"], "NS": ["ns1.dns.example"]},
    EDGE: {"A": [ADDRESS]},
    "sendgrid.net": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"], "NS": ["ns1.dns.example"]},
    "s1._domainkey.example.jp": {"CNAME": ["s1.domainkey.u1.wl1.sendgrid.net"]},
    "s1.domainkey.u1.wl1.sendgrid.net": {"TXT": [KEY]},
    "_dmarc.example.jp": {"TXT": ["v=DMARC1; p=reject; rua=mailto:postmaster@example.jp"]},
    "_smtp._tls.example.jp": {"TXT": ["v=TLSRPTv1; rua=mailto:postmaster@example.jp"]},
    "_mta-sts.example.jp": {"TXT": ["v=STSv1; id=20260101000000"]},
    "mta-sts.example.jp": {"A": ["203.0.115.9"]},
    "ns1.dns.example": {"A": ["127.0.0.1"]},
}
CHECKS = ["DNS", "MX", Purpose.MX_ADDRESS, "SPF", "DKIM", "DMARC", "TLS-RPT", "MTA-STS", Purpose.MTA_STS_HOST]


def wanted(outbound: str = SENDGRID) -> Wanted:
    exchanger = Exchanger(EDGE, (IPv4Address(ADDRESS),))
    sender = outbound if outbound[0].isalpha() else ip_address(outbound)
    return Wanted(DOMAIN, exchanger, sender, ("s1",), f"postmaster@{DOMAIN}")


def changed(name: str, records: Records) -> Zone:
    zone = Zone(GOOD)
    zone.put(name, records)
    return zone


async def judged(
    own: Sequence[Zone], resolvers: Sequence[Zone], *, outbound: str = SENDGRID
) -> dict[str, Verdict]:
    sources = [Source(f"ns{number}", True, zone) for number, zone in enumerate(own, 1)]
    sources += [Source(f"r{number}", False, zone) for number, zone in enumerate(resolvers, 1)]
    verdicts = judge_domain(await survey(wanted(outbound), sources))
    assert_spoken(verdicts)
    return {verdict.check: verdict for verdict in verdicts}


def wrong(verdicts: Mapping[str, Verdict]) -> dict[str, tuple[str, Level]]:
    return {
        check: (verdict.key, verdict.level)
        for check, verdict in verdicts.items()
        if verdict.level is not Level.OK
    }


async def test_what_is_right_everywhere_is_right() -> None:
    verdicts = await judged([Zone(GOOD), Zone(GOOD)], [Zone(GOOD), Zone(GOOD)])

    assert wrong(verdicts) == {}
    assert list(verdicts) == CHECKS
    assert verdicts["MX"].evidence == (f"{DOMAIN}: 10 {EDGE}  [ns1, ns2, r1, r2]",)
    assert verdicts["SPF"].facts["lookups"] == 1


# Each record broken in turn, at every server.

F, W = Level.FAILED, Level.WARNING
INCLUDES = " ".join(f"a:h{number}.example" for number in range(10))

MISTAKES: list[tuple[str, Records, str, str, Level]] = [
    (DOMAIN, {"MX": []}, "MX", "mx-missing", F),
    (DOMAIN, {"MX": [(0, "")]}, "MX", "mx-null", F),
    (DOMAIN, {"MX": [(10, "mx.other.example")]}, "MX", "mx-elsewhere", F),
    (DOMAIN, {"MX": [(10, EDGE), (20, "old.example")]}, "MX", "mx-others", F),
    (EDGE, {"A": []}, Purpose.MX_ADDRESS, "address-missing", F),
    (EDGE, {"A": ["104.16.0.1"]}, Purpose.MX_ADDRESS, "address-proxied", F),
    (DOMAIN, {"TXT": []}, "SPF", "spf-missing", F),
    (DOMAIN, {"TXT": ["v=spf1 -all", "v=spf1 ~all"]}, "SPF", "spf-several", F),
    (DOMAIN, {"TXT": ["v=spf1 includes:sendgrid.net ~all"]}, "SPF", "spf-syntax", F),
    (DOMAIN, {"TXT": ["v=spf1 -all"]}, "SPF", "spf-without-sender", F),
    (DOMAIN, {"TXT": ["v=spf1 include:sendgrid.net +all"]}, "SPF", "spf-open", F),
    (DOMAIN, {"TXT": ["v=spf1 include:sendgrid.net"]}, "SPF", "spf-endless", W),
    (DOMAIN, {"TXT": [f"v=spf1 include:sendgrid.net {INCLUDES} -all"]}, "SPF", "spf-too-many", F),
    (
        DOMAIN,
        {"TXT": ["v=spf1 include:sendgrid.net include:no.example -all"]},
        "SPF",
        "spf-broken-include",
        F,
    ),
    ("sendgrid.net", {"TXT": ["v=spf1 nonsense"]}, "SPF", "spf-broken-include", F),
    ("s1._domainkey.example.jp", {"CNAME": [], "TXT": []}, "DKIM", "dkim-missing", F),
    ("s1.domainkey.u1.wl1.sendgrid.net", {"TXT": ["v=DKIM1; p="]}, "DKIM", "dkim-revoked", F),
    ("s1.domainkey.u1.wl1.sendgrid.net", {"TXT": [KEY, KEY + " "]}, "DKIM", "dkim-several", F),
    ("s1.domainkey.u1.wl1.sendgrid.net", {"TXT": [BROKEN_KEY]}, "DKIM", "dkim-unusable", F),
    ("s1.domainkey.u1.wl1.sendgrid.net", {"TXT": ["v=DKIM1; k=rot13; p=YWJj"]}, "DKIM", "dkim-unusable", F),
    ("_dmarc.example.jp", {"TXT": []}, "DMARC", "dmarc-missing", F),
    ("_dmarc.example.jp", {"TXT": ["v=DMARC1; p=none"]}, "DMARC", "dmarc-none", W),
    ("_dmarc.example.jp", {"TXT": ["v=DMARC1; p=refuse"]}, "DMARC", "dmarc-problem", F),
    ("_smtp._tls.example.jp", {"TXT": []}, "TLS-RPT", "tls-rpt-missing", W),
    ("_mta-sts.example.jp", {"TXT": ["v=STSv1; id=!"]}, "MTA-STS", "mta-sts-id", W),
    ("mta-sts.example.jp", {"A": []}, Purpose.MTA_STS_HOST, "mta-sts-host-missing", F),
]


@pytest.mark.parametrize(("name", "records", "check", "key", "level"), MISTAKES)
async def test_each_mistake_names_itself(
    name: str, records: Records, check: str, key: str, level: Level
) -> None:
    verdicts = await judged([changed(name, records)], [changed(name, records)] * 2)

    assert wrong(verdicts) == {check: (key, level)}
    assert verdicts[check].mend
    assert verdicts[check].evidence


@pytest.mark.parametrize(("name", "records", "check", "key", "level"), MISTAKES)
async def test_a_mistake_that_only_a_cache_remembers_is_still_spreading(
    name: str, records: Records, check: str, key: str, level: Level
) -> None:
    del key, level
    verdicts = await judged([Zone(GOOD)], [changed(name, records), Zone(GOOD)])

    assert wrong(verdicts) == {check: (SPREADING, W)}
    assert verdicts[check].facts["who"] == "r1"
    assert len(verdicts[check].evidence) == 2


@pytest.mark.parametrize(("name", "records", "check", "key", "level"), MISTAKES)
async def test_a_mistake_at_the_source_is_a_mistake_though_caches_know_better(
    name: str, records: Records, check: str, key: str, level: Level
) -> None:
    verdicts = await judged([changed(name, records)], [Zone(GOOD), Zone(GOOD)])

    assert wrong(verdicts) == {check: (key, level)}


async def test_servers_of_a_zone_that_differ_are_still_spreading() -> None:
    old = changed(DOMAIN, {"MX": [(10, "old.example")]})

    verdicts = await judged([old, Zone(GOOD)], [Zone(GOOD)])

    assert wrong(verdicts) == {"MX": (SPREADING, W)}
    assert verdicts["MX"].facts["who"] == "ns1"


async def test_a_record_that_is_right_but_another_is_still_spreading() -> None:
    new = changed("_dmarc.example.jp", {"TXT": ["v=DMARC1; p=reject; rua=mailto:new@example.jp"]})

    verdicts = await judged([new], [Zone(GOOD), new])

    assert wrong(verdicts) == {"DMARC": (SPREADING, W)}


async def test_addresses_of_a_network_for_content_may_differ() -> None:
    elsewhere = changed("mta-sts.example.jp", {"A": ["203.0.115.77"]})

    assert wrong(await judged([Zone(GOOD)], [elsewhere, Zone(GOOD)])) == {}


async def test_a_key_of_ed25519_is_a_key() -> None:
    zone = changed("s1.domainkey.u1.wl1.sendgrid.net", {"TXT": [ed25519_record()]})

    assert wrong(await judged([zone], [zone])) == {}


async def test_keys_of_other_senders_are_not_called_sendgrids() -> None:
    zone, sender = Zone(GOOD), "192.0.2.1"
    right = (await judged([zone], [zone], outbound=sender))["DKIM"]
    zone.put("s1.domainkey.u1.wl1.sendgrid.net", {"TXT": []})
    missing = (await judged([zone], [zone], outbound=sender))["DKIM"]

    assert right.key == "dkim-sender-ok"
    assert (missing.key, missing.mend) == ("dkim-missing", "mend-dkim-sender")


# Who answers.


async def test_servers_that_are_silent_are_named_and_the_others_are_believed() -> None:
    silent = Zone(GOOD, failing=GOOD)

    own = await judged([silent], [Zone(GOOD), Zone(GOOD)])
    some = await judged([silent, Zone(GOOD)], [Zone(GOOD)])
    resolver = await judged([Zone(GOOD)], [Zone(GOOD), silent])
    nobody = await judged([silent], [silent])
    unknown = await judged([], [Zone(GOOD)])

    assert wrong(own) == {"DNS": ("servers-own-silent", F)}
    assert wrong(some) == {"DNS": ("servers-some-silent", W)}
    assert wrong(resolver) == {"DNS": ("resolvers-silent", W)}
    assert wrong(nobody) == {"DNS": ("servers-all-silent", F)}
    assert wrong(unknown) == {"DNS": ("servers-unknown", F)}
    assert list(nobody) == ["DNS"]
    assert list(unknown) == CHECKS


@pytest.mark.parametrize("name", [DOMAIN, "_dmarc.example.jp", EDGE])
async def test_one_name_without_an_answer_is_asked_of_the_others(name: str) -> None:
    half = Zone(GOOD, failing=[name])

    assert wrong(await judged([half], [Zone(GOOD)])) == {}
    assert "dns-away" in {key for key, _ in wrong(await judged([half], [half])).values()}


async def test_a_domain_that_does_not_exist_is_said_once() -> None:
    verdicts = await judged([Zone({})], [Zone({}), Zone({})])

    assert wrong(verdicts) == {"MX": ("dns-no-domain", F)}


async def test_a_domain_that_is_new_is_still_spreading() -> None:
    verdicts = await judged([Zone(GOOD)], [Zone({}), Zone(GOOD)])

    assert {key for key, _ in wrong(verdicts).values()} == {SPREADING}
    assert len(wrong(verdicts)) == len(CHECKS) - 1


# Who may send.


@pytest.mark.parametrize(
    ("record", "outbound", "key"),
    [
        ("v=spf1 ip4:198.51.100.7 -all", "198.51.100.7", "spf-sender-ok"),
        ("v=spf1 ip4:198.51.100.7 -all", "198.51.100.8", "spf-without-sender"),
        ("v=spf1 include:sendgrid.net -all", "192.0.2.9", "spf-sender-ok"),
        ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8::25", "spf-sender-ok"),
        ("v=spf1 include:mail.example -all", "mail.example", "spf-sender-ok"),
        ("v=spf1 include:mail.example -all", "sendgrid.net", "spf-sender-ok"),
        ("v=spf1 include:mail.example -all", "other.example", "spf-without-sender"),
        ("v=spf1 redirect=mail.example", "mail.example", "spf-sender-ok"),
        ("v=spf1 include:%{d}.mail.example -all", "mail.example", "spf-without-sender"),
    ],
)
async def test_the_sender_is_looked_for_in_all_that_is_included(record: str, outbound: str, key: str) -> None:
    zone = changed(DOMAIN, {"TXT": [record]})
    zone.put("mail.example", {"TXT": ["v=spf1 include:sendgrid.net -all"]})

    assert (await judged([zone], [zone], outbound=outbound))["SPF"].key == key


async def test_another_sender_is_named_in_what_to_write() -> None:
    zone = changed(DOMAIN, {"TXT": []})

    verdict = (await judged([zone], [zone], outbound="198.51.100.7"))["SPF"]

    assert (verdict.key, verdict.mend) == ("spf-missing", "mend-spf-write")
    assert verdict.facts["term"] == "ip4:198.51.100.7"


async def test_an_include_that_dns_does_not_answer_for_is_a_warning() -> None:
    zone = Zone(GOOD, failing=["sendgrid.net"])

    assert (await judged([zone], [zone]))["SPF"].key == "spf-unanswered"


async def test_look_ups_are_counted_through_all_records_and_circles_end() -> None:
    zone = Zone(
        {
            "a.example": {"TXT": ["v=spf1 include:b.example mx ptr exists:%{i}.x.example ~all"]},
            "b.example": {"TXT": ["v=spf1 include:a.example a ip4:192.0.2.1 redirect=c.example"]},
            "c.example": {"TXT": ["v=spf1 redirect=d.example -all"]},
        }
    )

    assert await walk_spf(zone, "a.example") == SpfTree(7, ("b.example", "c.example"))


async def test_a_tree_without_end_is_left() -> None:
    zone = Zone(
        {f"n{number}.example": {"TXT": [f"v=spf1 include:n{number + 1}.example"]} for number in range(99)}
    )

    tree = await walk_spf(zone, "n0.example")

    assert 10 < tree.lookups < 40
    assert zone.questions < 40


# The servers of a zone, on the wire.


async def test_the_servers_of_a_zone_are_found_and_asked_and_aliases_are_followed_to_others() -> None:
    elsewhere = {name: records for name, records in GOOD.items() if name.endswith("sendgrid.net")}
    own = {name: records for name, records in GOOD.items() if name not in elsewhere}
    own["s1._domainkey.example.jp"] = {"CNAME": ["s1.domainkey.u1.wl1.sendgrid.net"]}
    async with NameServer(Zone(GOOD)) as resolver:
        servers = [("127.0.0.1", resolver.port)]
        lookup = Resolver(Upstream(servers))
        async with NameServer(Zone(own)) as first:
            delegation = Delegation(lookup, servers, port=first.port)
            (source,) = await authorities(delegation, DOMAIN, lifetime_seconds=2.0)
            resolver.zone.put(DOMAIN, {"MX": [(10, "stale.example")]})

            mx = await source.lookup.mx(DOMAIN)
            text = await source.lookup.txt(f"_dmarc.{DOMAIN}")
            nothing = await source.lookup.aaaa(EDGE)
            none = await source.lookup.a(f"no.{DOMAIN}")
            alias = await source.lookup.txt(f"s1._domainkey.{DOMAIN}")

            assert source.name == "ns1.dns.example"
            assert source.authoritative
            assert [record.host for record in mx.records] == [EDGE]
            assert text.status is Status.FOUND
            assert nothing.status is Status.NO_DATA
            assert none.status is Status.NO_NAME
            # The alias leads to a name that this server does not have.
            assert alias.status is Status.NO_DATA

            first.zone.put("s1.domainkey.u1.wl1.sendgrid.net", {"TXT": [KEY]})
            assert (await source.lookup.txt(f"s1._domainkey.{DOMAIN}")).records == (KEY.encode(),)


class OneZone(NameServer):
    """Answers an alias alone, as a server does that does not have the zone that it leads to."""

    def _reply(self, octets: bytes, *, over_udp: bool) -> bytes | None:
        import dns.message

        query = dns.message.from_wire(octets)
        name = query.question[0].name.to_text(omit_final_dot=True)
        status, aliases, _ = self.zone.find("CNAME", name)
        if status is not Status.FOUND or aliases:
            return super()._reply(octets, over_udp=over_udp)
        reply = dns.message.make_response(query)
        self._add(reply.answer, query.question[0].name, "CNAME", self.zone.find("CNAME", name)[2])
        return reply.to_wire()


async def test_an_alias_alone_is_followed_to_the_servers_of_its_zone() -> None:
    async with NameServer(Zone(GOOD)) as resolver, OneZone(Zone(GOOD)) as own:
        servers = [("127.0.0.1", resolver.port)]
        delegation = Delegation(Resolver(Upstream(servers)), servers, port=own.port)

        answer = await Authority(delegation).txt(f"s1._domainkey.{DOMAIN}")

    assert answer.records == (KEY.encode(),)


async def test_circles_of_aliases_end() -> None:
    zone = Zone({"a.example": {"CNAME": ["b.example"]}, "b.example": {"CNAME": ["a.example"]}})
    async with OneZone(zone) as own:
        answer = await Authority(FixedServers([("127.0.0.1", own.port)])).txt("a.example")

    assert answer.status is Status.TEMPORARY


async def test_a_zone_that_nobody_knows_has_no_servers_and_no_answer() -> None:
    async with NameServer(Zone({})) as resolver:
        servers = [("127.0.0.1", resolver.port)]
        delegation = Delegation(Resolver(Upstream(servers)), servers)

        assert await authorities(delegation, "gone.example", lifetime_seconds=1.0) == []
        assert (await Authority(delegation).mx("gone.example")).status is Status.TEMPORARY
        assert (await Authority(delegation).ptr(IPv4Address("192.0.2.1"))).status is Status.TEMPORARY
        assert (await Authority(delegation).a("bad..name")).status is Status.NO_NAME


async def test_a_server_that_is_silent_has_no_answer_in_time() -> None:
    async with NameServer(Zone(GOOD), silent={DOMAIN}) as server:
        own = Authority(FixedServers([("127.0.0.1", server.port)]), lifetime_seconds=0.3)

        assert (await own.mx(DOMAIN)).status is Status.TEMPORARY
