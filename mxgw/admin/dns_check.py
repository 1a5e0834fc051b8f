"""What DNS says of a domain, what is wrong with it, and how to mend it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Protocol

from mxgw.admin.dns_records import (
    AUTOCONFIG,
    AUTODISCOVER,
    AUTODISCOVER_HOST,
    HTTPS_PORT,
    SELECTORS,
    SENDGRID,
    Exchanger,
    MailHost,
    Purpose,
)
from mxgw.admin.forms import shown
from mxgw.msgauth.dmarc_record import Policy, select_record
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_macros import BadSyntax
from mxgw.msgauth.spf_record import Mechanism, is_spf, parse_record
from mxgw.resolver.answers import Answer, Lookup, MailExchanger, ServiceHost, Status

MAX_SHOWN_RECORDS = 5
"""Of one answer, in a table."""

# https://www.cloudflare.com/ips-v4/ : behind these is Cloudflare's proxy, which carries no mail.
CLOUDFLARE = tuple(
    ip_network(text)
    for text in (
        *("173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18"),
        *("108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17"),
        *("162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22"),
    )
)

_STS_ID = re.compile(r"[A-Za-z0-9]{1,32}")


class Level(StrEnum):
    """How a finding is: ``warning`` means that mail flows, but less well than it could."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``key`` and ``mend`` name texts of the catalogue ("" where there is
    nothing to mend), which ``facts`` fill; ``seen`` is what DNS has."""

    purpose: Purpose
    name: str
    level: Level
    key: str
    mend: str = ""
    seen: tuple[str, ...] = ()
    facts: dict[str, str | int] = field(default_factory=dict)


class ServiceLookup(Lookup, Protocol):
    """Asks for services, too, which no check of a message needs."""

    async def srv(self, name: str) -> Answer[ServiceHost]:
        """Servers of a service, in the order of their priority."""


async def check_domain(
    lookup: ServiceLookup,
    domain: str,
    exchanger: Exchanger,
    *,
    reports: str,
    selectors: Sequence[str] = SELECTORS,
    mail_host: MailHost | None = None,
) -> list[Finding]:
    """Ask for every record of ``wanted_records``, all at once, and judge it; in that order."""
    host = exchanger.host
    async with asyncio.TaskGroup() as questions:
        ask = questions.create_task
        mx, texts = ask(lookup.mx(domain)), ask(lookup.txt(domain))
        a, aaaa = ask(lookup.a(host)), ask(lookup.aaaa(host))
        keys = [(selector, ask(lookup.txt(f"{selector}._domainkey.{domain}"))) for selector in selectors]
        dmarc = ask(lookup.txt(f"_dmarc.{domain}"))
        tls_rpt = ask(lookup.txt(f"_smtp._tls.{domain}"))
        sts = ask(lookup.txt(f"_mta-sts.{domain}"))
        sts_a, sts_aaaa = ask(lookup.a(f"mta-sts.{domain}")), ask(lookup.aaaa(f"mta-sts.{domain}"))
        programs = ask(_check_programs(lookup, domain, mail_host)) if mail_host else None
    told = {mx.result().status, texts.result().status}
    if told == {Status.NO_NAME}:
        return [_Judge(Purpose.MX, domain, ()).bad("dns-no-domain", "mend-no-domain", domain=domain)]
    if told == {Status.TEMPORARY}:
        return [_Judge(Purpose.MX, domain, ()).away()]
    return [
        judge_mx(domain, exchanger, mx.result()),
        judge_addresses(exchanger, a.result(), aaaa.result()),
        judge_spf(domain, texts.result()),
        *(judge_dkim(domain, selector, key.result()) for selector, key in keys),
        judge_dmarc(domain, reports, dmarc.result()),
        judge_tls_rpt(domain, reports, tls_rpt.result()),
        judge_mta_sts(domain, sts.result()),
        judge_mta_sts_host(domain, sts.result(), sts_a.result(), sts_aaaa.result()),
        *(programs.result() if programs else ()),
    ]


async def _check_programs(lookup: ServiceLookup, domain: str, mail_host: MailHost) -> list[Finding]:
    async with asyncio.TaskGroup() as questions:
        service = questions.create_task(lookup.srv(f"{AUTODISCOVER}.{domain}"))
        before = questions.create_task(lookup.a(f"{AUTODISCOVER_HOST}.{domain}"))
        autoconfig = questions.create_task(lookup.a(f"{AUTOCONFIG}.{domain}"))
    return [
        judge_outlook(domain, mail_host, service.result(), before.result()),
        judge_thunderbird(domain, mail_host, autoconfig.result()),
    ]


def judge_mx(domain: str, exchanger: Exchanger, answer: Answer[MailExchanger]) -> Finding:
    """The one mail exchanger is the edge."""
    finding = _Judge(Purpose.MX, domain, tuple(f"{mx.preference} {mx.host or '.'}" for mx in answer.records))
    wanted = exchanger.host
    hosts = [mx.host.lower() for mx in answer.records]
    if answer.status is Status.TEMPORARY:
        return finding.away()
    if not hosts:
        return finding.bad("mx-missing", "mend-mx", host=wanted)
    if hosts == [""]:
        return finding.bad("mx-null", "mend-mx", host=wanted)
    others = [host for host in hosts if host != wanted]
    if wanted not in hosts:
        return finding.bad("mx-elsewhere", "mend-mx", host=wanted, others=shown(", ".join(others)))
    if others:
        return finding.bad("mx-others", "mend-mx-others", host=wanted, others=shown(", ".join(others)))
    return finding.good("mx-ok", host=wanted)


def judge_addresses(exchanger: Exchanger, v4: Answer[IPv4Address], v6: Answer[IPv6Address]) -> Finding:
    """The edge's name has its fixed addresses, and no proxy in front."""
    host = exchanger.host
    finding = _Judge(Purpose.MX_ADDRESS, host, tuple(map(str, (*v4.records, *v6.records))))
    wanted = ", ".join(map(str, exchanger.addresses)) or "MxAddressA, MxAddressB"
    if v4.status is Status.TEMPORARY:
        return finding.away()
    if not v4.records:
        return finding.bad("address-missing", "mend-address", host=host, wanted=wanted)
    proxied = [str(ip) for ip in v4.records if any(ip in network for network in CLOUDFLARE)]
    if proxied:
        return finding.bad("address-proxied", "mend-address-proxied", host=host, found=proxied[0])
    inside = [str(ip) for ip in v4.records if not ip.is_global]
    if inside and not set(v4.records) <= set(exchanger.addresses):
        return finding.bad("address-inside", "mend-address", host=host, found=inside[0], wanted=wanted)
    strangers = [str(ip) for ip in v4.records if exchanger.addresses and ip not in exchanger.addresses]
    if strangers:
        return finding.bad("address-elsewhere", "mend-address", host=host, found=strangers[0], wanted=wanted)
    if set(exchanger.addresses) - set(v4.records):
        return finding.warn("address-incomplete", "mend-address", host=host, wanted=wanted)
    if v6.records:
        return finding.warn("address-v6", "mend-address-v6", host=host, found=str(v6.records[0]))
    return finding.good("address-ok", host=host)


