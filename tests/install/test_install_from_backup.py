"""install.sh on a machine that takes the place of a lost one."""

from __future__ import annotations

import pytest

from tests.install.bare_machine import BareMachine

CONFIGURATION = "/mnt/backup/mailserver/2026-11-24_000000/configuration.tar"
RESTORE = "mxgw admin restore --configuration only --yes"


@pytest.mark.parametrize(("answer", "taken"), [("y", True), ("", False)])
def test_settings_come_from_the_backup_disk_after_a_yes(
    bare: BareMachine, answer: str, *, taken: bool
) -> None:
    bare.put(CONFIGURATION, "as the stand-in for mxgw does not read it")

    run = bare.install(RESTORE_SETTINGS=answer)

    assert run.code == 0, run.said
    assert (RESTORE in bare.calls()) is taken


def test_a_wrong_answer_is_named(bare: BareMachine) -> None:
    bare.put(CONFIGURATION, "")

    run = bare.install(lang="ja", RESTORE_SETTINGS="maybe")

    assert run.code == 1
    assert "RESTORE_SETTINGS" in run.said
