"""``mxgw admin domain``: add, remove, list, records, check."""

from __future__ import annotations

import time
from functools import partial
from ipaddress import IPv4Address

import click

from mxgw.admin import accounts, forms
from mxgw.admin.access import DATABASE, MAIL_EXCHANGER, MAIL_EXCHANGER_ADDRESSES
from mxgw.admin.cloud.settings import HOME_DOMAINS, CloudSettings, cloud_settings
from mxgw.admin.database import opened
from mxgw.admin.dns_records import SELECTORS, Exchanger, wanted_records
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, spoken, spoken_group
from mxgw.cli.admin_domain_cloud import Outside, signed_records
from mxgw.cli.admin_domain_mail_host import mail_host
from mxgw.cli.admin_domain_postmaster import lead_postmaster, postmaster_reader
from mxgw.cli.admin_domain_records import print_policy, print_records, record_facts
from mxgw.cli.admin_forgetting import forget
from mxgw.cli.terminal import plain
from mxgw.config.forms import resolvers as dns_servers


def group(words: Words) -> click.Group:
    """The commands, in the order of a domain's life."""
    domain = partial(click.Argument, ["domain"], required=False, metavar="[DOMAIN]")

    def exchanger() -> list[click.Parameter]:
        return [
            click.Option(["--mx"], metavar="NAME", help=words("option-mx")),
            click.Option(["--mx-address"], metavar="IPV4", multiple=True, help=words("option-mx-address")),
            click.Option(["--reports"], metavar="ADDRESS", help=words("option-reports")),
        ]

    def writing() -> list[click.Parameter]:
        return [
            click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes-records")),
            click.Option(["--replace"], is_flag=True, help=words("option-replace")),
        ]

    made = spoken_group("domain", words)
    for command in (
        spoken(
            "domain-add",
            words,
            add,
            [
                domain(),
                *exchanger(),
                click.Option(["--postmaster"], metavar="ADDRESS", help=words("option-postmaster")),
                *writing(),
            ],
        ),
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
                click.Option(
                    ["--resolver"], metavar="ADDRESS", multiple=True, help=words("option-check-resolver")
                ),
                click.Option(["--repair"], is_flag=True, help=words("option-repair")),
                *writing(),
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
    call: Call,
    domain: str | None,
    mx: str | None,
    mx_address: tuple[str, ...],
    reports: str | None,
    postmaster: str | None,
    yes: bool,
    replace: bool,
) -> None:
    """A domain more: here, at the edge, at SendGrid and in DNS, as far as we have the keys."""
    settings = cloud_settings(call.environ)
    name = call.asked(domain, "domain", forms.domain)
    exchanger, mailbox = _exchanger(call, name, mx, mx_address), _reports(name, reports)
    home = mail_host(call)
    access, store = call.database, call.store
    with opened(access) as database:
        there = name in {it.name for it in accounts.domains(database)}
        if there and not settings.any:
            raise Refused("domain-exists", domain=name)
    reader = postmaster_reader(call, access, name, postmaster)
    if not there:
        with opened(access) as database:
            accounts.add_domain(database, name)
    outside = Outside(call, settings)
    if not call.as_json:
        key = "domain-there" if there else "domain-added"
        call.done(key, domain=name, shown={"domain": spelled(call, name)})
    lead_postmaster(call, access, store, outside, name, reader)
    outside.add_to_edge(name)
    signed = outside.sign(name)
    wanted = wanted_records(
        name,
        exchanger,
        reports=mailbox,
        now=time.time(),
        signed=signed_records(signed),
        mail_host=home,
    )
    if settings.cloudflare_token:
        written = outside.write(name, wanted, yes=yes, replace=replace)
        if not written and not call.as_json:
            print_records(call, name, exchanger, wanted)
        elif not call.as_json:
            print_policy(call, name, exchanger)
        if written and signed and not signed.valid:
            outside.validate(signed)
    elif not call.as_json:
        print_records(call, name, exchanger, wanted)
    left = [*outside.left, *_left_after_adding(call, settings, name)]
    if call.as_json:
        facts = {**outside.facts, "left": left, **record_facts(wanted, exchanger)}
        call.done("domain-there" if there else "domain-added", domain=name, more=facts)
        return
    _say_what_is_left(call, left)


def _left_after_adding(call: Call, settings: CloudSettings, domain: str) -> list[str]:
    """What no key of ours can do, or none that we have."""
    words = call.words
    left = []
    if not settings.cloudflare_token:
        left.append(words("left-records", domain=domain))
    if domain not in call.environ.get(HOME_DOMAINS, "").replace(",", " ").split():
        left.append(words("left-home-domains", domain=domain))
    return [*left, words("left-check", domain=domain)]


