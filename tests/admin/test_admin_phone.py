"""A phone sets itself up by the profile: servers, ports and names are those that the stack has."""

from __future__ import annotations

import plistlib
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.admin.admin_house import AdminHouse, Told, admin
from tests.dell.cells import HOSTNAME, site
from tests.dell.compose_file import read_compose
from tests.rig.docker_stand_in import DockerStandIn

ADDRESS = "taro@example.jp"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    directory = tmp_path / "stack"
    directory.mkdir()
    (directory / ".env").write_text(f"MAIL_HOSTNAME={HOSTNAME}\n")
    return directory


def phone(stack: Path, *arguments: str, lang: str = "en") -> Told:
    return admin("phone", *arguments, "--stack", str(stack), settings={}, lang=lang)


def account(path: Path) -> dict[str, Any]:
    whole = plistlib.loads(path.read_bytes())
    assert whole["PayloadType"] == "Configuration"
    (one,) = whole["PayloadContent"]
    assert one["PayloadType"] == "com.apple.mail.managed"
    return dict(one)


def test_the_profile_leads_to_the_ports_that_the_stack_publishes(stack: Path, tmp_path: Path) -> None:
    target = tmp_path / "taro.mobileconfig"

    told = phone(stack, ADDRESS, "--name", "山田太郎", "--output", str(target))

    assert told.code == 0, told.err
    one = account(target)
    services = read_compose(site(tmp_path))["services"]
    published = {port.split(":")[1] for name in ("dovecot", "postfix") for port in services[name]["ports"]}
    for side in ("Incoming", "Outgoing"):
        assert one[f"{side}MailServerHostName"] == HOSTNAME
        assert str(one[f"{side}MailServerPortNumber"]) in published
        assert one[f"{side}MailServerUseSSL"] is True
        assert one[f"{side}MailServerUsername"] == ADDRESS
    assert one["EmailAccountName"] == "山田太郎"
    assert "IncomingPassword" not in one
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_second_profile_takes_the_place_of_the_first(stack: Path, tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    phone(stack, ADDRESS, "--output", str(first))
    phone(stack, ADDRESS, "--output", str(second), "--name", "Taro")
    phone(stack, "hanako@example.jp", "--output", str(other))

    assert account(first)["PayloadUUID"] == account(second)["PayloadUUID"]
    assert account(first)["PayloadUUID"] != account(other)["PayloadUUID"]


def test_the_file_bears_the_address_where_no_other_name_is_given(
    stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert phone(stack, ADDRESS).facts["path"] == f"{ADDRESS}.mobileconfig"
    assert account(tmp_path / f"{ADDRESS}.mobileconfig")["EmailAccountName"] == "taro"


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        ([], "missing-argument", 2),
        (["no-address"], "bad-address", 2),
        ([ADDRESS, "--name", " "], "bad-person-name", 2),
        ([ADDRESS, "--output", "/nowhere/at/all"], "phone-not-written", 1),
    ],
)
def test_a_mistake_is_a_sentence(stack: Path, arguments: list[str], error: str, code: int, lang: str) -> None:
    told = phone(stack, *arguments, lang=lang)

    assert (told.code, told.facts["error"]) == (code, error)


def test_a_mailbox_that_is_not_there_gets_no_profile(house: AdminHouse, stack: Path, tmp_path: Path) -> None:
    (stack / ".env").write_text("\n".join(f"{name}={text}" for name, text in house.host.environ.items()))
    house.user("phone")
    inside = {**house.settings, "MAIL_HOSTNAME": HOSTNAME}

    def told(settings: dict[str, str], where: Path | str, user: str) -> tuple[int, str, bool]:
        target = tmp_path / "told.mobileconfig"
        target.unlink(missing_ok=True)
        command = ("phone", f"{user}@example.jp", "--output", str(target), "--stack", str(where))
        answer = admin(*command, settings=settings)
        return answer.code, answer.facts.get("error", ""), target.exists()

    with DockerStandIn(house.host, tmp_path / "bin") as docker, house.host.inside():
        on_host = {"MXGW_DOCKER": str(docker.program), "MXGW_ADMIN_DB": ""}
        assert told(on_host, stack, "phone") == (0, "", True)
        assert told(on_host, stack, "fone") == (2, "import-no-user", False)
        # In the container of the administrator's commands the database is asked.
        assert told(inside, "/nonexistent", "phone") == (0, "", True)
        assert told(inside, "/nonexistent", "fone") == (2, "no-user", False)


def test_without_the_servers_name_nothing_is_written(stack: Path, tmp_path: Path) -> None:
    (stack / ".env").write_text("OTHER=1\n")
    target = tmp_path / "taro.mobileconfig"

    told = phone(stack, ADDRESS, "--output", str(target))

    assert told.facts["error"] == "phone-needs-server"
    assert not target.exists()
