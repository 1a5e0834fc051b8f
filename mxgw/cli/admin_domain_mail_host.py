"""Where the mail programs of a domain go: the home machine, as .env names it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from mxgw.admin import forms
from mxgw.admin.dns_records import MailHost
from mxgw.admin.env_file import with_env_file
from mxgw.admin.places import STACK_DIRECTORY, STACK_VARIABLE
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call

NAME = "MAIL_HOSTNAME"
ADDRESS = "TAILSCALE_IP"


def mail_host(call: Call) -> MailHost | None:
    """Of the environment, as Compose fills it in the container; on the host itself of the stack's .env. None
    where neither knows: DNS can be asked from anywhere. Raises Refused for what cannot be right."""
    environ = _environ(call)
    name, address = environ.get(NAME, "").strip(), environ.get(ADDRESS, "").strip()
    if not name or not address:
        return None
    try:
        return MailHost(forms.domain(name), IPv4Address(address))
    except ValueError:
        raise Refused("bad-ipv4-setting", variable=ADDRESS, text=forms.shown(address)) from None


def _environ(call: Call) -> Mapping[str, str]:
    if call.environ.get(NAME):
        return call.environ
    path = Path(call.environ.get(STACK_VARIABLE) or STACK_DIRECTORY) / ".env"
    # Who may not read it is asking from outside of the house, too.
    return with_env_file(call.environ, path) if os.access(path, os.R_OK) else call.environ