def _say_what_is_left(call: Call, left: list[str]) -> None:
    if left and not call.as_json:
        call.say("left-intro")
        for number, text in enumerate(left, 1):
            click.echo(f"  {number}. {plain(text)}")


def records(
    call: Call, domain: str | None, mx: str | None, mx_address: tuple[str, ...], reports: str | None
) -> None:
    """The DNS records once more; the database is not asked."""
    name = call.asked(domain, "domain", forms.domain)
    exchanger = _exchanger(call, name, mx, mx_address)
    mailbox, home = _reports(name, reports), mail_host(call)
    _warn_of_strangers(call, name)
    wanted = wanted_records(name, exchanger, reports=mailbox, now=time.time(), mail_host=home)
    if call.as_json:
        call.print_json({"domain": name, **record_facts(wanted, exchanger)})
    else:
        print_records(call, name, exchanger, wanted)


def check(
    call: Call,
    domain: str | None,
    mx: str | None,
    mx_address: tuple[str, ...],
    reports: str | None,
    selector: tuple[str, ...],
    dns: str | None,
    resolver: tuple[str, ...],
    repair: bool,
    yes: bool,
    replace: bool,
) -> None:
    """Ask DNS for every record; exit code 1 where one is wrong."""
    settings = cloud_settings(call.environ)
    if repair and not settings.cloudflare_token:
        raise Refused("repair-needs-token")
    name = call.asked(domain, "domain", forms.domain)
    exchanger, mailbox = _exchanger(call, name, mx, mx_address), _reports(name, reports)
    selectors = tuple(forms.selector(text) for text in selector) or SELECTORS
    _warn_of_strangers(call, name)
    servers = _servers(dns or call.environ.get("MXGW_DNS", ""))
    resolvers = [server for text in resolver for server in _servers(text)]
    # Imported here: it brings the resolver, which no other command needs.
    from mxgw.cli.admin_domain_check import Asked, Repair, look_up_and_tell
    from mxgw.doctor.public_resolvers import PUBLIC_RESOLVERS

    if not resolvers and not servers:
        resolvers = list(PUBLIC_RESOLVERS)
    asked = Asked(name, exchanger, mailbox, selectors, mail_host(call), servers, resolvers)
    look_up_and_tell(call, asked, settings, Repair(settings, yes, replace) if repair else None)


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
                spelled(call, domain.name),
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
    settings = cloud_settings(call.environ)
    name = call.asked(domain, "domain", forms.domain)
    access, store = call.database, call.store
    with opened(access) as database:
        accounts.empty_domain(database, name)
    call.confirmed("ask-remove-domain", yes=yes, domain=name)
    outside = Outside(call, settings)
    # The edge first: it must not take mail for a domain that home no longer knows.
    outside.take_from_edge(name)
    with opened(access) as database:
        gone = [it.address for it in accounts.aliases(database, domain=name)]
        accounts.remove_domain(database, name)
    forget(call, store, [accounts.postmaster(name)], unset="")
    left = [*outside.left, call.words("left-after-removing", domain=name)]
    facts = {**outside.facts, "aliases": gone, "left": left}
    call.done("domain-removed", domain=name, more=facts, shown={"domain": spelled(call, name)})
    if gone:
        call.say("domain-aliases-went", aliases=", ".join(gone))
    _say_what_is_left(call, left)


def _warn_of_strangers(call: Call, domain: str) -> None:
    """Where there is a database: whether the domain is one of ours. Records can be asked for without."""
    if not call.environ.get(DATABASE):
        return
    try:
        with opened(call.database) as database:
            ours = {it.name for it in accounts.domains(database)}
    except Refused:
        # DNS can be looked at while the database is down; whoever needs that is told by other commands.
        return
    if domain not in ours:
        call.warn("warn-domain-not-here", domain=domain)


def spelled(call: Call, domain: str) -> str:
    """A domain as people write it, with what it is called in DNS where that is another name (RFC 5890)."""
    try:
        written = domain.encode("ascii").decode("idna")
    except UnicodeError:
        written = domain
    return domain if written == domain else call.words("domain-spelled", written=written, domain=domain)


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


def _servers(text: str) -> list[tuple[str, int]]:
    if not text:
        return []
    try:
        return [(server.host, server.port) for server in dns_servers(text)]
    except ValueError:
        raise Refused("bad-dns-server", text=forms.shown(text)) from None
