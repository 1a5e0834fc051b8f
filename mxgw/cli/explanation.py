"""What ``mxgw verify`` prints, as values: the edge's own checks over a saved message, with every step."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from mxgw.authentication import Stance
from mxgw.config import AUTHENTICATION_CHECKS, Address, Check, DmarcPolicy, DnsblPolicy, NullMxPolicy
from mxgw.envelope import Client, ReversePath, parse_mail
from mxgw.header import Header, parse_header
from mxgw.msgauth.checks import Examiner
from mxgw.msgauth.disposition import Disposition, DispositionReason
from mxgw.msgauth.evaluation import Evaluation
from mxgw.msgauth.null_mx import NullMx
from mxgw.msgauth.results_field import results_field
from mxgw.msgauth.spf_result import SpfStep
from mxgw.reply import Reply
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream

PIECE_OCTETS = 64 * 1024
AUTHSERV_ID = "verify.invalid"
"""In the field that is shown: nobody is to take it for one that a gateway wrote."""

# Our own Received, and what Postfix and Exim write: from HELO ([ADDRESS]) or from HELO (NAME [ADDRESS]).
_RECEIVED = re.compile(
    r"from\s+(?P<helo>\S+)\s*\((?:[^\s()]*\s+)?\[(?:IPv6:)?(?P<address>[0-9A-Fa-f:.]+)\]", re.IGNORECASE
)


class MessageFault(Exception):
    """The message cannot be checked as it is; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One check."""

    check: str
    result: str
    about: str = ""
    why: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is printed. ``handling`` is what the edge would do, ``why`` its reason."""

    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    handling: str
    why: str
    reply: str
    field: str

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "facts": dict(self.facts),
            "checks": [
                {
                    "check": row.check,
                    "result": row.result,
                    "about": row.about,
                    "why": row.why,
                    "steps": list(row.steps),
                }
                for row in self.rows
            ],
            "handling": self.handling,
            "why": self.why,
            "reply": self.reply,
            "field": self.field,
        }


async def explain(
    octets: bytes,
    *,
    address: IPv4Address | IPv6Address | None,
    helo: str | None,
    mail_from: str | None,
    dns: Sequence[Address],
    policy: DmarcPolicy,
    trusted_sealers: frozenset[str],
    null_mx: NullMxPolicy,
) -> Explanation:
    """Check a message. Raises MessageFault where something is missing that it does not say itself."""
    content = with_crlf(octets)
    header = parse_header(content)
    if not header.octets:
        raise MessageFault("this is no message: it does not begin with a header field")
    client = _client(header, address, helo)
    reverse_path = _reverse_path(header, mail_from)
    spf_steps: list[SpfStep] = []
    helo_steps: list[SpfStep] = []
    examination = Examiner(
        Resolver(Upstream(dns)),
        checks=AUTHENTICATION_CHECKS - {Check.DNSBL},
        hostname="localhost",
        dnsbl_zones=(),
        clock=time.time,
        null_mx=null_mx is not NullMxPolicy.OFF,
    ).begin(client, reverse_path, spf_steps=spf_steps, helo_steps=helo_steps)
    examination.header(header)
    for begin in range(header.octets, len(content), PIECE_OCTETS):
        examination.body(content[begin : begin + PIECE_OCTETS])
    evaluation = await examination.finish()
    stance = Stance(AUTHSERV_ID, frozenset(), policy, DnsblPolicy.REPORT, trusted_sealers, null_mx)
    disposition = stance.dispose(evaluation)
    return Explanation(
        facts=(
            ("client", str(client.address)),
            ("HELO", client.helo or "(none)"),
            ("MAIL FROM", f"<{reverse_path}>"),
            ("From", ", ".join(header.values("From")) or "(none)"),
            ("Subject", header.first("Subject") or "(none)"),
            ("DNS questions", str(evaluation.questions)),
        ),
        rows=tuple(_rows(evaluation, spf_steps, helo_steps)),
        handling=disposition.handling.value,
        why=_why(disposition, evaluation),
        reply=str(disposition.reply) if disposition.reply else "",
        field=results_field(AUTHSERV_ID, evaluation.findings()).decode("ascii"),
    )


def with_crlf(octets: bytes) -> bytes:
    """A file as it was on the wire: mail stores and editors keep LF alone, RFC 5322 has CRLF.

    A first line that a mailbox file begins with ("From ") is no field, and goes.
    """
    if octets.startswith(b"From "):
        octets = octets.partition(b"\n")[2]
    return octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n")


