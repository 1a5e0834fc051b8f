"""``mxgw admin canary``: one flight by the public way."""

from __future__ import annotations

import json
import os
from email import message_from_bytes
from pathlib import Path
from typing import Final

import click

from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell, spoken
from mxgw.cli.admin_canary_record import tell_record
from mxgw.watch import canary_site
from mxgw.watch.canary import Broken, Flight, Part, fly
from mxgw.watch.canary_dns import exchangers, published
from mxgw.watch.canary_home import Mailbox
from mxgw.watch.canary_letters import FIELD
from mxgw.watch.channels import Undelivered, by_sendgrid_api
from mxgw.watch.judge import CANARY_MENDS
from mxgw.watch.site import site_of

FILE: Final = "canary.json"


def group(words: Words) -> click.Command:
    """The command."""
    return spoken(
        "canary",
        words,
        canary,
        [
            click.Option(["--record"], is_flag=True, help=words("option-canary-record")),
            click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes-records")),
            click.Option(["--replace"], is_flag=True, help=words("option-replace")),
        ],
    )


def canary(call: Call, record: bool, yes: bool, replace: bool) -> None:
    """Fly, keep the result, tell it; exit code 1 where a part is broken. ``record``: tell what DNS needs."""
    site = site_of(call.environ)
    if record:
        tell_record(call, site, yes=yes, replace=replace)
        return
    if yes or replace:
        raise Refused("canary-yes-alone")
    bird = canary_site.bird(site)
    servers = canary_site.dns_servers(site)
    mailbox = Mailbox(
        site, bird.recipient, site.get("CANARY_PASSWORD"), port=int(site.get("CANARY_IMAP_PORT", "993"))
    )
    domain = bird.recipient.rpartition("@")[2]

    def by_sendgrid(letter: bytes, token: str) -> None:
        message = message_from_bytes(letter)
        try:
            by_sendgrid_api(
                site, bird.sender, [bird.recipient], str(message["Subject"]),
                str(message.get_payload()), {FIELD: token},
            )  # fmt: skip
        except Undelivered as why:
            raise Broken(Part.SENDGRID, str(why)) from None

    flight = fly(
        bird,
        mailbox,
        exchangers=lambda: exchangers(domain, servers),
        by_sendgrid=by_sendgrid,
        published=lambda: published(canary_site.record(site), servers),
    )
    _keep(site.state / FILE, flight)
    if call.as_json:
        # One line: the journal keeps it as the metric.
        click.echo(json.dumps({"event": "canary", **_facts(flight)}, ensure_ascii=False))
    else:
        rows: list[list[Cell]] = [
            [part.value, _cell(call, flight, part)]
            for part in Part
            if part.value in flight.parts or part is flight.broken
        ]
        call.show(["id", "sentence"], rows, [])
    if flight.broken:
        if not call.as_json:
            call.say("watch-canary-broken", part=flight.broken.value)
            call.say(CANARY_MENDS[flight.broken.value])
        raise SystemExit(1)
    call.say("watch-canary-well", seconds=round(flight.seconds or 0))


def _cell(call: Call, flight: Flight, part: Part) -> Cell:
    if part is flight.broken:
        return flight.why, "bold red"
    return call.words("canary-part-well", seconds=f"{flight.parts[part.value]:.1f}"), "green"


def _facts(flight: Flight) -> dict[str, object]:
    return {
        "at": flight.at,
        "way": flight.way.value,
        "broken": flight.broken.value if flight.broken else "",
        "why": flight.why,
        "seconds": flight.seconds,
        "parts": dict(flight.parts),
        "twin": flight.twin,
        "record": flight.record.value,
    }


def _keep(path: Path, flight: Flight) -> None:
    temporary = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.write_text(json.dumps(_facts(flight), ensure_ascii=False))
        os.replace(temporary, path)
    except OSError as error:
        raise Refused("watch-unwritable", failure=True, path=str(path), why=error.strerror or "") from None
