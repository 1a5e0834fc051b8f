"""``mxgw admin canary --record``: the DNS record of its key, shown, looked for, written after a yes."""

from __future__ import annotations

import time
from typing import Final

import click

from mxgw.admin.cloud.settings import cloud_settings
from mxgw.cli.admin_call import Call
from mxgw.cli.admin_domain_check import PAUSE_SECONDS, SETTLING_SECONDS
from mxgw.cli.admin_domain_cloud import Outside, State
from mxgw.watch import canary_site
from mxgw.watch.canary_dns import Servers, published
from mxgw.watch.canary_record import KeyRecord, Standing, planned
from mxgw.watch.site import Site

COMMAND: Final = "mxgw admin canary --record"

STANDINGS: Final = {
    Standing.PUBLISHED: "canary-record-there",
    Standing.MISSING: "canary-record-missing",
    Standing.OTHER: "canary-record-other",
    Standing.UNKNOWN: "canary-record-unknown",
}


def tell_record(call: Call, site: Site, *, yes: bool, replace: bool) -> None:
    """Show it and how DNS has it; write it where .env has a token. Exit code 1 where it is not there then."""
    record = canary_site.record(site)
    servers = canary_site.dns_servers(site)
    found = published(record, servers)
    facts: dict[str, object] = {"type": "TXT", "name": record.name, "content": record.content}
    if not call.as_json:
        call.say("canary-record", name=record.name)
        # Never broken: it is copied.
        click.echo(f"  {record.content}")
        call.say(STANDINGS[found], name=record.name)
    if found is not Standing.PUBLISHED:
        if cloud_settings(site.settings).cloudflare_token:
            outside, found = write_record(call, site, yes=yes, replace=replace)
            facts |= {**outside.facts, "left": outside.left}
            for text in outside.left:
                call.say("check-mend", text=text)
        else:
            call.say("canary-record-by-hand")
    if call.as_json:
        call.print_json({**facts, "standing": found.value})
    call.incomplete = found is not Standing.PUBLISHED


def write_record(call: Call, site: Site, *, yes: bool, replace: bool) -> tuple[Outside, Standing]:
    """Have it at Cloudflare, after a yes; how DNS has it then. Raises Refused."""
    record = canary_site.record(site)
    outside = Outside(call, cloud_settings(site.settings), again=COMMAND)
    outside.put(record.domain, lambda held: planned(record, held), yes=yes, replace=replace)
    servers = canary_site.dns_servers(site)
    if outside.parts["cloudflare"].state is State.LEFT:
        return outside, published(record, servers)
    call.say("check-looking-again")
    found = _settled(record, servers)
    call.say(STANDINGS[found], name=record.name)
    return outside, found


def _settled(record: KeyRecord, servers: Servers) -> Standing:
    """What DNS says once it has it, or when it has had its time."""
    end = time.monotonic() + SETTLING_SECONDS
    while (found := published(record, servers)) is not Standing.PUBLISHED and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return found