def judge_spf(domain: str, answer: Answer[bytes]) -> Finding:
    """One SPF record that lets SendGrid send and others not (RFC 7208)."""
    records = [text for text in answer.records if is_spf(text)]
    finding = _Judge(Purpose.SPF, domain, _texts(records))
    if answer.status is Status.TEMPORARY:
        return finding.away()
    if not records:
        return finding.bad("spf-missing", "mend-spf-missing")
    if len(records) > 1:
        return finding.bad("spf-several", "mend-spf-several", count=len(records))
    try:
        record = parse_record(records[0])
    except BadSyntax as why:
        return finding.bad("spf-syntax", "mend-spf", why=shown(str(why)))
    directives = record.directives
    if not any(it.text.lower().lstrip("+") == f"include:{SENDGRID}" for it in directives):
        return finding.bad("spf-without-sendgrid", "mend-spf-sendgrid")
    last = [it.result for it in directives if it.mechanism is Mechanism.ALL][:1]
    if last and last[0] in {Result.PASS, Result.NEUTRAL}:
        return finding.bad("spf-open", "mend-spf-all")
    if not last and record.redirect is None:
        return finding.warn("spf-endless", "mend-spf-all")
    return finding.good("spf-ok")


def judge_dkim(domain: str, selector: str, answer: Answer[bytes]) -> Finding:
    """The key that SendGrid signs with is found through our name (RFC 6376 section 3.6)."""
    name = f"{selector}._domainkey.{domain}"
    keys = [text for text in answer.records if b"p=" in text]
    finding = _Judge(Purpose.DKIM, name, _texts(keys))
    if answer.status is Status.TEMPORARY:
        return finding.away()
    if not keys:
        return finding.bad("dkim-missing", "mend-dkim", name=name, selector=selector)
    if len(keys) > 1:
        return finding.bad("dkim-several", "mend-dkim-several", name=name, count=len(keys))
    if re.search(rb"(?:^|;)\s*p=\s*(?:;|$)", keys[0]):
        return finding.bad("dkim-revoked", "mend-dkim", name=name, selector=selector)
    return finding.good("dkim-ok", selector=selector)


