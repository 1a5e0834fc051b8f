"""compose.yaml, .env.example and prepare.sh: bounds, isolation, and nothing left to chance."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dell.cells import VOLUME_OWNERS, site
from tests.dell.compose_file import (
    COMPOSE,
    EXAMPLE,
    STACK,
    example_variables,
    host_path,
    read_compose,
    variables,
)
from tests.rig.process import ROOT, find_program

SERVICES = {
    *("home", "dovecot", "mariadb", "accounts", "rspamd", "clamav", "redis", "postfix", "roundcube", "nginx"),
    *("admin", "trial"),
}
# Start, do their work and end.
ONE_SHOT = {"accounts"}
# Run when they are called, by a person or by the backup.
CALLED = {"admin", "trial"}
ADDRESS = "100.64.0.1"
DATA = "/data/docker/volumes/mailserver"
PORTS = {993, 995, 587, 465, 443, 80, 2525}
CORES, MEMORY_GIB, SHARE_PERCENT = 6, 32, 70
OCTETS = {"k": 2**10, "m": 2**20, "g": 2**30}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    environ = site(Path(DATA)) | {"TAILSCALE_IP": ADDRESS}
    return read_compose(environ)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def test_docker_compose_takes_the_file_as_it_is(tmp_path: Path) -> None:
    """Compose 1.29 knows the least; what it takes, version 2 takes, too."""
    given = tmp_path / "env"
    given.write_text("".join(f"{name}={value}\n" for name, value in site(tmp_path).items()))
    command = [
        find_program("docker-compose", package="docker-compose"),
        f"--env-file={given}",
        f"--file={COMPOSE}",
    ]
    # Without the environment: only the file speaks.
    done = subprocess.run(
        [*command, "config"], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )

    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) | CALLED == SERVICES


def test_version_2_is_asked_where_it_is_installed() -> None:
    """Compose v2 refuses what 1.29 lets pass: a name that it does not know, at the top or in a service."""
    known = {
        *("image", "build", "command", "entrypoint", "user", "environment", "ports", "volumes", "tmpfs"),
        *(
            "networks",
            "network_mode",
            "depends_on",
            "healthcheck",
            "restart",
            "cap_drop",
            "cap_add",
            "security_opt",
            "read_only",
        ),
        *("logging", "stop_grace_period", "init", "cpus", "mem_limit", "pids_limit", "profiles"),
    }
    raw = yaml.safe_load(COMPOSE.read_text())

    assert {name for name in raw if not name.startswith("x-")} == {"services", "networks"}
    assert {key for service in raw["services"].values() for key in service} <= known


def test_every_image_is_pinned(services: dict[str, Any]) -> None:
    assert set(services) == SERVICES
    for name, service in services.items():
        assert re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)+(-[a-z]+)?", service["image"]), name


def test_all_limits_together_leave_three_tenths_of_the_machine(services: dict[str, Any]) -> None:
    # What a person calls is over in seconds.
    running = [service for name, service in services.items() if name not in CALLED]
    hundredths = sum(round(100 * service["cpus"]) for service in running)
    octets = sum(int(s["mem_limit"][:-1]) * OCTETS[s["mem_limit"][-1]] for s in running)

    assert hundredths <= CORES * SHARE_PERCENT
    assert octets <= MEMORY_GIB * 2**30 * SHARE_PERCENT // 100
    assert all(service["pids_limit"] for service in services.values())


def test_a_tmpfs_cannot_use_up_its_containers_memory(services: dict[str, Any]) -> None:
    for name, service in services.items():
        limit = int(service["mem_limit"][:-1]) * OCTETS[service["mem_limit"][-1]]
        sizes = [re.search(r"size=(\d+)m", one) for one in service.get("tmpfs", [])]
        assert all(sizes), name
        assert sum(int(size[1]) for size in sizes if size) * 2**20 < limit, name


def test_ports_are_the_seven_and_bound_to_the_tailnet(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]

    assert {int(port.split(":")[-1]) for port in published} == PORTS
    assert len(published) == len(PORTS)
    assert all(port.startswith(f"{ADDRESS}:") for port in published)


def test_without_a_tailnet_address_nothing_is_published_elsewhere() -> None:
    environ = site(Path(DATA))
    del environ["TAILSCALE_IP"]

    with pytest.raises(KeyError, match="TAILSCALE_IP"):
        read_compose(environ)


def test_every_service_has_a_health_check_a_restart_policy_and_a_bounded_log(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        if name in ONE_SHOT:
            assert service["restart"].startswith("on-failure:")
            assert service["healthcheck"] == {"disable": True}
        elif name in CALLED:
            assert (service["restart"], service["profiles"]) == ("no", [name])
            assert service["healthcheck"] == {"disable": True}
        else:
            assert service["restart"] == "unless-stopped", name
            check = service["healthcheck"]
            assert check["test"][0] == "CMD", name
            assert {"interval", "timeout", "retries", "start_period"} <= set(check), name
        assert service["logging"]["options"] == {"max-size": "20m", "max-file": "10"}, name


def test_services_start_when_those_they_need_are_healthy(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
            assert how == {"condition": wanted}, (name, needed)
    # It needs minutes to load its signatures; until then mail waits at its senders.
    assert not [name for name, service in services.items() if "clamav" in service.get("depends_on", {})]


def test_no_service_has_more_rights_than_it_needs(services: dict[str, Any]) -> None:
    root = {name for name, service in services.items() if "user" not in service}

    assert root == {"dovecot", "trial", "postfix", "roundcube", "nginx"}
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not set(service.get("cap_add", [])) & {"SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_PTRACE"}, name
        assert bool(service.get("cap_add")) == (name in root), name
        assert "privileged" not in service
        assert service.get("network_mode") == ("none" if name == "trial" else None)
    assert {name for name, service in services.items() if not service["read_only"]} == {"roundcube"}


def test_volumes_lie_in_one_place_and_carry_a_label(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source, _, words = host_path(volume)
            assert set(words) & {"z", "Z"}, (name, volume)
            if STACK in source.parents:
                assert source.exists(), (name, volume)
                assert "ro" in words, (name, volume)
            else:
                assert source.parent == Path(DATA), (name, volume)
                assert "docker.sock" not in volume
            # A private label is taken away from the one who had it before.
            if "Z" in words:
                others = [s for n, s in services.items() if n != name]
                assert not [v for s in others for v in s.get("volumes", []) if host_path(v)[0] == source], (
                    volume
                )


def test_networks_keep_apart_who_has_no_business_with_each_other(compose: dict[str, Any]) -> None:
    members: dict[str, set[str]] = {name: set() for name in compose["networks"]}
    for name, service in compose["services"].items():
        for network in service.get("networks", []):
            members[network].add(name)
    internal = {name for name, one in compose["networks"].items() if one.get("internal")}

    assert members["memory"] == {"rspamd", "redis"}
    assert members["antivirus"] == {"rspamd", "clamav"}
    assert members["delivery"] == {"home", "dovecot", "postfix"}
    assert members["database"] == {"mariadb", "accounts", "dovecot", "postfix", "roundcube", "admin"}
    assert members["administration"] == {"dovecot", "admin"}
    # Whatever leads out has one member: nobody meets a neighbour there.
    assert all(len(members[name]) == 1 for name in set(members) - internal)
    # The webmail, where a hole is likeliest, cannot reach out at all.
    assert not [name for name in set(members) - internal if "roundcube" in members[name]]


def test_fixed_addresses_are_those_that_dovecot_knows(compose: dict[str, Any]) -> None:
    network = ipaddress.ip_network(compose["networks"]["delivery"]["ipam"]["config"][0]["subnet"])
    addresses = {
        name: service["networks"]["delivery"]["ipv4_address"]
        for name, service in compose["services"].items()
        if isinstance(service.get("networks"), dict) and "delivery" in service["networks"]
    }
    configuration = (STACK / "dovecot/dovecot.conf").read_text()

    assert all(ipaddress.ip_address(address) in network for address in addresses.values())
    # The first is the bridge's own.
    assert str(next(network.hosts())) not in addresses.values()
    assert f"login_trusted_networks = {addresses['home']}/32" in configuration
    assert configuration.count(f"address = {addresses['dovecot']}\n") == 2
    internal = compose["services"]["postfix"]["environment"]
    assert internal["INTERNAL_SUBMISSION"].startswith(f"{addresses['postfix']}:")
    assert internal["INTERNAL_CLIENTS"] == addresses["dovecot"]


# -- .env --------------------------------------------------------------------------------------------------


def test_every_variable_is_explained_in_both_languages_and_used() -> None:
    used = variables(COMPOSE.read_text())

    assert set(used) <= set(example_variables())
    # The others are read by the commands that the host runs.
    on_the_host = set(example_variables()) - set(used)
    sources = "\n".join(path.read_text() for path in (ROOT / "mxgw").rglob("*.py"))
    assert {name for name in on_the_host if f'"{name}"' not in sources} == set()
    blocks = [
        block for block in EXAMPLE.read_text().split("\n\n") if re.search(r"^#?[A-Z_]+=", block, re.MULTILINE)
    ]
    for block in blocks:
        words = "\n".join(line for line in block.splitlines() if line.startswith("# "))
        assert re.search(r"[A-Za-z]{3,}", words), block
        assert re.search("[ぁ-んァ-ン一-龥]", words), block


def test_what_must_be_set_stands_empty_and_the_rest_shows_its_default() -> None:
    used = variables(COMPOSE.read_text())
    lines = EXAMPLE.read_text().splitlines()

    for name, rest in used.items():
        if rest == ":?":
            assert f"{name}=" in lines, name
        else:
            assert f"#{name}={rest.removeprefix(':-')}" in lines, name


def test_no_secret_stands_in_a_file_of_the_stack() -> None:
    raw = yaml.safe_load(COMPOSE.read_text())

    for name, service in raw["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY", variable):
                assert re.fullmatch(r"\$\{[A-Z_]+:[?-]\}", value), (name, variable)
    assert ".env" in (STACK / ".gitignore").read_text().split()


# -- prepare.sh ----------------------------------------------------------------------------------------------


def filled(place: Path, **changes: str) -> Path:
    """A site's .env, all in order but for ``changes``."""
    file = place / ".env"
    values = {name: "" for name, rest in variables(COMPOSE.read_text()).items() if rest == ":?"}
    values |= site(place / "data") | changes
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    file.chmod(0o600)
    return file


