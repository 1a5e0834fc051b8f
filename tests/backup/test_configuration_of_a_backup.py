"""Settings of a backup: what of them comes to another machine. Pure."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from mxgw.admin.backup.configuration import (
    Places,
    changes,
    differing,
    merged_env,
    pack,
    read_archive,
)
from mxgw.admin.env_file import variables

BACKUP = """\
# -- This site
TAILSCALE_IP=100.64.0.1
MAIL_HOSTNAME=mail.example.ts.net
MXGW_SEAL_KEY=old-key
#MAILSERVER_DATA=/data/docker/volumes/mailserver
BACKUP_DIRECTORY=/mnt/old
"""


def test_on_an_empty_machine_it_is_the_backups() -> None:
    assert merged_env(None, BACKUP) == BACKUP


def test_what_tells_of_the_machine_stays_the_machines() -> None:
    here = "TAILSCALE_IP=100.64.0.9\nMAILSERVER_DATA=/large\nMXGW_SEAL_KEY=fresh\nNEW_IN_THIS_VERSION=made\n"

    merged = merged_env(here, BACKUP)

    assert variables(merged) == {
        "TAILSCALE_IP": "100.64.0.9",
        "MAILSERVER_DATA": "/large",
        "MXGW_SEAL_KEY": "old-key",
        "NEW_IN_THIS_VERSION": "made",
    }
    assert merged.startswith("# -- This site\n")
    assert differing(here, merged) == ("MXGW_SEAL_KEY",)


def test_the_same_settings_in_other_words_differ_in_nothing() -> None:
    assert differing("A=1\nB='2'\n#C=3\n", "export B=2\nA=1 # one\n") == ()


def site(place: Path) -> Places:
    stack, data, edge = place / "dell-stack", place / "data", place / "ecs"
    for directory in (stack, data / "tls", edge):
        directory.mkdir(parents=True)
    return Places(stack, data)


def test_what_is_packed_is_what_is_read(tmp_path: Path) -> None:
    places = site(tmp_path)
    key = tmp_path / "canary.pem"
    for path, text in (
        (places.stack / ".env", f"CANARY_DKIM_KEY={key}\n"),
        (places.stack / "compose.yaml", "services: {}\n"),
        (places.stack / "compose.override.yaml", "services: {home: {}}\n"),
        (places.data / "tls" / "cert.pem", "certificate"),
        (places.edge / "deploy.toml", "home_address = 1\n"),
        (places.edge / "seal.txt", "secret"),
        (places.edge / "README.md", "not a setting"),
        (key, "key"),
    ):
        path.write_text(text)

    pack(tmp_path / "configuration.tar", places)
    archive = read_archive(tmp_path / "configuration.tar")

    assert set(archive) == {
        "env", "compose.yaml", "compose.override.yaml", "tls/cert.pem", "ecs/deploy.toml", "ecs/seal.txt",
        "canary.key",
    }  # fmt: skip
    assert changes(archive, places) == []
    # On another machine: all but compose.yaml, which belongs to the program there.
    key.unlink()
    other = site(tmp_path / "other")
    assert {one.path for one in changes(archive, other)} == {
        other.stack / ".env", other.stack / "compose.override.yaml", other.data / "tls" / "cert.pem",
        other.edge / "deploy.toml", other.edge / "seal.txt", key,
    }  # fmt: skip


def test_a_certificate_that_is_here_is_newer_and_stays(tmp_path: Path) -> None:
    places = site(tmp_path)
    (places.data / "tls" / "cert.pem").write_text("fresh")

    assert changes({"tls/cert.pem": b"old"}, places) == []


@pytest.mark.parametrize("key", ["/etc/cron.d/canary", "relative.pem", ""])
def test_a_backup_does_not_say_where_a_program_is_put(tmp_path: Path, key: str) -> None:
    found = changes({"env": f"CANARY_DKIM_KEY={key}\n".encode(), "canary.key": b"x"}, site(tmp_path))

    assert [one.path.name for one in found] == [".env"]


def test_a_backup_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    places = site(tmp_path)
    (places.data / "tls" / "key.pem").write_text("key")
    with tarfile.open(tmp_path / "configuration.tar", "w") as archive:
        archive.add(places.data / "tls", "tls")

    assert read_archive(tmp_path / "configuration.tar") == {"tls/key.pem": b"key"}


def test_a_link_is_packed_as_what_it_leads_to(tmp_path: Path) -> None:
    places = site(tmp_path)
    (tmp_path / "real").write_text("A=1\n")
    os.symlink(tmp_path / "real", places.stack / ".env")

    pack(tmp_path / "configuration.tar", places)

    assert read_archive(tmp_path / "configuration.tar") == {"env": b"A=1\n"}
