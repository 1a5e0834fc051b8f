"""A machine is lost with all that was on it; a new one gets the backup disk, and one command."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mxgw.admin.backup.checksums import read_sums, sha256_of, write_sums
from mxgw.admin.env_file import read_env_file
from tests.admin.person import Person
from tests.backup.backup_house import BackupHouse, contents, fill, subscriptions
from tests.cli.support import PROGRAM, environment
from tests.dell.household import DOMAIN, letter
from tests.rig.process import find_program

PEOPLE = ("taro", "hanako")


@dataclass(frozen=True, slots=True)
class Lost:
    """A house that burnt down: what users had, what was set, and the disk that outlived it."""

    house: BackupHouse
    before: dict[str, tuple[object, object]]
    env: dict[str, str]
    backup: Path

    @property
    def disk(self) -> Path:
        return self.house.disk


@pytest.fixture(scope="module")
def lost() -> Iterator[Lost]:
    with BackupHouse() as house:
        edge = house.stack.parent / "ecs"
        edge.mkdir()
        (edge / "deploy.toml").write_text('home_address = "100.64.0.1"\n')
        for name in PEOPLE:
            fill(house, name)
        house.redis("SET", "learnt", "much")
        before = {name: (contents(house, name), subscriptions(house, name)) for name in PEOPLE}
        told = house.admin("backup", "now")
        assert told.code == 0, told.err
        house.stop()
        env = read_env_file(house.stack / ".env")
        for directory in (house.host.data, house.stack, edge):
            shutil.rmtree(directory)
        (backup,) = house.backups()
        yield Lost(house, before, env, backup)


@pytest.fixture
def fresh(lost: Lost) -> Iterator[BackupHouse]:
    """As install.sh leaves a new machine: other passwords, nobody in it."""
    with BackupHouse(lost.disk) as house:
        (house.stack.parent / "ecs").mkdir()
        yield house


@pytest.fixture(scope="module")
def other(lost: Lost) -> Iterator[BackupHouse]:
    """Another one, whose settings stay its own."""
    with BackupHouse(lost.disk) as house:
        yield house


def promising_too_much(lost: Lost) -> Path:
    """A backup whose manifest has a message more than there is, with a checksum that fits."""
    backup = lost.backup.with_name("2001-01-01_000000")
    shutil.copytree(lost.backup, backup, symlinks=True, copy_function=os.link)
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["users"][f"{DOMAIN}/taro"]["folders"]["INBOX"]["messages"] += 1
    sums = read_sums(backup / "SHA256SUMS")
    for name in ("manifest.json", "SHA256SUMS"):
        (backup / name).unlink()
    (backup / "manifest.json").write_text(json.dumps(manifest))
    write_sums(backup / "SHA256SUMS", sums | {"manifest.json": sha256_of(backup / "manifest.json")})
    return backup


def test_everything_comes_back_with_one_command(lost: Lost, fresh: BackupHouse) -> None:
    env = fresh.stack / ".env"
    fresh_env = read_env_file(env)
    assert fresh_env["MARIADB_ROOT_PASSWORD"] != lost.env["MARIADB_ROOT_PASSWORD"]
    fresh.redis("SET", "own", "little")

    told = fresh.admin("restore", "--configuration", "with", "--yes")

    assert told.code == 0, told.err
    for name, (mail, subscribed) in lost.before.items():
        assert contents(fresh, name) == mail
        assert subscriptions(fresh, name) == subscribed
        assert fresh.deliver(letter("after"), name)[0].code == 250
        assert any(b"after" in text for text in fresh.messages(name, "Archive"))
    assert fresh.redis("GET", "learnt") == "much"
    assert fresh.redis("GET", "own") == ""
    # What belongs to the machine is its own; everything else is as it was, and in force.
    now = read_env_file(env)
    own = {name: fresh_env[name] for name in ("MAILSERVER_DATA", "BACKUP_DIRECTORY", "MAIL_HOSTNAME")}
    assert now == lost.env | own
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    for password in (fresh.sql("SELECT 1"), fresh.sql("SELECT 1 FROM users LIMIT 1", user="mailadmin",
                                                      password=lost.env["ADMIN_DB_PASSWORD"])):  # fmt: skip
        assert password == "1\n"
    (kept,) = map(Path, told.facts["kept"])
    assert read_env_file(kept) == fresh_env
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "100.64.0.1" in (fresh.stack.parent / "ecs" / "deploy.toml").read_text()
    # And the next night's backup is one.
    tonight = fresh.admin("backup", "now", "--no-verify")
    assert tonight.code == 0, tonight.err
    shutil.rmtree(fresh.backups()[0])
    assert (
        fresh.admin("restore", "--configuration", "only", "--yes").facts["did"]
        == "restore-configuration-same"
    )


def test_a_restore_that_fails_leaves_the_new_machine_as_it_was(lost: Lost, other: BackupHouse) -> None:
    other.add("guest")
    assert other.deliver(letter("here"), "guest")[0].code == 250
    other.redis("SET", "own", "little")
    env = (other.stack / ".env").read_bytes()
    users = other.sql("SELECT email FROM users")
    backup = promising_too_much(lost)

    try:
        told = other.admin("restore", backup.name, "--configuration", "with", "--yes")
    finally:
        shutil.rmtree(backup)

    assert (told.code, told.facts["error"]) == (1, "restore-differs")
    assert (other.stack / ".env").read_bytes() == env
    assert [path.name for path in other.stack.iterdir()] == [".env"]
    assert len(other.messages("guest")) == 1
    assert other.redis("GET", "own") == "little"
    assert other.sql("SELECT email FROM users") == users


def test_settings_that_differ_are_shown_by_name_and_asked_for(lost: Lost, other: BackupHouse) -> None:
    setsid = find_program("setsid", package="util-linux")
    spoken = {**environment(other.settings), "LC_ALL": "", "LANG": "ja_JP.UTF-8", "TERM": "xterm-256color"}
    command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "restore", "--configuration", "only"]
    before = (other.stack / ".env").read_bytes()

    with Person(command, spoken) as person:
        person.sees("MXGW_SEAL_KEY")
        person.sees("戻しますか")
        person.types("n")
        person.sees("何も変更していません")
        assert person.ends() == 1
        for secret in (lost.env["MXGW_SEAL_KEY"], other.host.environ["MXGW_SEAL_KEY"]):
            assert secret not in person.screen
    without = other.admin("restore", "--yes", "--configuration", "without")

    assert without.facts["configuration"] == []
    assert (other.stack / ".env").read_bytes() == before


def test_a_lost_env_comes_back_before_anything_runs(lost: Lost, tmp_path: Path) -> None:
    """The first step on a machine where install.sh has not asked anything yet."""
    stack = tmp_path / "dell-stack"
    stack.mkdir()
    settings = {
        "MXGW_STACK": str(stack),
        "MXGW_STATE": str(tmp_path / "state"),
        "MXGW_DOCKER": str(tmp_path / "no-docker"),
        "BACKUP_DIRECTORY": str(lost.disk / "mailserver"),
        "MAILSERVER_DATA": str(tmp_path / "data"),
    }

    told = lost.house.admin("restore", "--configuration", "only", "--yes", settings=settings)

    assert told.code == 0, told.err
    assert read_env_file(stack / ".env") == lost.env
    assert stat.S_IMODE((stack / ".env").stat().st_mode) == 0o600
    assert told.facts["kept"] == []
    # The certificate, too: none is there.
    assert (tmp_path / "data" / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600


def link(name: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return made


def large(name: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size = 2 * 1024**2
    return made


def device(name: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = tarfile.BLKTYPE
    return made


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("/etc/cron.d/evil"),
        tarfile.TarInfo("tls/../../evil"),
        tarfile.TarInfo("ecs/.hidden"),
        tarfile.TarInfo("something"),
        link("env"),
        link("tls/cert.pem"),
        device("tls/key.pem"),
        large("env"),
    ],
    ids=lambda member: f"{member.name}-{member.type.decode()}",
)
def test_an_archive_with_anything_else_is_not_touched(
    lost: Lost, tmp_path: Path, member: tarfile.TarInfo
) -> None:
    disk = tmp_path / "copy"
    backup = lost.disk / "mailserver" / "2001-01-01_000000"
    backup.mkdir()
    try:
        for name in ("manifest.json", "SHA256SUMS"):
            shutil.copy(lost.backup / name, backup)
        with tarfile.open(backup / "configuration.tar", "w") as archive:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
        sums = read_sums(backup / "SHA256SUMS")
        digest = sha256_of(backup / "configuration.tar")
        write_sums(backup / "SHA256SUMS", sums | {"configuration.tar": digest})
        disk.mkdir()
        settings = {
            "MXGW_STACK": str(disk),
            "BACKUP_DIRECTORY": str(lost.disk / "mailserver"),
            "MAILSERVER_DATA": str(tmp_path / "data"),
        }

        told = lost.house.admin("restore", "2001", "--configuration", "only", "--yes", settings=settings)
    finally:
        shutil.rmtree(backup)

    assert (told.code, told.facts["error"]) == (1, "backup-configuration-unsafe")
    assert list(tmp_path.rglob("*")) == [disk]


def test_the_archive_is_for_root_alone(lost: Lost) -> None:
    for name in ("configuration.tar", "redis.rdb", "database.sql"):
        assert stat.S_IMODE((lost.backup / name).stat().st_mode) == 0o600
