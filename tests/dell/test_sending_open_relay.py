"""Nobody sends through the Dell without a login, whatever network he seems to come from."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from tests.dell.sending_house import STACK
from tests.dell.strangers import ENVELOPES, SOURCES
from tests.rig.process import ROOT, need_root


def test_no_address_is_trusted() -> None:
    """In a namespace every address can be a client's: Docker's, the house's, Tailscale's, anybody's."""
    need_root("Network namespaces belong to root")

    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.dell.strangers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["seen"] == sorted(SOURCES.values())
    assert len(report["replies"]) == len(SOURCES) * len(ENVELOPES) * 2
    assert {code for _, _, code in report["replies"]} <= {553, 554}
    assert report["relayed"] == 0
    assert report["queued"] == 0


def test_no_rule_asks_where_a_client_is() -> None:
    text = (STACK / "postfix" / "main.cf").read_text() + (STACK / "postfix" / "master.cf").read_text()
    rules = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)

    assert "permit_mynetworks" not in rules
    assert "check_client_access" not in rules
    assert "permit_inet_interfaces" not in rules