def judge_dmarc(domain: str, reports: str, answer: Answer[bytes]) -> Finding:
    """A policy that asks for something, and for reports (RFC 9989)."""
    name = f"_dmarc.{domain}"
    finding = _Judge(Purpose.DMARC, name, _texts(answer.records))
    if answer.status is Status.TEMPORARY:
        return finding.away()
    record, _ = select_record(answer.records)
    several = len([text for text in answer.records if text.strip().lower().startswith(b"v=dmarc1")])
    if several > 1:
        return finding.bad("dmarc-several", "mend-dmarc-several", count=several)
    if record is None:
        key = "dmarc-unreadable" if answer.records else "dmarc-missing"
        return finding.bad(key, "mend-dmarc", reports=reports)
    if record.problem:
        return finding.bad("dmarc-problem", "mend-dmarc", reports=reports, why=record.problem)
    if record.p is Policy.NONE or record.t:
        return finding.warn("dmarc-none", "mend-dmarc-none", reports=reports)
    if not record.rua:
        return finding.warn("dmarc-silent", "mend-dmarc-silent", reports=reports)
    return finding.good("dmarc-ok", policy=record.p.value)


def judge_tls_rpt(domain: str, reports: str, answer: Answer[bytes]) -> Finding:
    """Who is told of failed TLS (RFC 8460 section 3)."""
    records = [text for text in answer.records if text.startswith(b"v=TLSRPTv1")]
    finding = _Judge(Purpose.TLS_RPT, f"_smtp._tls.{domain}", _texts(records))
    if answer.status is Status.TEMPORARY:
        return finding.away()
    if not records:
        return finding.warn("tls-rpt-missing", "mend-tls-rpt", reports=reports)
    if len(records) > 1:
        return finding.warn("tls-rpt-several", "mend-tls-rpt", reports=reports)
    if not re.search(rb";\s*rua\s*=\s*(?:mailto:|https:)\S", records[0]):
        return finding.warn("tls-rpt-syntax", "mend-tls-rpt", reports=reports)
    return finding.good("tls-rpt-ok")


def judge_mta_sts(domain: str, answer: Answer[bytes]) -> Finding:
    """That there is a policy which asks for TLS (RFC 8461 section 3.1)."""
    records = [text for text in answer.records if text.startswith(b"v=STSv1")]
    finding = _Judge(Purpose.MTA_STS, f"_mta-sts.{domain}", _texts(records))
    if answer.status is Status.TEMPORARY:
        return finding.away()
    if not records:
        return finding.warn("mta-sts-missing", "mend-mta-sts")
    if len(records) > 1:
        return finding.warn("mta-sts-several", "mend-mta-sts")
    tags = dict(part.strip().partition("=")[::2] for part in records[0].decode("latin-1").split(";"))
    if not _STS_ID.fullmatch(tags.get("id", "")):
        return finding.warn("mta-sts-id", "mend-mta-sts")
    return finding.good("mta-sts-ok")


