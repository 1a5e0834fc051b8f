"""What ``mxgw doctor`` was asked for, and how it tells what it found."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import groupby
from typing import TYPE_CHECKING

import click

from mxgw.admin import forms
from mxgw.admin.access import MAIL_EXCHANGER, MAIL_EXCHANGER_ADDRESSES
from mxgw.admin.dns_check import Level
from mxgw.admin.dns_records import SELECTORS, SENDGRID, Exchanger
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call, spoken
from mxgw.cli.admin_spoken import words_for
from mxgw.cli.doctor_codes import explain
from mxgw.cli.terminal import FAILURE, console, plain
from mxgw.config import default_hostname
from mxgw.config.forms import domain_name, resolvers
from mxgw.doctor.edge_facts import SMTP_PORT
from mxgw.doctor.examination import Request, Server, examine
from mxgw.doctor.letter import letter
from mxgw.doctor.survey import Wanted
from mxgw.doctor.verdict import Verdict
from mxgw.doctor.visit import Manners
from mxgw.doctor.words import DoctorWords

if TYPE_CHECKING:
    from rich.text import Text

RESOLVERS: tuple[Server, ...] = (("1.1.1.1", 53), ("8.8.8.8", 53))
"""Two that many senders use, run by different people."""

MAX_DOMAINS = 20
"""Of one run: each is some twenty questions to four servers, and two transactions with the edge."""

DEFAULT_SECONDS = 20.0
"""A server looks up its visitor, and home may be slow; a person is waiting all the same."""

LEAST_SECONDS, MOST_SECONDS = 0.1, 300.0
"""RFC 5321 section 4.5.3.2.1 asks no client to wait longer than five minutes for one command."""

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "bold red"}


def spoken_doctor(arguments: list[str]) -> click.Command:
    """The command in the language of these arguments, or of the environment."""
    words = DoctorWords(words_for(arguments).language)

    def option(name: str, metavar: str, key: str = "", *, multiple: bool = False) -> click.Option:
        return click.Option(
            [f"--{name}"], metavar=metavar, multiple=multiple, help=words(f"option-{key or name}")
        )

    return spoken(
        "doctor",
        words,
        doctor,
        [
            click.Argument(["code"], nargs=-1, metavar="[CODE]..."),
            option("edge", "HOST[:PORT]"),
            option("domain", "DOMAIN", "doctor-domain", multiple=True),
            option("outbound", "SENDER"),
            option("selector", "NAME", "doctor-selector", multiple=True),
            option("reports", "ADDRESS"),
            option("mx-address", "IPV4", multiple=True),
            option("send", "ADDRESS"),
            option("dns", "ADDRESS", "resolver", multiple=True),
            option("authority", "ADDRESS", multiple=True),
            option("timeout", "SECONDS"),
        ],
    )


def doctor(
    call: Call,
    code: tuple[str, ...],
    edge: str | None,
    domain: tuple[str, ...],
    outbound: str | None,
    selector: tuple[str, ...],
    reports: str | None,
    mx_address: tuple[str, ...],
    send: str | None,
    dns: tuple[str, ...],
    authority: tuple[str, ...],
    timeout: str | None,
) -> None:
    """Look, judge, tell; exit code 1 where something is wrong."""
    if code:
        explain(call, code)
        return
    known = _edge(call.environ.get(MAIL_EXCHANGER))
    place = _edge(edge) or known
    names = _domains(domain or tuple(call.environ.get("MXGW_DOMAINS", "").replace(",", " ").split()))
    # Who names domains alone asks about domains alone.
    visited = None if edge is None and domain else place
    if visited is None and not names:
        raise Refused("doctor-nothing")
    if send is not None and visited is None:
        raise Refused("doctor-send-without-edge")
    sender = _outbound(outbound)
    selectors = tuple(forms.selector(text) for text in selector)
    addresses = mx_address or tuple(call.environ.get(MAIL_EXCHANGER_ADDRESSES, "").replace(",", " ").split())
    recipient = forms.address(send) if send is not None else ""
    now, token = datetime.now(UTC), secrets.token_hex(6)
    host = default_hostname()
    request = Request(
        edge=visited,
        domains=tuple(
            Wanted(
                name,
                _exchanger(name, (place, known), addresses),
                sender,
                selectors or (SELECTORS if sender == SENDGRID else ()),
                forms.address(reports) if reports is not None else f"postmaster@{name}",
            )
            for name in names
        ),
        resolvers=_servers(dns) or RESOLVERS,
        manners=Manners(host, _seconds(timeout)),
        own_servers=_servers(authority),
        send_to=recipient,
        content=letter(recipient=recipient, sender_host=host, token=token, now=now) if recipient else b"",
    )
    with nullcontext() if call.as_json else console(stderr=True).status(call.words("doctor-looking")):
        verdicts = asyncio.run(examine(request, now))
    failed = sum(verdict.level is Level.FAILED for verdict in verdicts)
    if call.as_json:
        call.print_json(
            {"ok": not failed, "domains": list(names), "checks": [_facts(call, one) for one in verdicts]}
        )
    else:
        _print(call, verdicts, set(names))
        warnings = sum(verdict.level is Level.WARNING for verdict in verdicts)
        key = "doctor-failed" if failed else "doctor-warned" if warnings else "doctor-good"
        call.say(key, failed=failed, warnings=warnings)
    if failed:
        raise SystemExit(FAILURE)


# -- what was asked for -------------------------------------------------------------------------------------


def _edge(given: str | None) -> Server | None:
    """``mx.example.jp``, ``mx.example.jp:2525``, ``192.0.2.1``, ``[2001:db8::1]:25``."""
    if given is None or not given.strip():
        return None
    text = forms.typed(given)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if _is_ip(bare):
        return bare, SMTP_PORT
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, str(SMTP_PORT)
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        number = int(port)
        name = host if _is_ip(host) else domain_name(host)
    except ValueError:
        raise Refused("bad-edge", text=forms.shown(given)) from None
    if not 0 < number < 65536:
        raise Refused("bad-edge", text=forms.shown(given))
    return name, number


def _domains(given: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(forms.domain(text) for text in given))
    if len(names) > MAX_DOMAINS:
        raise Refused("too-many-domains", count=len(names), most=MAX_DOMAINS)
    return names


def _outbound(given: str | None) -> str | IPv4Address | IPv6Address:
    if given is None:
        return SENDGRID
    text = forms.typed(given)
    return ip_address(text) if _is_ip(text) else forms.domain(text)


def _exchanger(domain: str, edges: Sequence[Server | None], addresses: tuple[str, ...]) -> Exchanger:
    """What the MX should name: the edge where it has a name, else as `mxgw admin domain` has it."""
    names = [edge[0] for edge in edges if edge is not None and not _is_ip(edge[0])]
    return Exchanger(names[0] if names else f"mx.{domain}", tuple(_ipv4(text) for text in addresses))


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(forms.typed(text))
    except ValueError:
        raise Refused("bad-ipv4", text=forms.shown(text)) from None


def _servers(given: tuple[str, ...]) -> tuple[Server, ...]:
    found: list[Server] = []
    for text in given:
        try:
            found += [(server.host, server.port) for server in resolvers(forms.typed(text))]
        except ValueError:
            raise Refused("bad-dns-server", text=forms.shown(text)) from None
    return tuple(dict.fromkeys(found))


def _seconds(given: str | None) -> float:
    if given is None:
        return DEFAULT_SECONDS
    try:
        seconds = float(forms.typed(given))
    except ValueError:
        seconds = 0.0
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise Refused(
            "bad-timeout", text=forms.shown(given), least=f"{LEAST_SECONDS:g}", most=f"{MOST_SECONDS:g}"
        )
    return seconds


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


# -- what was found -----------------------------------------------------------------------------------------


def _facts(call: Call, verdict: Verdict) -> dict[str, object]:
    return {
        "subject": verdict.subject,
        "check": verdict.check,
        "level": verdict.level.value,
        "finding": verdict.key,
        "message": call.words(verdict.key, **verdict.facts),
        "mend": call.words(verdict.mend, **verdict.facts) if verdict.mend else "",
        "evidence": list(verdict.evidence),
    }


def _print(call: Call, verdicts: list[Verdict], domains: set[str]) -> None:
    """One table for each subject; evidence under every finding."""
    from rich.table import Table
    from rich.text import Text

    for subject, group in groupby(verdicts, key=lambda verdict: verdict.subject):
        is_domain = subject in domains
        title = (
            call.words("domain-title", domain=subject)
            if is_domain
            else call.words("edge-title", place=subject)
        )
        console().print(Text(plain(title), style="bold"))
        table = Table(box=None, header_style="bold")
        table.add_column(call.words("column-check"), style="cyan", overflow="fold")
        table.add_column(call.words("column-result"), no_wrap=True)
        table.add_column(call.words("column-finding"), overflow="fold")
        for verdict in group:
            label = verdict.check if is_domain else call.words(f"label-{verdict.check}")
            level = Text(call.words(f"level-{verdict.level}"), style=STYLES[verdict.level])
            table.add_row(label, level, _finding(call, verdict))
        console().print(table)
        console().print()


def _finding(call: Call, verdict: Verdict) -> Text:
    from rich.text import Text

    told = Text(plain(call.words(verdict.key, **verdict.facts)))
    for line in verdict.evidence:
        told.append("\n" + plain(call.words("evidence", text=line)), style="dim")
    if verdict.mend:
        mend = call.words(verdict.mend, **verdict.facts)
        told.append("\n" + plain(call.words("check-mend", text=mend)))
    return told
