"""One visit of the doctor: what there is to look at here, what was found, what was mended, how it ended."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address

from mxgw.admin import forms
from mxgw.admin.access import MAIL_EXCHANGER, MAIL_EXCHANGER_ADDRESSES
from mxgw.admin.cloud.settings import CLOUDFLARE_TOKEN, HOME_DOMAINS, cloud_settings
from mxgw.admin.dns_check import Level
from mxgw.admin.dns_records import SELECTORS, SENDGRID, Exchanger
from mxgw.admin.patience import Patience
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call
from mxgw.cli.doctor_house import domains_here, findings_now, site_here, verdicts
from mxgw.cli.doctor_show import facts_of, print_verdicts
from mxgw.cli.terminal import FAILURE, console
from mxgw.config import default_hostname
from mxgw.config.forms import domain_name
from mxgw.doctor.edge_facts import SMTP_PORT
from mxgw.doctor.examination import Request, examine
from mxgw.doctor.letter import letter
from mxgw.doctor.public_resolvers import Server
from mxgw.doctor.survey import Wanted
from mxgw.doctor.verdict import Verdict
from mxgw.doctor.visit import Manners
from mxgw.watch.finding import Finding

MAX_DOMAINS = 20
"""Of one run: each is some twenty questions to four servers, and two transactions with the edge."""

EDGE_HOSTNAME = "EDGE_HOSTNAME"
MX_ADDRESSES = "MX_ADDRESSES"
DOMAINS = "MXGW_DOMAINS"

BLOCKED = frozenset({"port-silent", "port-unreachable"})
"""What a line at home says of every mail server in the world, where its provider blocks port 25."""


class Visit:
    """``house``: the house and nothing else; ``alone``: neither edge nor domain was named."""

    def __init__(self, call: Call, *, house: bool, alone: bool) -> None:
        self._call = call
        try:
            self.site = site_here(call.environ)
        except Refused:
            # Whoever asks about elsewhere needs no .env.
            if alone:
                raise
            self.site = None
        if house and self.site is None:
            raise Refused("doctor-no-house")
        self._house_only = house
        self._sees_house = self.site is not None and alone
        self._settings: Mapping[str, str] = self.site.settings if self.site else call.environ
        self._wanted: tuple[Wanted, ...] = ()
        self._findings: list[Finding] = []
        self._outside: list[Verdict] = []
        self._told: dict[str, object] = {}

    # -- what to look at -----------------------------------------------------------------------------------

    def request(
        self,
        edge: Server | None,
        domains: tuple[str, ...],
        *,
        outbound: str | IPv4Address | IPv6Address,
        selectors: tuple[str, ...],
        reports: str,
        mx_addresses: tuple[str, ...],
        send_to: str,
        resolvers: tuple[Server, ...],
        own_servers: tuple[Server, ...],
        seconds: float,
    ) -> Request | None:
        """What is asked of elsewhere; None for nothing. Raises Refused."""
        if self._house_only:
            return None
        known = edge_named(self._setting(MAIL_EXCHANGER, EDGE_HOSTNAME))
        names = _domains(domains or self._own_domains())
        # Who names domains alone asks about domains alone.
        visited = edge or (None if domains else known)
        if visited is None and not names:
            if self._sees_house:
                return None
            raise Refused("doctor-nothing")
        if send_to and visited is None:
            raise Refused("doctor-send-without-edge")
        addresses = mx_addresses or _list(self._setting(MAIL_EXCHANGER_ADDRESSES, MX_ADDRESSES))
        self._wanted = tuple(
            Wanted(
                name,
                _exchanger(name, (visited, known), addresses),
                outbound,
                selectors or (SELECTORS if outbound == SENDGRID else ()),
                reports or f"postmaster@{name}",
            )
            for name in names
        )
        host, now = default_hostname(), datetime.now(UTC)
        token = secrets.token_hex(6)
        return Request(
            edge=visited,
            domains=self._wanted,
            resolvers=resolvers,
            manners=Manners(host, seconds),
            own_servers=own_servers,
            send_to=send_to,
            content=letter(recipient=send_to, sender_host=host, token=token, now=now) if send_to else b"",
        )

    @property
    def can_write_dns(self) -> bool:
        """Whether records can be mended from here."""
        return bool(self._setting(CLOUDFLARE_TOKEN))

    def _setting(self, *names: str) -> str:
        return next((text for name in names if (text := self._settings.get(name, "").strip())), "")

    def _own_domains(self) -> tuple[str, ...]:
        if self.site is not None:
            return domains_here(self.site)
        return _list(self._setting(DOMAINS, HOME_DOMAINS))

    # -- looking and showing -------------------------------------------------------------------------------

    def look(self, request: Request | None) -> None:
        """At the house and at what is asked of elsewhere."""
        if self._sees_house and self.site is not None:
            with self._waiting("doctor-looking-here"):
                self._findings = findings_now(self.site)
        if request is not None:
            with self._waiting("doctor-looking"):
                self._outside = self._seen(asyncio.run(examine(request, datetime.now(UTC))))

    def show(self) -> None:
        """All of it, and one line that sums up."""
        found = self._found()
        self._told = {
            "domains": [one.domain for one in self._wanted],
            "checks": [facts_of(self._call, one) for one in found],
        }
        if not self._call.as_json:
            print_verdicts(self._call, found, self._names())
            self._sum_up(found)

    def end(self) -> None:
        """What a program is told; exit code 1 where something is wrong still."""
        failed = any(one.level is Level.FAILED for one in self._found())
        if self._call.as_json:
            self._told.setdefault("repairs", self._offers())
            self._call.print_json({"ok": not failed, **self._told})
        if failed:
            raise SystemExit(FAILURE)

    def _found(self) -> list[Verdict]:
        return [*verdicts(self._findings), *self._outside]

    def _names(self) -> set[str]:
        return {one.domain for one in self._wanted}

    def _sum_up(self, found: Sequence[Verdict]) -> None:
        failed = sum(one.level is Level.FAILED for one in found)
        warnings = sum(one.level is Level.WARNING for one in found)
        key = "doctor-failed" if failed else "doctor-warned" if warnings else "doctor-good"
        self._call.say(key, failed=failed, warnings=warnings)

    def _seen(self, found: Iterable[Verdict]) -> list[Verdict]:
        if not self._sees_house:
            return list(found)
        return [replace(one, level=Level.WARNING) if one.key in BLOCKED else one for one in found]

    @contextmanager
    def _waiting(self, key: str) -> Iterator[None]:
        if self._call.as_json:
            yield
        else:
            with console(stderr=True).status(self._call.words(key)):
                yield

    # -- mending -------------------------------------------------------------------------------------------

    def mend(self, request: Request | None, *, yes: bool) -> None:
        """Ask for each repair that there is, and show how things are afterwards."""
        before = [one for one in self._found() if one.level is not Level.OK]
        repairs: list[object] = []
        changed = stopped = False
        if self._sees_house and self.site is not None:
            # Imported here: it brings backup and certificates.
            from mxgw.cli.doctor_repair import Mending

            site = self.site
            mending = Mending(self._call, site, lambda: findings_now(site), yes=yes, patience=Patience())
            self._findings = mending.mended(self._findings)
            repairs += [one.facts for one in mending.told]
            changed, stopped = mending.changed, mending.stopped
        if request is not None and self.can_write_dns and not stopped:
            for wanted in [one for one in self._wanted if self._ill(one)]:
                if (facts := self._mend_domain(wanted, yes=yes)) is not None:
                    repairs.append(facts)
                    changed = True
                    again = replace(request, edge=None, domains=(wanted,), send_to="", content=b"")
                    with self._waiting("doctor-looking"):
                        seen = asyncio.run(examine(again, datetime.now(UTC)))
                    self._outside = [*(one for one in self._outside if one.subject != wanted.domain), *seen]
        self._told["repairs"] = repairs
        if changed:
            self._show_after({(one.subject, one.check) for one in before})

    def _show_after(self, before: set[tuple[str, str]]) -> None:
        """What was not well before, and what is not well now."""
        found = self._found()
        after = [one for one in found if one.level is not Level.OK or (one.subject, one.check) in before]
        self._told["after"] = [facts_of(self._call, one) for one in after]
        if not self._call.as_json:
            self._call.say("doctor-after")
            print_verdicts(self._call, after, self._names())
            self._sum_up(found)

    def _offers(self) -> list[object]:
        """What a yes would have mended, for a program."""
        offers: list[object] = []
        if self._findings and self.site is not None:
            from mxgw.cli.doctor_repair import Mending

            mending = Mending(self._call, self.site, list, yes=False, patience=Patience())
            offers += [one.facts for one in mending.offered(self._findings)]
        if self.can_write_dns:
            offers += [
                {
                    "repair": "dns",
                    "service": one.domain,
                    "question": self._call.words("ask-repair-dns", domain=one.domain),
                    "state": "offered",
                }
                for one in self._wanted
                if self._ill(one)
            ]
        return offers

    def _ill(self, wanted: Wanted) -> bool:
        """Whether its records may be the reason: we know those of a domain that SendGrid sends for."""
        return wanted.outbound == SENDGRID and any(
            one.subject == wanted.domain and one.level is not Level.OK for one in self._outside
        )

    def _mend_domain(self, wanted: Wanted, *, yes: bool) -> object | None:
        """What was done; None where the answer was no."""
        from mxgw.cli.admin_domain_check import Repair, repaired

        domain = wanted.domain
        if not self._call.agreed("ask-repair-dns", yes=yes, domain=domain):
            return None
        settings = cloud_settings(self._settings)
        # What others have put there is asked for one by one, and never lost by a --yes.
        repair = Repair(settings, yes, replace=False)
        outside = repaired(self._call, domain, wanted.exchanger, wanted.reports, wanted.selectors, repair)
        return {"repair": "dns", "service": domain, "parts": outside.facts, "left": outside.left}


# -- forms --------------------------------------------------------------------------------------------------


def edge_named(given: str | None) -> Server | None:
    """``mx.example.jp``, ``mx.example.jp:2525``, ``192.0.2.1``, ``[2001:db8::1]:25``. Raises Refused."""
    if given is None or not given.strip():
        return None
    text = forms.typed(given)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if is_ip(bare):
        return bare, SMTP_PORT
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, str(SMTP_PORT)
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        number = int(port)
        name = host if is_ip(host) else domain_name(host)
    except ValueError:
        raise Refused("bad-edge", text=forms.shown(given)) from None
    if not 0 < number < 65536:
        raise Refused("bad-edge", text=forms.shown(given))
    return name, number


def is_ip(text: str) -> bool:
    """Whether it is an address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _domains(given: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(forms.domain(text) for text in given))
    if len(names) > MAX_DOMAINS:
        raise Refused("too-many-domains", count=len(names), most=MAX_DOMAINS)
    return names


def _exchanger(domain: str, edges: Sequence[Server | None], addresses: tuple[str, ...]) -> Exchanger:
    """What the MX should name: the edge where it has a name, else as `mxgw admin domain` has it."""
    names = [edge[0] for edge in edges if edge is not None and not is_ip(edge[0])]
    return Exchanger(names[0] if names else f"mx.{domain}", tuple(_ipv4(text) for text in addresses))


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(forms.typed(text))
    except ValueError:
        raise Refused("bad-ipv4", text=forms.shown(text)) from None


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())