def judge_mta_sts_host(
    domain: str, record: Answer[bytes], v4: Answer[IPv4Address], v6: Answer[IPv6Address]
) -> Finding:
    """That there is a host which serves the policy, where the record promises one."""
    host = f"mta-sts.{domain}"
    finding = _Judge(Purpose.MTA_STS_HOST, host, tuple(map(str, (*v4.records, *v6.records))))
    if Status.TEMPORARY in {v4.status, v6.status}:
        return finding.away()
    if v4.records or v6.records:
        return finding.good("mta-sts-host-ok", host=host)
    if any(text.startswith(b"v=STSv1") for text in record.records):
        return finding.bad("mta-sts-host-missing", "mend-mta-sts-host", host=host)
    return finding.warn("mta-sts-host-later", "mend-mta-sts-host", host=host)


def judge_outlook(
    domain: str, mail_host: MailHost, answer: Answer[ServiceHost], before: Answer[IPv4Address]
) -> Finding:
    """Outlook finds the home machine by its service, and nothing in front of it. Mail works without."""
    name = f"{AUTODISCOVER}.{domain}"
    finding = _Judge(Purpose.OUTLOOK, name, tuple(map(_service_text, answer.records)))
    host, wanted = mail_host.name, f"0 0 {HTTPS_PORT} {mail_host.name}"
    if Status.TEMPORARY in {answer.status, before.status}:
        return finding.unknown()
    if not answer.records:
        return finding.warn("outlook-missing", "mend-outlook", wanted=wanted)
    if any((it.host.lower(), it.port) != (host, HTTPS_PORT) for it in answer.records):
        return finding.warn("outlook-elsewhere", "mend-outlook", wanted=wanted)
    if before.records:
        # Our own address would not do: the certificate there is not of this name.
        first = f"{AUTODISCOVER_HOST}.{domain}"
        return finding.warn(
            "outlook-before", "mend-outlook-before", first=first, found=str(before.records[0])
        )
    return finding.good("outlook-ok", host=host)


def judge_thunderbird(domain: str, mail_host: MailHost, answer: Answer[IPv4Address]) -> Finding:
    """Thunderbird finds the home machine under the name that it asks for. Mail works without."""
    name = f"{AUTOCONFIG}.{domain}"
    finding = _Judge(Purpose.THUNDERBIRD, name, tuple(map(str, answer.records)))
    address = str(mail_host.address)
    if answer.status is Status.TEMPORARY:
        return finding.unknown()
    if not answer.records:
        return finding.warn("thunderbird-missing", "mend-thunderbird", address=address)
    if set(answer.records) != {mail_host.address}:
        return finding.warn("thunderbird-elsewhere", "mend-thunderbird", address=address)
    return finding.good("thunderbird-ok", address=address)


def _service_text(service: ServiceHost) -> str:
    return shown(f"{service.priority} {service.weight} {service.port} {service.host or '.'}")


@dataclass(frozen=True, slots=True)
class _Judge:
    """Writes the findings about one name."""

    purpose: Purpose
    name: str
    seen: tuple[str, ...]

    def good(self, key: str, **facts: str | int) -> Finding:
        return self._finding(Level.OK, key, "", facts)

    def warn(self, key: str, mend: str, **facts: str | int) -> Finding:
        return self._finding(Level.WARNING, key, mend, facts)

    def bad(self, key: str, mend: str, **facts: str | int) -> Finding:
        return self._finding(Level.FAILED, key, mend, facts)

    def away(self) -> Finding:
        return self._finding(Level.FAILED, "dns-away", "mend-dns-away", {})

    def unknown(self) -> Finding:
        """DNS did not say, and mail works either way."""
        return self._finding(Level.WARNING, "dns-away", "mend-dns-away", {})

    def _finding(self, level: Level, key: str, mend: str, facts: dict[str, str | int]) -> Finding:
        seen = self.seen[:MAX_SHOWN_RECORDS]
        return Finding(self.purpose, self.name, level, key, mend, seen, {**facts, "name": self.name})


def _texts(records: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(shown(text.decode("utf-8", "replace")) for text in records)
