"""``mxgw admin domain``: add, remove, list, records, check."""

from __future__ import annotations

import time
from functools import partial
from ipaddress import IPv4Address

import click

from mxgw.admin import accounts, forms
from mxgw.admin.access import MAIL_EXCHANGER, MAIL_EXCHANGER_ADDRESSES
from mxgw.admin.database import opened
from mxgw.admin.dns_records import SELECTORS, Exchanger, Record, mta_sts_policy, wanted_records
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, spoken, spoken_group
from mxgw.cli.terminal import console
from mxgw.config.forms import resolvers


def group(words: Words) -> click.Group:
    """The commands, in the order of a domain's life."""
    domain = partial(click.Argument, ["domain"], required=False, metavar="[DOMAIN]")

    def exchanger() -> list[click.Parameter]:
        return [
            click.Option(["--mx"], metavar="NAME", help=words("option-mx")),
            click.Option(["--mx-address"], metavar="IPV4", multiple=True, help=words("option-mx-address")),
            click.Option(["--reports"], metavar="ADDRESS", help=words("option-reports")),
        ]

    made = spoken_group("domain", words)
    for command in (
        spoken("domain-add", words, add, [domain(), *exchanger()]),
        spoken("domain-records", words, records, [domain(), *exchanger()]),
        spoken(
            "domain-check",
            words,
            check,
            [
                domain(),
                *exchanger(),
                click.Option(["--selector"], metavar="NAME", multiple=True, help=words("option-selector")),
                click.Option(["--dns"], metavar="ADDRESS", help=words("option-dns")),
            ],
        ),
        spoken("domain-list", words, show),
        spoken(
            "domain-remove",
            words,
            remove,
            [domain(), click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes"))],
        ),
    ):
        made.add_command(command)
    return made


def add(
    call: Call, domain: str | None, mx: str | None, mx_address: tuple[str, ...], reports: str | None
) -> None:
    """A domain more, and what DNS must say of it."""
    name = call.asked(domain, "domain", forms.domain)
    exchanger, mailbox = _exchanger(call, name, mx, mx_address), _reports(name, reports)
    with opened(call.database) as database:
        accounts.add_domain(database, name)
    wanted = wanted_records(name, exchanger, reports=mailbox, now=time.time())
    if call.as_json:
        call.print_json({"ok": True, "did": "domain-added", "domain": name, **_facts(wanted, exchanger)})
        return
    call.done("domain-added", domain=name)
    _print_records(call, name, exchanger, wanted)
    call.say("next-domain-added", domain=name, reports=mailbox)


def records(
    call: Call, domain: str | None, mx: str | None, mx_address: tuple[str, ...], reports: str | None
) -> None:
    """The DNS records once more; the database is not asked."""
    name = call.asked(domain, "domain", forms.domain)
    exchanger = _exchanger(call, name, mx, mx_address)
    wanted = wanted_records(name, exchanger, reports=_reports(name, reports), now=time.time())
    if call.as_json:
        call.print_json({"domain": name, **_facts(wanted, exchanger)})
    else:
        _print_records(call, name, exchanger, wanted)


def check(
    call: Call,
    domain: str | None,
    mx: str | None,
    mx_address: tuple[str, ...],
    reports: str | None,
    selector: tuple[str, ...],
    dns: str | None,
) -> None:
    """Ask DNS for every record; exit code 1 where one is wrong."""
    name = call.asked(domain, "domain", forms.domain)
    exchanger, mailbox = _exchanger(call, name, mx, mx_address), _reports(name, reports)
    selectors = tuple(forms.selector(text) for text in selector) or SELECTORS
    servers = _servers(call, dns)
    # Imported here: it brings the resolver, which no other command needs.
    from mxgw.cli.admin_domain_check import look_up_and_tell

    look_up_and_tell(call, name, exchanger, reports=mailbox, selectors=selectors, servers=servers)


def show(call: Call) -> None:
    """All domains."""
    with opened(call.database) as database:
        found = accounts.domains(database)
    if not found and not call.as_json:
        call.say("no-domains-yet")
        return
    call.show(
        ["domain", "users", "aliases", "state"],
        [
            [
                domain.name,
                str(domain.users),
                str(domain.aliases),
                call.words("state-active" if domain.active else "state-inactive"),
            ]
            for domain in found
        ],
        [
            {
                "domain": domain.name,
                "users": domain.users,
                "aliases": domain.aliases,
                "active": domain.active,
            }
            for domain in found
        ],
    )


def remove(call: Call, domain: str | None, yes: bool) -> None:
    """A domain less, once nothing is in it."""
    name = call.asked(domain, "domain", forms.domain)
    access = call.database
    with opened(access) as database:
        accounts.empty_domain(database, name)
    call.confirmed("ask-remove-domain", yes=yes, domain=name)
    with opened(access) as database:
        accounts.remove_domain(database, name)
    call.done("domain-removed", domain=name)
    call.say("next-domain-removed", domain=name)


# -- what DNS must say --------------------------------------------------------------------------------------


def _exchanger(call: Call, domain: str, mx: str | None, mx_address: tuple[str, ...]) -> Exchanger:
    host = forms.domain(mx or call.environ.get(MAIL_EXCHANGER) or f"mx.{domain}")
    given = mx_address or tuple(call.environ.get(MAIL_EXCHANGER_ADDRESSES, "").replace(",", " ").split())
    return Exchanger(host, tuple(_ipv4(text) for text in given))


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(forms.typed(text))
    except ValueError:
        raise Refused("bad-ipv4", text=forms.shown(text)) from None


def _reports(domain: str, given: str | None) -> str:
    return forms.address(given) if given is not None else f"postmaster@{domain}"


def _servers(call: Call, given: str | None) -> list[tuple[str, int]]:
    text = given or call.environ.get("MXGW_DNS", "")
    if not text:
        return []
    try:
        return [(server.host, server.port) for server in resolvers(text)]
    except ValueError:
        raise Refused("bad-dns-server", text=forms.shown(text)) from None


def _facts(wanted: list[Record], exchanger: Exchanger) -> dict[str, object]:
    return {
        "records": [
            {
                "purpose": record.purpose.value,
                "type": record.kind.value,
                "name": record.name,
                "content": record.content,
                "priority": record.preference,
                "exact": record.exact,
            }
            for record in wanted
        ],
        "mta_sts_policy": mta_sts_policy(exchanger),
    }


def _print_records(call: Call, domain: str, exchanger: Exchanger, wanted: list[Record]) -> None:
    """Each record in two lines: what is to be copied is never broken."""
    from rich.text import Text

    call.say("records-intro", domain=domain)
    kinds = max(len(record.kind) for record in wanted) + 2
    names = max(len(record.name) for record in wanted) + 2
    for record in wanted:
        head = Text.assemble(
            (f"  {record.kind.value:<{kinds}}", "cyan"),
            (f"{record.name:<{names}}", "bold"),
            (call.words(record.note), "dim"),
        )
        content = Text(f"  {'':<{kinds}}{record.content}", "green" if record.exact else "yellow")
        console().print(head, content, sep="\n", soft_wrap=True)
    call.say("records-brackets")
    policy = mta_sts_policy(exchanger).replace("\r\n", "\n  ").rstrip()
    call.say("records-policy", domain=domain, policy=policy)