def _client(header: Header, address: IPv4Address | IPv6Address | None, helo: str | None) -> Client:
    if address is None:
        for value in header.values("Received"):
            if match := _RECEIVED.match(value):
                try:
                    address = ip_address(match["address"])
                except ValueError:
                    continue
                helo = match["helo"] if helo is None else helo
                break
        else:
            raise MessageFault("no Received field says which address the message came from; give --ip")
    return Client(address, 0, helo or "", extended=True)


def _reverse_path(header: Header, mail_from: str | None) -> ReversePath:
    if mail_from is None:
        mail_from = header.first("Return-Path")
        if mail_from is None:
            raise MessageFault("no Return-Path says who sent the message; give --mail-from ('' for <>)")
    text = mail_from.strip().removeprefix("<").removesuffix(">")
    command = parse_mail(f"FROM:<{text}> SMTPUTF8".encode(), extended=True)
    if isinstance(command, Reply):
        raise MessageFault(f"{mail_from!r} is no reverse-path; give --mail-from, for example a@example.org")
    return command.reverse_path


def _rows(evaluation: Evaluation, spf_steps: list[SpfStep], helo_steps: list[SpfStep]) -> list[Row]:
    rows: list[Row] = []
    if evaluation.inner_client:
        rows.append(Row("spf", "not checked", why="the client's address is of a private network"))
    for name, found, steps in (
        ("spf", evaluation.spf, spf_steps),
        ("spf of HELO", evaluation.helo, helo_steps),
    ):
        if found:
            why = found.problem or (f"matched {found.term}" if found.term else "")
            rows.append(Row(name, found.result, found.domain, why, tuple(map(_spf_step, steps))))
    if evaluation.null_mx and evaluation.spf:
        rows.append(
            Row("null mx", evaluation.null_mx, evaluation.spf.domain, _NULL_MX_WORDS[evaluation.null_mx])
        )
    for one in evaluation.dkim or ():
        about = f"d={one.claim.domain} s={one.claim.selector}"
        rows.append(Row("dkim", one.result, about, one.reason, one.steps))
    if evaluation.dkim == ():
        rows.append(Row("dkim", "none", why="no signature"))
    if dmarc := evaluation.dmarc:
        rows.append(Row("dmarc", dmarc.result, dmarc.author_domain, dmarc.reason, dmarc.steps))
    elif evaluation.author and evaluation.author.problem:
        rows.append(Row("dmarc", "permerror", why=evaluation.author.problem))
    if chain := evaluation.arc:
        about = f"sealed by {', '.join(chain.sealers)}" if chain.sealers else ""
        rows.append(Row("arc", chain.result, about, chain.reason, chain.steps))
    if iprev := evaluation.iprev:
        rows.append(Row("iprev", iprev.result, iprev.name or ", ".join(iprev.names)))
    return rows


def _spf_step(step: SpfStep) -> str:
    return f"{'  ' * step.depth}{step.domain}: {step.subject} -> {step.outcome}"


_NULL_MX_WORDS = {
    NullMx.YES: "the domain says that it takes no mail",
    NullMx.NO: "",
    NullMx.UNAVAILABLE: "DNS did not answer",
}
_WORDS = {
    DispositionReason.NONE: "nothing speaks against it",
    DispositionReason.DMARC_FAIL: "neither SPF nor DKIM stands for the author's domain",
    DispositionReason.DMARC_TEMPERROR: "DNS did not answer what DMARC needs to know",
    DispositionReason.ARC_TEMPERROR: "DNS did not answer whether the ARC seals hold",
    DispositionReason.NO_AUTHOR: "From names nobody, or not clearly",
    DispositionReason.TRUSTED_ARC: "DMARC fails, and a trusted sealer says that it passed before",
    DispositionReason.DNSBL: "a DNS list names the client",
    DispositionReason.NULL_MX: "the domain of the sender's address takes no mail itself (null MX)",
}


def _why(disposition: Disposition, evaluation: Evaluation) -> str:
    policy = ""
    if evaluation.dmarc and evaluation.dmarc.record:
        policy = f"; {evaluation.dmarc.record_domain} asks for p={evaluation.dmarc.policy}"
    return f"{_WORDS[disposition.reason]}{policy}"
