"""The same alarms, with the programs themselves: what is broken and mended here is no script."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from mxgw.watch.facts import Databases
from mxgw.watch.probes import databases
from tests.admin.admin_house import admin
from tests.dell.household import DOMAIN, letter
from tests.rig.process import wait_until
from tests.watch.real_house import CLAMDSCAN, RealHouse
from tests.watch.watched_house import certificate

HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture(scope="module")
def running() -> Iterator[RealHouse]:
    with RealHouse() as house:
        yield house


@pytest.fixture
def house(running: RealHouse) -> RealHouse:
    running.well()
    return running


def fires_and_recovers(
    house: RealHouse,
    key: str,
    breaks: Callable[[], object],
    mends: Callable[[], object],
    *,
    probes: Sequence[str],
    says: str,
) -> None:
    """One notice when it is broken, none while it stays so, one when it is mended."""
    assert house.rounds(1, probes) == []
    assert house.ill() == {}

    breaks()
    assert house.rounds(1, probes) == []
    [alarm] = house.rounds(3, probes)
    assert "TROUBLE:" in alarm
    assert says in alarm
    assert key in house.ill().values()

    mends()
    [recovery] = house.rounds(4, probes)
    assert "WELL AGAIN:" in recovery
    assert house.ill() == {}


def test_a_killed_container(house: RealHouse) -> None:
    fires_and_recovers(
        house,
        "watch-container-down",
        house.host.cells["redis"].child.kill,
        lambda: house.site.stack.compose("start", "redis"),
        probes=["containers"],
        says="redis does not run (exited).",
    )


def test_a_dovecot_whose_delivery_has_stopped(house: RealHouse) -> None:
    fires_and_recovers(
        house,
        "watch-container-ill",
        lambda: house.host.cells["dovecot"].run(["doveadm", "service", "stop", "lmtp"]),
        lambda: house.site.stack.compose("restart", "dovecot"),
        probes=["containers"],
        says="dovecot runs, but does not answer",
    )


def test_a_container_that_was_removed(house: RealHouse) -> None:
    redis = house.host.cells["redis"]

    def removes() -> None:
        redis.child.stop()
        del house.host.cells["redis"]

    def makes() -> None:
        house.host.cells["redis"] = redis
        redis.start()

    fires_and_recovers(
        house,
        "watch-container-missing",
        removes,
        makes,
        probes=["containers"],
        says="There is no container redis.",
    )


def test_a_docker_that_does_not_answer(house: RealHouse) -> None:
    program = house.docker.program
    away = program.with_name("away")

    fires_and_recovers(
        house,
        "watch-unseen",
        lambda: program.rename(away),
        lambda: away.rename(program),
        probes=["containers"],
        says="The check containers could not be made.",
    )


def test_a_mailbox_that_fills(house: RealHouse) -> None:
    house.add("full", quota=20_000)
    big = letter(to=f"full@{DOMAIN}")
    big.set_content("x" * 70 + "\n" + "some line of text that fills a mailbox\n" * 450)

    def deletes() -> None:
        with house.imap("full") as session:
            session.select()
            session.store("1:*", "+FLAGS", r"(\Deleted)")
            session.expunge()

    fires_and_recovers(
        house,
        "watch-mailbox-full",
        lambda: house.deliver(big, "full"),
        deletes,
        probes=["mailboxes"],
        says=f"The mailbox full@{DOMAIN} is ",
    )


def test_mail_that_does_not_leave(house: RealHouse) -> None:
    def breaks() -> None:
        house.relay.close()
        house.send()
        wait_until(lambda: "refused" in house.queue(), seconds=30, what="the mail was tried")
        house.now += 5 * HOUR

    def mends() -> None:
        house.open_relay()
        house.site.stack.run("postfix", ["postqueue", "-f"])
        wait_until(lambda: not house.queue(), seconds=30, what="the mail has left")

    fires_and_recovers(
        house,
        "watch-queue-old",
        breaks,
        mends,
        probes=["queue"],
        says="1 mails wait to be sent, the oldest for 30",
    )


def test_more_mail_than_the_plan_allows(house: RealHouse) -> None:
    def sends() -> None:
        before = len(house.relay.taken)
        for _ in range(2):
            house.send()
        wait_until(lambda: len(house.relay.taken) == before + 2, seconds=30, what="the relay has both")

    def set_limit(mails: int) -> None:
        house.settings["SENDGRID_LIMIT"] = f"{mails}/day"
        house.write()

    said = house.host.cells["postfix"].said().count("status=sent")
    set_limit(said + 2)
    fires_and_recovers(
        house,
        "watch-sent-much",
        sends,
        lambda: set_limit(1_000),
        probes=["sent"],
        says="of SendGrid's plan",
    )


def test_signatures_that_grow_old(house: RealHouse) -> None:
    fires_and_recovers(
        house,
        "watch-clamav-old",
        lambda: house.sign_list(days=9),
        house.sign_list,
        probes=["databases"],
        says="The virus signatures are 9 days old",
    )


def test_the_time_that_clamav_tells_is_that_of_its_zone(house: RealHouse) -> None:
    house.sign_list()

    found = databases(house.site, house.now)

    assert isinstance(found, Databases)
    assert found.clamav_at == pytest.approx(time.time(), abs=300)


def test_signatures_that_cannot_be_loaded(house: RealHouse) -> None:
    clamav = house.host.cells["clamav"]

    def breaks() -> None:
        (house.host.data / "clamav" / "daily.cud").write_bytes(b"ClamAV-VDB:damaged")
        clamav.run([*CLAMDSCAN, "--reload"])
        house.listed("invalid")

    def mends() -> None:
        house.write_list(days=0)
        house.site.stack.compose("restart", "clamav")

    fires_and_recovers(
        house, "watch-clamav-none", breaks, mends, probes=["databases"], says="ClamAV has no virus signatures"
    )


def test_lists_that_rspamd_does_not_get(house: RealHouse) -> None:
    kept = house.host.data / "rspamd" / "list.map"
    kept.write_text("")

    def ages(days: float) -> None:
        os.utime(kept, (time.time() - days * DAY,) * 2)

    fires_and_recovers(
        house,
        "watch-rspamd-old",
        lambda: ages(20),
        lambda: ages(0),
        probes=["databases"],
        says="Rspamd has fetched no new lists for 20 days",
    )


def test_a_port_that_shows_the_old_certificate(house: RealHouse) -> None:
    fires_and_recovers(
        house,
        "watch-certificate-old",
        lambda: certificate(house.tls, days=90),
        lambda: [
            house.host.cells["dovecot"].run(["doveadm", "reload"]),
            house.host.cells["postfix"].run(["postfix", "-c", "/run/postfix/etc", "reload"]),
        ],
        probes=["certificates"],
        says="port 993 still shows the old certificate",
    )


def test_a_backup_that_fails_and_one_that_is_made(house: RealHouse) -> None:
    def back_up() -> None:
        told = admin("backup", "now", settings=house.environ)
        assert told.code == (0 if house.disk in house.mounts else 1), told.err

    back_up()
    made = json.loads((house.state / "backup.json").read_text())
    assert made["ok"]

    def fails() -> None:
        house.unmount()
        back_up()

    def succeeds() -> None:
        house.mount()
        back_up()

    fires_and_recovers(
        house, "watch-backup-failed", fails, succeeds, probes=["backup"], says="The backup failed"
    )


def test_a_backup_that_is_due(house: RealHouse) -> None:
    fires_and_recovers(
        house,
        "watch-backup-old",
        lambda: house.task("backup.json", hours=50),
        lambda: admin("backup", "now", settings=house.environ),
        probes=["backup"],
        says="The last backup is 50 hours old",
    )


def test_an_update_that_gets_no_images(house: RealHouse) -> None:
    def update(*, registry_answers: bool) -> None:
        house.docker.registry_answers = registry_answers
        told = admin("update", "now", "--now", settings=house.environ)
        assert told.code == (0 if registry_answers else 1), told.out

    fires_and_recovers(
        house,
        "watch-update-failed",
        lambda: update(registry_answers=False),
        lambda: update(registry_answers=True),
        probes=["update"],
        says="The nightly update failed",
    )


def test_a_notice_goes_by_the_houses_own_postfix(house: RealHouse) -> None:
    house.settings["ALERT_MAIL_TO"] = "owner@elsewhere.example"
    house.write()
    try:
        told = admin("alert", "test", settings=house.environ)
    finally:
        del house.settings["ALERT_MAIL_TO"]
        house.write()

    assert told.code == 0, told.out
    taken = house.relay.taken
    wait_until(
        lambda: any(b"[mxgw] TEST:" in one.content for one in taken),
        seconds=30,
        what="the relay has the notice",
    )
    assert taken[-1].recipients == ("owner@elsewhere.example",)
