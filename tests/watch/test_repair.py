"""Which findings are mended by what, as a table; and what is left to people."""

from __future__ import annotations

import pytest

from mxgw.watch.finding import Fact, Finding, bad, good, warning
from mxgw.watch.judge import SERVICES
from mxgw.watch.repair import Act, Repair, repairs
from tests.watch.kinds import kinds

LEFT_TO_PEOPLE = {
    "watch-unseen": "what is in the way is not known",
    "watch-container-restarts": "its log says why; one more start does not help",
    "watch-disk-low": "somebody's mail",
    "watch-disk-soon": "somebody's mail",
    "watch-mailbox-full": "somebody's mail",
    "watch-sent-much": "a larger plan, or another password",
    "watch-tailnet-down": "a login",
    "watch-tailnet-key": "a login",
    "watch-update-failed": "it went back by itself, and tries again at night",
    "watch-clamav-none": "ClamAV loads for minutes, in which mail waits; without a list it does not help",
    "watch-clamav-old": "the same",
    "watch-rspamd-old": "it asks for its lists by itself",
    "watch-canary-broken": "the broken part has a finding of its own, or is outside of the house",
    "watch-canary-key": "a key and its place are a person's to choose",
    "watch-canary-never": "a timer",
    "watch-canary-old": "a timer",
    "watch-canary-slow": "nothing is broken",
    "watch-away": "outside of the house, or a finding of its own",
    "watch-waiting": "senders come again by themselves",
    "watch-lost": "senders have given up",
    "watch-notice-failed": "a setting",
    "watch-state-unwritable": "somebody's files, or a new disk",
}


def down(name: str, state: str) -> Finding:
    return bad(f"container-{name}", "watch-container-down", "", name=name, state=state)


def gone(name: str) -> Finding:
    return bad(f"container-{name}", "watch-container-missing", "", name=name)


def certificate(key: str, place: str) -> Finding:
    return warning(f"certificate-{place}", key, "", place=place, days=5)


def backup(key: str) -> Finding:
    return bad("backup", key, "", hours=50)


FILE = "/data/tls/cert.pem"

TABLE: dict[str, tuple[list[Finding], list[str]]] = {
    "nothing": ([good("queue", "watch-queue-well", count=0)], []),
    "a stopped container": ([down("redis", "exited")], ["start-redis"]),
    "one that was made and never started": ([down("redis", "created")], ["start-redis"]),
    "one that Docker gave up": ([down("redis", "dead")], ["up-redis"]),
    "one that starts again and again": ([down("redis", "restarting")], []),
    "one that a person has paused": ([down("redis", "paused")], []),
    "one that is gone": ([gone("nginx")], ["up-nginx"]),
    "one that is ill": ([bad("container-home", "watch-container-ill", "", name="home")], ["restart-home"]),
    "who is needed comes first": (
        [down("home", "exited"), gone("dovecot"), down("mariadb", "exited")],
        ["start-mariadb", "up-dovecot", "start-home"],
    ),
    "all of them": ([down(name, "exited") for name in SERVICES], ["up"]),
    "all of them, some gone": ([gone(name) for name in SERVICES[1:]] + [down("home", "exited")], ["up"]),
    "a certificate that ends, at two ports too": (
        [certificate("watch-certificate-ends", place) for place in (FILE, "port 993", "port 465")],
        ["renew"],
    ),
    "no certificate": ([certificate("watch-certificate-unseen", FILE)], ["renew"]),
    "a port where nobody listens": ([certificate("watch-certificate-unseen", "port 993")], []),
    "a port with the old one": ([certificate("watch-certificate-old", "port 993")], ["reload-dovecot"]),
    "a port that is not known": ([certificate("watch-certificate-old", "port 10993")], ["reload"]),
    "a new one is had, and read, in one go": (
        [certificate("watch-certificate-over", FILE), certificate("watch-certificate-old", "port 465")],
        ["renew"],
    ),
    "a backup comes after what it needs": (
        [backup("watch-backup-old"), down("mariadb", "exited")],
        ["start-mariadb", "backup"],
    ),
    "the record of the canary's key": (
        [warning("canary", "watch-canary-record-missing", "", name="canary._domainkey.example.jp")],
        ["canary-record"],
    ),
    "the queue": ([bad("queue", "watch-queue-old", "", count=3, minutes=300)], ["flush"]),
}


@pytest.mark.parametrize("what", TABLE)
def test_the_table(what: str) -> None:
    findings, wanted = TABLE[what]

    assert [one.name for one in repairs(findings, relay_answers=True, writes_dns=True)] == wanted


def test_a_repair_says_for_which_findings_it_is() -> None:
    findings = [certificate("watch-certificate-ends", place) for place in (FILE, "port 993")]

    assert repairs(findings, relay_answers=False) == [
        Repair(Act.RENEW, "", (f"certificate-{FILE}", "certificate-port 993")),
    ]


def test_a_queue_is_left_alone_while_the_relay_does_not_answer() -> None:
    assert repairs([bad("queue", "watch-queue-old", "", count=3, minutes=300)], relay_answers=False) == []


def test_a_record_is_left_to_people_where_there_is_no_token() -> None:
    assert repairs([warning("canary", "watch-canary-record-other", "", name="x")], relay_answers=True) == []


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_each_kind_is_mended_or_left_to_people_for_a_reason(kind: str) -> None:
    facts: dict[str, Fact] = {"name": "redis", "state": "exited", "place": FILE, "days": 3, "hours": 50}
    offered = repairs([bad("x", kind, "", **facts)], relay_answers=True, writes_dns=True)

    assert bool(offered) != (kind in LEFT_TO_PEOPLE)
