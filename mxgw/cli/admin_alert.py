"""``mxgw admin alert test``: one notice to each place."""

from __future__ import annotations

import time

import click

from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell, Json, spoken, spoken_group
from mxgw.watch.channels import Undelivered, channels
from mxgw.watch.round import trial
from mxgw.watch.site import site_of
from mxgw.watch.telling import text_of


def group(words: Words) -> click.Group:
    """The commands."""
    made = spoken_group("alert", words)
    made.add_command(spoken("alert-test", words, test))
    return made


def test(call: Call) -> None:
    """Send, and tell what each said; exit code 1 where one said no."""
    site = site_of(call.environ)
    found = channels(site)
    if bool(site.get("LINE_CHANNEL_TOKEN")) != bool(site.get("LINE_TO")):
        call.incomplete = True
        call.warn("alert-line-half")
    if not found:
        raise Refused("alert-nowhere")
    rows: list[list[Cell]] = []
    facts: list[Json] = []
    for channel in found:
        why = ""
        try:
            channel.send(*text_of([trial(channel.name, now=time.time())], call.words))
        except Undelivered as error:
            why = str(error)
            call.incomplete = True
        text = call.words("alert-failed", why=why) if why else call.words("alert-sent")
        rows.append([channel.name, (text, "bold red" if why else "green")])
        facts.append({"channel": channel.name, "ok": not why, "message": text})
    call.show(["channel", "sentence"], rows, facts)
