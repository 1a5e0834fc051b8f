"""What people taught Rspamd is in a backup, and comes back: real Rspamd, real Redis."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.backup.backup_house import BackupHouse
from tests.dell.cells import start_names
from tests.dell.letters import mail
from tests.dell.scanning import ELSEWHERE, FIRST_START_SECONDS, Scanners
from tests.rig.process import wait_until

LESSONS = 5
NEW, KNOWN = 200, 208
"""What Rspamd's controller answers to a lesson."""

SPAM = (
    "Cheap watches replica casino winner lottery prize number {0}, claim your free bonus {0} today now.\r\n"
    * 3
)
HAM = (
    "The minutes of our meeting on project {0} are attached, regards from the office in Osaka, room {0}.\r\n"
    * 3
)


class RspamdAlone(Scanners):
    """Beside a Redis that is there; without ClamAV."""

    def start(self) -> None:
        self._names = start_names(self._host)
        self._take_compiled()
        rspamd = self._host.cell("rspamd")
        rspamd.child.start(lambda: True)
        wait_until(lambda: self._host.healthy("rspamd"), seconds=FIRST_START_SECONDS, what="Rspamd answers")

    def close(self) -> None:
        super().close()
        self.rspamd.child.stop()
        del self._host.cells["rspamd"]


@pytest.fixture(scope="module")
def scanner(backup_house: BackupHouse) -> Iterator[RspamdAlone]:
    found = RspamdAlone(backup_house.host)
    try:
        found.start()
        yield found
    finally:
        found.close()
        for one in backup_house.backups():
            shutil.rmtree(one)


def teach(scanner: RspamdAlone, kind: str, message: bytes) -> int:
    """What Rspamd says to it."""
    return scanner.ask(f"/learn{kind}", message, source=ELSEWHERE, Password=scanner.password)[0]


def counted(house: BackupHouse) -> dict[str, str]:
    """Lessons by kind, as Rspamd counts them in Redis."""
    return {kind: house.redis("HGET", "RS", f"learns_{kind}") for kind in ("spam", "ham")}


def test_rspamd_knows_again_what_it_was_taught(backup_house: BackupHouse, scanner: RspamdAlone) -> None:
    for kind, text in (("spam", SPAM), ("ham", HAM)):
        messages = [mail(text.format(number)) for number in range(LESSONS)]
        assert {teach(scanner, kind, message) for message in messages} == {NEW}
    assert teach(scanner, "ham", messages[0]) == KNOWN
    lessons = counted(backup_house)
    assert lessons == {"spam": str(LESSONS), "ham": str(LESSONS)}
    made = backup_house.admin("backup", "now", "--no-verify")
    assert (made.code, made.facts["learnt"]) == (0, True), made.err
    # The machine is lost, and with it Redis' directory.
    redis = backup_house.host.cells["redis"]
    redis.child.stop()
    for one in (backup_house.host.data / "redis").iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    redis.start()
    assert counted(backup_house) == {"spam": "", "ham": ""}

    told = backup_house.admin("restore", "--yes")

    assert told.code == 0, told.err
    assert counted(backup_house) == lessons
    # Rspamd finds Redis again, and in it that it knows this one.
    wait_until(lambda: teach(scanner, "ham", messages[0]) == KNOWN, seconds=30, what="Rspamd remembers")
    assert counted(backup_house) == lessons
    # It stays so: Redis goes on writing beside what came back.
    backup_house.redis("SET", "later", "x")
    redis = backup_house.host.cells["redis"]
    redis.child.stop()
    redis.start()
    assert counted(backup_house) == lessons
    assert backup_house.redis("GET", "later") == "x"


def test_mail_is_saved_and_the_lack_said_where_redis_is_away(backup_house: BackupHouse) -> None:
    redis = backup_house.host.cells["redis"]
    redis.child.stop()
    try:
        one = backup_house.admin("backup", "now", "--no-verify")
    finally:
        redis.start()

    backup = backup_house.backups()[0]
    assert (one.code, one.facts["did"], one.facts["learnt"]) == (1, "backup-made", False)
    assert "backup-without-learnt" in one.facts["warnings"]
    assert (backup / "database.sql").exists()
    assert not (backup / "redis.rdb").exists()
    # Restored, it leaves Redis as it is.
    backup_house.redis("SET", "mine", "x")
    assert backup_house.admin("restore", backup.name, "--yes").code == 0
    assert backup_house.redis("GET", "mine") == "x"