def prepare(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(STACK / "prepare.sh")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "ENV_FILE": str(file)},
    )


def with_certificate(place: Path) -> None:
    tls = place / "data" / "tls"
    tls.mkdir(parents=True, exist_ok=True)
    for name in ("cert.pem", "key.pem"):
        (tls / name).write_text("PEM\n")
        (tls / name).chmod(0o644)


def test_directories_are_made_for_the_users_of_the_images_and_keys_closed(tmp_path: Path) -> None:
    with_certificate(tmp_path)

    done = [prepare(filled(tmp_path)) for _ in range(2)]

    assert [one.returncode for one in done] == [0, 0], done[0].stderr
    for name, owner in VOLUME_OWNERS.items():
        found = (tmp_path / "data" / name).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (*owner, 0o700)
    assert (tmp_path / "data/tls/key.pem").stat().st_mode & 0o777 == 0o600


def test_a_file_of_secrets_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with_certificate(tmp_path)
    file = filled(tmp_path)
    file.chmod(0o644)

    done = prepare(file)

    assert done.returncode == 1
    assert "chmod 600" in done.stderr
    assert "権限" in done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"MAIL_HOSTNAME": ""}, "MAIL_HOSTNAME is empty"),
        ({"RSPAMD_PASSWORD": "short"}, "RSPAMD_PASSWORD is short"),
        ({"ROUNDCUBE_DES_KEY": "a1" * 12}, "ROUNDCUBE_DES_KEY is short"),
        ({"DOVECOT_DB_PASSWORD": "it's a long phrase with blanks"}, "other characters"),
        ({"ADMIN_DB_PASSWORD": "a" * 24, "POSTFIX_DB_PASSWORD": "a" * 24}, "stands twice"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    with_certificate(tmp_path)

    done = prepare(filled(tmp_path, **changes))

    assert done.returncode == 1
    assert said in done.stderr


def test_a_missing_certificate_comes_with_the_command_that_makes_it(tmp_path: Path) -> None:
    done = prepare(filled(tmp_path))

    assert done.returncode == 1
    assert "tailscale cert --cert-file" in done.stderr


@pytest.mark.parametrize("password", ["", "it's", "a b", "a\nb"])
def test_dovecot_does_not_start_with_a_password_that_would_break_its_files(password: str) -> None:
    environ = {"PATH": os.environ["PATH"], "DOVECOT_DB_PASSWORD": password, "RSPAMD_PASSWORD": "fine"}

    done = subprocess.run(
        [str(STACK / "dovecot/start.sh")], capture_output=True, text=True, check=False, env=environ
    )

    assert done.returncode == 1
    assert "DOVECOT_DB_PASSWORD in .env" in done.stderr


def test_the_scripts_of_the_stack_are_sound() -> None:
    scripts = [*STACK.glob("*.sh"), *STACK.glob("*/*.sh"), STACK / "dovecot/sieve/bin/learn"]

    assert len(scripts) >= 5
    for script in scripts:
        # Parts of install.sh are read by it, and begin without an interpreter.
        started = script.read_text().startswith("#!")
        assert started == os.access(script, os.X_OK), script
        assert started or script.parent.name == "install", script
        subprocess.run(["bash", "-n", str(script)], check=True)
