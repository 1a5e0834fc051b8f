"""What ``mxgw doctor`` was asked for."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv6Address, ip_address

import click

from mxgw.admin import forms
from mxgw.admin.dns_records import SENDGRID
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call, spoken
from mxgw.cli.admin_spoken import words_for
from mxgw.cli.doctor_codes import explain
from mxgw.cli.doctor_visit import Visit, edge_named, is_ip
from mxgw.config.forms import resolvers
from mxgw.doctor.public_resolvers import PUBLIC_RESOLVERS, Server
from mxgw.doctor.words import DoctorWords

DEFAULT_SECONDS = 20.0
"""A server looks up its visitor, and home may be slow; a person is waiting all the same."""

LEAST_SECONDS, MOST_SECONDS = 0.1, 300.0
"""RFC 5321 section 4.5.3.2.1 asks no client to wait longer than five minutes for one command."""


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
            click.Option(["--house"], is_flag=True, help=words("option-house")),
            click.Option(["--repair"], is_flag=True, help=words("option-doctor-repair")),
            click.Option(["--yes", "-y"], is_flag=True, help=words("option-doctor-yes")),
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
    house: bool,
    repair: bool,
    yes: bool,
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
    """Look, judge, tell, offer repairs; exit code 1 where something is wrong in the end."""
    if code:
        explain(call, code)
        return
    may_ask = sys.stdin.isatty() and not call.as_json
    if yes and not repair:
        raise Refused("doctor-yes-alone")
    if repair and not (yes or may_ask):
        raise Refused("doctor-repair-needs-yes")
    if house and (edge is not None or domain or send is not None):
        raise Refused("doctor-house-alone")
    visit = Visit(call, house=house, alone=edge is None and not domain)
    request = visit.request(
        edge_named(edge),
        domain,
        outbound=_outbound(outbound),
        selectors=tuple(forms.selector(text) for text in selector),
        reports=forms.address(reports) if reports is not None else "",
        mx_addresses=mx_address,
        send_to=forms.address(send) if send is not None else "",
        resolvers=_servers(dns) or PUBLIC_RESOLVERS,
        own_servers=_servers(authority),
        seconds=_seconds(timeout),
    )
    if visit.site is None and repair and not visit.can_write_dns:
        raise Refused("doctor-repair-elsewhere")
    visit.look(request)
    visit.show()
    if yes or may_ask:
        visit.mend(request, yes=yes)
    visit.end()


# -- what was asked for -------------------------------------------------------------------------------------


def _outbound(given: str | None) -> str | IPv4Address | IPv6Address:
    if given is None:
        return SENDGRID
    text = forms.typed(given)
    return ip_address(text) if is_ip(text) else forms.domain(text)


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
