"""The rights that compose.yaml leaves to the programs are enough, and are all they have."""

from __future__ import annotations

import signal

import pytest

from tests.dell.compose_file import STACK
from tests.dell.household import Household
from tests.dell.scanning import Scanners
from tests.rig.process import find_program

CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE, SYS_CHROOT = 0, 1, 3, 5, 6, 7, 10, 18
NUMBERS = {
    "CHOWN": CHOWN,
    "DAC_OVERRIDE": DAC_OVERRIDE,
    "FOWNER": FOWNER,
    "KILL": KILL,
    "SETGID": SETGID,
    "SETUID": SETUID,
    "NET_BIND_SERVICE": NET_BIND_SERVICE,
    "SYS_CHROOT": SYS_CHROOT,
}


def test_nginx_serves_with_the_rights_it_is_given(household: Household) -> None:
    find_program("nginx", package="nginx-light")
    find_program("wget", package="wget")
    nginx = household.host.cell("nginx")

    nginx.start()

    assert household.host.healthy("nginx")
    assert nginx.child.stop() == 0


def test_postfix_takes_connections_with_the_rights_it_is_given(household: Household) -> None:
    find_program("postfix", package="postfix")
    household.host.place.directory("data/postfix")
    postfix = household.host.cell(
        "postfix",
        # What the image brings: its files, its entrypoint, and this variable.
        command=["env", "MAIL_CONFIG=/run/postfix/etc", "/opt/postfix/entrypoint"],
        mounts={"/opt/postfix": STACK / "postfix"},
    )

    postfix.start()

    assert household.host.healthy("postfix")
    assert postfix.child.stop() in {0, 128 + signal.SIGTERM}
    assert "fatal" not in postfix.said()


@pytest.mark.parametrize("service", ["dovecot", "mariadb", "redis", "rspamd", "clamav"])
def test_a_running_service_has_no_other_rights_and_cannot_write_to_its_root(
    household: Household, scanners: Scanners, service: str
) -> None:
    assert scanners.rspamd.child.running
    cell = household.host.cells[service]
    settings = household.host.compose["services"][service]
    status = dict(
        line.split(":\t", 1)
        for line in cell.run(["cat", f"/proc/{cell.child.pid}/status"]).stdout.splitlines()
    )

    allowed = sum(1 << NUMBERS[name] for name in settings.get("cap_add", []))
    assert int(status["CapBnd"], 16) == allowed
    assert status["NoNewPrivs"] == "1"
    assert (status["Uid"].split()[0] == "0") == ("user" not in settings)
    written = cell.run(["touch", "/etc/written", "/usr/bin/written"])
    assert written.returncode != 0
    assert written.stderr.count("Read-only file system") == 2
