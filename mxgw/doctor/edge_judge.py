"""How the edge is, by what was seen there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

from mxgw.doctor.certificate import CertificateFacts, read_certificate
from mxgw.doctor.edge_facts import EdgeSeen, Errand, Probed, Visit
from mxgw.doctor.smtp_talk import Broken, Trouble
from mxgw.doctor.verdict import Judge, Verdict
from mxgw.lmtp import Extensions
from mxgw.msgauth.results import Result
from mxgw.reply import Reply
from mxgw.resolver.answers import Status

SLOW_SECONDS = 10.0
"""RFC 5321 section 4.5.3.2.1 lets a client wait 5 minutes for the greeting; impatient ones take 10 s."""

RENEW_DAYS = 14
"""ACME clients renew 30 days before the end; with two weeks left something is wrong."""

WANTED_EXTENSIONS = ("SIZE", "PIPELINING", "8BITMIME")
"""Without them mail is refused late, slowly, or not at all where it is in 8 bit; STARTTLS is a check of its
own."""


class EdgeCheck(StrEnum):
    """What is looked at."""

    ADDRESS = "address"
    PORT = "port"
    BANNER = "banner"
    EXTENSIONS = "extensions"
    STARTTLS = "starttls"
    CERTIFICATE = "certificate"
    CERTIFICATE_NAME = "certificate-name"
    CERTIFICATE_DAYS = "certificate-days"
    REVERSE = "reverse"
    HOME = "home"
    RELAY = "relay"
    POSTMASTER = "postmaster"
    UNKNOWN = "unknown"
    DELIVERY = "delivery"


def judge_edge(seen: EdgeSeen, now: datetime) -> list[Verdict]:
    """Every check, in the order in which a sender meets them."""
    if not seen.visits:
        judge = Judge(seen.place, EdgeCheck.ADDRESS)
        if seen.status is Status.TEMPORARY:
            return [judge.bad("edge-dns-away", "mend-edge-dns-away", host=seen.host)]
        return [judge.bad("edge-no-address", "mend-edge-no-address", host=seen.host)]
    verdicts: list[Verdict] = []
    for visit in seen.visits:
        verdicts += _judge_visit(seen, visit, now)
    probed = [probe for visit in seen.visits for probe in visit.probed]
    return verdicts + (judge_probes(seen.place, probed) if probed else [])


def judge_probes(place: str, probed: Sequence[Probed]) -> list[Verdict]:
    """What the edge takes and what not."""
    home = judge_home(place, probed)
    if home is not None and home.key == "home-away":
        # What was taken without home being asked shows nothing.
        probed = [_forgotten(it) for it in probed]
    relay = [probe for probe in probed if probe.probe.errand in {Errand.RELAY, Errand.RELAY_AS_OURS}]
    return [
        *([home] if home else []),
        *([judge_relay(place, relay)] if relay else []),
        *[judge_postmaster(place, it) for it in probed if it.probe.errand is Errand.POSTMASTER],
        *[judge_unknown(place, it) for it in probed if it.probe.errand is Errand.UNKNOWN],
        *[judge_delivery(place, it) for it in probed if it.probe.errand is Errand.SEND],
    ]


# -- the door -----------------------------------------------------------------------------------------------


def _judge_visit(seen: EdgeSeen, visit: Visit, now: datetime) -> list[Verdict]:
    verdicts = [judge_port(seen, visit)]
    if visit.greeting is not None and visit.greeting.code == 220:
        verdicts.append(judge_banner(seen, visit.greeting))
    if visit.hello is not None:
        verdicts.append(judge_extensions(seen.place, visit))
        if visit.hello.positive:
            verdicts.append(judge_starttls(seen.place, visit))
    if visit.tls is not None and visit.tls.certificate:
        verdicts += judge_certificate(seen, visit.tls.certificate, visit.tls.distrust, now)
    if visit.reverse is not None:
        verdicts.append(judge_reverse(seen, visit))
    return verdicts


def judge_port(seen: EdgeSeen, visit: Visit) -> Verdict:
    """The port answers, soon, with SMTP, and stays until the end."""
    where = f"{visit.address} port {seen.port}"
    broken = visit.broken
    shown = [where, *([_said(visit.greeting)] if visit.greeting else []), *_broken(broken)]
    judge = Judge(seen.place, EdgeCheck.PORT, tuple(shown))
    facts: dict[str, str | int] = {"address": str(visit.address), "port": seen.port}
    if broken is not None:
        stage = broken.stage
        match broken.trouble:
            case Trouble.REFUSED:
                return judge.bad("port-refused", "mend-port-refused", **facts)
            case Trouble.UNREACHABLE:
                return judge.bad("port-unreachable", "mend-port-silent", **facts)
            case Trouble.SILENT if stage == "connect":
                return judge.bad("port-silent", "mend-port-silent", **facts)
            case Trouble.SILENT:
                return judge.bad("smtp-silent", "mend-smtp", stage=stage, **facts)
            case Trouble.CLOSED:
                return judge.bad("smtp-closed", "mend-smtp", stage=stage, **facts)
            case Trouble.GARBAGE | Trouble.TLS:
                return judge.bad("smtp-garbage", "mend-smtp-garbage", stage=stage, **facts)
    if visit.greeting is None or visit.greeting.code != 220:
        return judge.bad("smtp-turned-away", "mend-smtp-turned-away", **facts)
    if visit.seconds > SLOW_SECONDS:
        return judge.warn("port-slow", "mend-port-slow", seconds=round(visit.seconds), **facts)
    return judge.good("port-ok", **facts)


def judge_banner(seen: EdgeSeen, greeting: Reply) -> Verdict:
    """The greeting begins with the name of the host (RFC 5321 section 4.3.1)."""
    judge = Judge(seen.place, EdgeCheck.BANNER, (_said(greeting),))
    name = (greeting.lines[0].split() or [""])[0].lower()
    if _is_address(seen.host) or "." not in seen.host:
        return judge.good("banner-unknown", name=name)
    if name != seen.host:
        return judge.warn("banner-other", "mend-banner", name=name, host=seen.host)
    return judge.good("banner-ok", name=name)


def judge_extensions(place: str, visit: Visit) -> Verdict:
    """What EHLO offers, in TLS where there is TLS."""
    hello = visit.hello_in_tls or visit.hello
    if hello is None or not hello.positive:
        judge = Judge(place, EdgeCheck.EXTENSIONS, (_said(hello),) if hello else ())
        return judge.bad("ehlo-refused", "mend-smtp-turned-away")
    judge = Judge(place, EdgeCheck.EXTENSIONS, (", ".join(hello.lines[1:]),))
    missing = [word for word in WANTED_EXTENSIONS if word not in Extensions.parse(hello).keywords]
    if missing:
        return judge.warn("extensions-missing", "mend-extensions", missing=", ".join(missing))
    return judge.good("extensions-ok")


# -- encryption ---------------------------------------------------------------------------------------------


def judge_starttls(place: str, visit: Visit) -> Verdict:
    """Encryption is offered and works (RFC 3207)."""
    tls = visit.tls
    if tls is None:
        return Judge(place, EdgeCheck.STARTTLS).bad("starttls-missing", "mend-starttls")
    shown = (
        *([_said(tls.reply)] if tls.reply else []),
        *([f"{tls.version} {tls.cipher}"] if tls.version else []),
        *_broken(tls.broken),
    )
    judge = Judge(place, EdgeCheck.STARTTLS, shown)
    if tls.broken is not None or not tls.certificate:
        return judge.bad("starttls-broken", "mend-starttls-broken")
    return judge.good("starttls-ok", version=tls.version)


def judge_certificate(seen: EdgeSeen, der: bytes, distrust: str, now: datetime) -> list[Verdict]:
    """Who issued it, for which name, until when."""
    facts = read_certificate(der)
    if facts is None:
        judge = Judge(seen.place, EdgeCheck.CERTIFICATE)
        return [judge.bad("certificate-unreadable", "mend-certificate")]
    return [
        _judge_trust(seen.place, facts, distrust, now),
        _judge_names(seen, facts),
        _judge_days(seen.place, facts, now),
    ]


def _judge_trust(place: str, facts: CertificateFacts, distrust: str, now: datetime) -> Verdict:
    judge = Judge(place, EdgeCheck.CERTIFICATE, (facts.issuer, *([distrust] if distrust else [])))
    if facts.self_signed:
        return judge.warn("certificate-self-signed", "mend-certificate")
    if distrust and facts.begins <= now <= facts.ends:
        return judge.warn("certificate-untrusted", "mend-certificate", why=distrust)
    return judge.good("certificate-ok", issuer=facts.issuer)


def _judge_names(seen: EdgeSeen, facts: CertificateFacts) -> Verdict:
    names = ", ".join(facts.names) or "-"
    judge = Judge(seen.place, EdgeCheck.CERTIFICATE_NAME, (names,))
    if _is_address(seen.host) or "." not in seen.host:
        return judge.good("certificate-name-unknown", names=names)
    if not facts.covers(seen.host):
        return judge.warn("certificate-name-other", "mend-certificate-name", names=names, host=seen.host)
    return judge.good("certificate-name-ok", host=seen.host)


def _judge_days(place: str, facts: CertificateFacts, now: datetime) -> Verdict:
    judge = Judge(place, EdgeCheck.CERTIFICATE_DAYS, (f"{facts.begins:%Y-%m-%d} - {facts.ends:%Y-%m-%d}",))
    days = int((facts.ends - now).total_seconds() // 86400)
    end = f"{facts.ends:%Y-%m-%d}"
    if now < facts.begins:
        return judge.bad("certificate-early", "mend-certificate-early", begin=f"{facts.begins:%Y-%m-%d}")
    if now > facts.ends:
        return judge.bad("certificate-ended", "mend-certificate-days", end=end)
    if days < RENEW_DAYS:
        return judge.warn("certificate-ending", "mend-certificate-days", days=days, end=end)
    return judge.good("certificate-days-ok", days=days, end=end)


# -- names --------------------------------------------------------------------------------------------------


def judge_reverse(seen: EdgeSeen, visit: Visit) -> Verdict:
    """The address has a name that has the address. The edge only takes mail in, so that it is no must."""
    found = visit.reverse
    address = str(visit.address)
    names = found.names if found else ()
    judge = Judge(seen.place, EdgeCheck.REVERSE, (f"{address}: {', '.join(names) or '-'}",))
    if found is None or found.result is Result.TEMPERROR:
        return judge.warn("reverse-away", "mend-edge-dns-away", address=address, host=seen.host)
    if found.result is Result.PERMERROR:
        return judge.warn("reverse-missing", "mend-reverse", address=address, host=seen.host)
    if found.result is not Result.PASS:
        name = ", ".join(names)
        return judge.warn("reverse-astray", "mend-reverse", address=address, name=name, host=seen.host)
    return judge.good("reverse-ok", address=address, name=found.name)


# -- what it takes ------------------------------------------------------------------------------------------


def judge_home(place: str, probed: Sequence[Probed]) -> Verdict | None:
    """The edge reaches home: it asks before it takes anything, and says so at MAIL where home is away."""
    ours = [it for it in probed if it.probe.errand is not Errand.RELAY_AS_OURS]
    broken = next((it for it in probed if it.broken is not None), None)
    probe = next((it for it in ours if it.mail and not it.mail.positive), None)
    away = next((it for it in ours if any(_is_home_away(reply) for reply in (it.mail, it.rcpt))), None)
    if away is not None:
        return _home(place, away).bad("home-away", "mend-home-away")
    if broken is not None:
        return _home(place, broken).bad("session-broken", "mend-smtp")
    if probe is not None and probe.mail is not None and probe.mail.transient:
        return _home(place, probe).bad("mail-later", "mend-mail-later")
    if probe is not None:
        return _home(place, probe).warn("mail-refused", "mend-mail-refused")
    told = next((it for it in ours if _says_home(it)), None)
    if told is not None:
        return _home(place, told).good("home-ok")
    taken = next((it for it in ours if it.rcpt and it.rcpt.positive), None)
    return _home(place, taken).good("home-likely") if taken else None


def judge_relay(place: str, probed: Sequence[Probed]) -> Verdict:
    """Mail for others is refused, whoever seems to send it."""
    judge = Judge(place, EdgeCheck.RELAY, _told(probed))
    taken = next((it for it in probed if it.rcpt and it.rcpt.positive), None)
    if taken is not None:
        return judge.bad("relay-open", "mend-relay", recipient=taken.probe.recipient)
    if not all(_refused_for_good(it) for it in probed):
        return judge.warn("relay-untested", "mend-untested")
    return judge.good("relay-ok")


def judge_postmaster(place: str, probed: Probed) -> Verdict:
    """Every domain has a postmaster (RFC 5321 section 4.5.1)."""
    judge = Judge(place, EdgeCheck.POSTMASTER, _told([probed]))
    recipient = probed.probe.recipient
    if probed.rcpt is None:
        return judge.warn("postmaster-untested", "mend-untested", recipient=recipient)
    if probed.rcpt.positive:
        return judge.good("postmaster-ok", recipient=recipient)
    if probed.rcpt.permanent:
        return judge.bad("postmaster-refused", "mend-postmaster", recipient=recipient)
    return judge.warn("postmaster-later", "mend-mail-later", recipient=recipient)


def judge_unknown(place: str, probed: Probed) -> Verdict:
    """Mail for nobody is refused while its sender is still there; taken, it would come back as a bounce."""
    judge = Judge(place, EdgeCheck.UNKNOWN, _told([probed]))
    recipient = probed.probe.recipient
    domain = recipient.rpartition("@")[2]
    if probed.rcpt is None:
        return judge.warn("unknown-untested", "mend-untested", domain=domain)
    if probed.rcpt.positive:
        return judge.warn("unknown-taken", "mend-unknown", recipient=recipient, domain=domain)
    if probed.rcpt.permanent:
        return judge.good("unknown-ok", domain=domain)
    return judge.warn("unknown-later", "mend-mail-later", domain=domain)


def judge_delivery(place: str, probed: Probed) -> Verdict:
    """The test message is at home."""
    judge = Judge(place, EdgeCheck.DELIVERY, _told([probed]))
    recipient = probed.probe.recipient
    last = probed.final or probed.data or probed.rcpt or probed.mail
    if probed.final is not None and probed.final.positive:
        return judge.good("delivery-ok", recipient=recipient)
    if last is not None and last.permanent:
        return judge.bad("delivery-refused", "mend-delivery", recipient=recipient)
    return judge.bad("delivery-later", "mend-mail-later", recipient=recipient)


def _home(place: str, probed: Probed) -> Judge:
    return Judge(place, EdgeCheck.HOME, _told([probed]))


def _is_home_away(reply: Reply | None) -> bool:
    """RFC 3463 section 3.5: X.4.X is about the network between servers."""
    return reply is not None and reply.transient and reply.status.startswith("4.4.")


def _forgotten(probed: Probed) -> Probed:
    asked_home = probed.probe.errand in {Errand.POSTMASTER, Errand.UNKNOWN}
    return replace(probed, rcpt=None) if asked_home and probed.rcpt and probed.rcpt.positive else probed


def _says_home(probed: Probed) -> bool:
    """A refusal that only home can know of: 5.7.X is the edge's own, about domains that are not ours."""
    asked_home = probed.probe.errand in {Errand.POSTMASTER, Errand.UNKNOWN}
    refused = probed.rcpt is not None and probed.rcpt.permanent
    return asked_home and refused and not (probed.rcpt and probed.rcpt.status.startswith("5.7."))


