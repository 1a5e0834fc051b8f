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
from mxgw.watch.canary import SMTP_PORT, Bird, Broken, Flight, Part, Way, fly, resolved
from mxgw.watch.canary_home import Mailbox
from mxgw.watch.canary_letters import FIELD, dkim_record
from mxgw.watch.channels import Undelivered, by_sendgrid_api
from mxgw.watch.judge import CANARY_MENDS
from mxgw.watch.site import Site, site_of

FILE: Final = "canary.json"
MAX_KEY_OCTETS: Final = 16_384


def group(words: Words) -> click.Command:
    """The command."""
    return spoken(
        "canary",
        words,
        canary,
        [click.Option(["--record"], is_flag=True, help=words("option-canary-record"))],
    )


def canary(call: Call, record: bool) -> None:
    """Fly, keep the result, tell it; exit code 1 where a part is broken. ``record``: tell what DNS needs."""
    site = site_of(call.environ)
    if record:
        _tell_record(call, site)
        return
    bird = _bird(site)
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
        exchangers=lambda: resolved(domain, site.get("MXGW_DNS")),
        by_sendgrid=by_sendgrid,
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


def _tell_record(call: Call, site: Site) -> None:
    try:
        content = dkim_record(_key(site))
    except ValueError as error:
        raise Refused("canary-no-key", why=str(error).splitlines()[0]) from None
    name = f"{_selector(site)}._domainkey.{_sender(site).rpartition('@')[2]}"
    if call.as_json:
        call.print_json({"type": "TXT", "name": name, "content": content})
        return
    call.say("canary-record", name=name)
    # Never broken: it is copied.
    click.echo(f"  {content}")


def _selector(site: Site) -> str:
    return site.get("CANARY_DKIM_SELECTOR", "canary")


def _sender(site: Site) -> str:
    return site.get("CANARY_FROM") or site.get("POSTMASTER_ADDRESS")


def _key(site: Site) -> bytes:
    try:
        with Path(site.get("CANARY_DKIM_KEY")).open("rb") as file:
            return file.read(MAX_KEY_OCTETS)
    except OSError as error:
        raise Refused("canary-no-key", why=error.strerror or "") from None


def _cell(call: Call, flight: Flight, part: Part) -> Cell:
    if part is flight.broken:
        return flight.why, "bold red"
    return call.words("canary-part-well", seconds=f"{flight.parts[part.value]:.1f}"), "green"


def _bird(site: Site) -> Bird:
    recipient, password = site.get("CANARY_TO"), site.get("CANARY_PASSWORD")
    if not recipient or not password:
        raise Refused("canary-not-set")
    way = site.get("CANARY_WAY", Way.SENDGRID.value)
    if way not in set(Way):
        raise Refused("canary-bad-way")
    return Bird(
        sender=_sender(site),
        recipient=recipient,
        authserv_id=site.get("EDGE_HOSTNAME"),
        way=Way(way),
        selector=_selector(site),
        key=_key(site) if way == Way.DIRECT else b"",
        port=int(site.get("CANARY_PORT", str(SMTP_PORT))),
        cafile=site.get("CANARY_CA"),
        helo=site.get("MAIL_HOSTNAME", "localhost"),
    )


def _facts(flight: Flight) -> dict[str, object]:
    return {
        "at": flight.at,
        "way": flight.way.value,
        "broken": flight.broken.value if flight.broken else "",
        "why": flight.why,
        "seconds": flight.seconds,
        "parts": dict(flight.parts),
        "twin": flight.twin,
    }


def _keep(path: Path, flight: Flight) -> None:
    temporary = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.write_text(json.dumps(_facts(flight), ensure_ascii=False))
        os.replace(temporary, path)
    except OSError as error:
        raise Refused("watch-unwritable", failure=True, path=str(path), why=error.strerror or "") from None
