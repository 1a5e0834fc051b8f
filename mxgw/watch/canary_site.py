"""The canary's settings in .env."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused
from mxgw.config.forms import resolvers
from mxgw.watch.canary import SMTP_PORT, Bird, Way
from mxgw.watch.canary_dns import Servers
from mxgw.watch.canary_record import KeyRecord, key_record
from mxgw.watch.site import Site

MAX_KEY_OCTETS: Final = 16_384


def set_up(site: Site) -> bool:
    """Whether it is to fly."""
    return bool(site.get("CANARY_TO") and site.get("CANARY_PASSWORD"))


def way(site: Site) -> Way:
    """Raises Refused."""
    text = site.get("CANARY_WAY", Way.SENDGRID.value)
    if text not in set(Way):
        raise Refused("canary-bad-way")
    return Way(text)


def bird(site: Site) -> Bird:
    """Whom it flies for. Raises Refused."""
    if not set_up(site):
        raise Refused("canary-not-set")
    direct = way(site) is Way.DIRECT
    if direct:
        # A key that signs nothing is told now, and not as a part of the way.
        record(site)
    return Bird(
        sender=_sender(site),
        recipient=site.get("CANARY_TO"),
        authserv_id=site.get("EDGE_HOSTNAME"),
        way=way(site),
        selector=_selector(site),
        key=_key(site) if direct else b"",
        port=int(site.get("CANARY_PORT", str(SMTP_PORT))),
        cafile=site.get("CANARY_CA"),
        helo=site.get("MAIL_HOSTNAME", "localhost"),
    )


def record(site: Site) -> KeyRecord:
    """What DNS has to have for its key. Raises Refused."""
    sender = _sender(site)
    if not sender.rpartition("@")[2]:
        raise Refused("canary-no-sender")
    try:
        return key_record(sender, _selector(site), _key(site))
    except ValueError as error:
        raise Refused("canary-no-key", why=str(error).splitlines()[0]) from None


def dns_servers(site: Site) -> Servers:
    """Those that are named, else none. Raises Refused."""
    text = site.get("MXGW_DNS")
    try:
        return [(server.host, server.port) for server in resolvers(text)]
    except ValueError:
        raise Refused("bad-dns-server", text=shown(text)) from None


def _selector(site: Site) -> str:
    return site.get("CANARY_DKIM_SELECTOR", "canary")


def _sender(site: Site) -> str:
    return site.get("CANARY_FROM") or site.get("POSTMASTER_ADDRESS")


def _key(site: Site) -> bytes:
    path = site.get("CANARY_DKIM_KEY")
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_KEY_OCTETS)
    except OSError as error:
        raise Refused("canary-no-key", why=f"{path}: {error.strerror}") from None