def _refused_for_good(probed: Probed) -> bool:
    """A refusal of this mail; a client that is refused at MAIL as such shows nothing of relaying."""
    if probed.rcpt is not None:
        return probed.rcpt.permanent
    ours = probed.probe.errand is Errand.RELAY_AS_OURS
    return ours and probed.mail is not None and probed.mail.permanent


def _told(probed: Iterable[Probed]) -> tuple[str, ...]:
    """The commands and their replies; MAIL from nobody goes without saying where it was taken."""
    lines: list[str] = []
    for it in probed:
        for command, reply in (
            (f"MAIL FROM:<{it.probe.sender}>", it.mail),
            (f"RCPT TO:<{it.probe.recipient}>", it.rcpt),
            ("DATA", it.data),
            ("content", it.final),
        ):
            if reply is not None and not (reply is it.mail and it.rcpt and not it.probe.sender):
                lines.append(f"{command} -> {_said(reply)}")
        lines += _broken(it.broken)
    return tuple(lines)


def _said(reply: Reply) -> str:
    status = f"{reply.status} " if reply.status else ""
    return f"{reply.code} {status}{' / '.join(reply.lines)}"


def _broken(broken: Broken | None) -> list[str]:
    return [f"{broken.stage}: {broken.text}"] if broken is not None else []


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
