"""What ``mxgw verify`` prints, as values: the edge's own checks over a saved message, with every step."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from mxgw.authentication import Stance
from mxgw.config import AUTHENTICATION_CHECKS, Address, DmarcPolicy, DnsblPolicy, NullMxPolicy
from mxgw.envelope import Client, ReversePath, parse_mail
from mxgw.header import Header, parse_header
from mxgw.msgauth.checks import Examiner, is_inner
from mxgw.msgauth.disposition import Disposition, DispositionReason
from mxgw.msgauth.dmarc import Policy
from mxgw.msgauth.evaluation import Evaluation
from mxgw.msgauth.null_mx import NullMx
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import results_field
from mxgw.msgauth.spf_result import SpfStep
from mxgw.reply import Reply
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream

PIECE_OCTETS = 64 * 1024
NONE = "(none)"
"""A field or a name that is not there."""

AUTHSERV_ID = "verify.invalid"
"""In the field that is shown: nobody is to take it for one that a gateway wrote."""

# Our own Received, and what Postfix and Exim write: from HELO ([ADDRESS]) or from HELO (NAME [ADDRESS]).
_RECEIVED = re.compile(
    r"from\s+(?P<helo>\S+)\s*\((?:[^\s()]*\s+)?\[(?:IPv6:)?(?P<address>[0-9A-Fa-f:.]+)\]", re.IGNORECASE
)


# What is written by the hop that stores a message, or by our door at home: the client is no stranger there.
_LMTP = re.compile(r"\bwith\s+(?:UTF8)?LMTP", re.IGNORECASE)
_LONE_LF = re.compile(rb"(?<!\r)\n")


class MessageFault(Exception):
    """The message cannot be checked as it is; the text says what to do."""


class _Hop(NamedTuple):
    address: IPv4Address | IPv6Address
    helo: str
    lmtp: bool


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
    dnsbl_zones: tuple[str, ...],
    dnsbl: DnsblPolicy,
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
        checks=AUTHENTICATION_CHECKS,
        hostname="localhost",
        dnsbl_zones=dnsbl_zones,
        clock=time.time,
        null_mx=null_mx is not NullMxPolicy.OFF,
    ).begin(client, reverse_path, spf_steps=spf_steps, helo_steps=helo_steps)
    examination.header(header)
    for begin in range(header.octets, len(content), PIECE_OCTETS):
        examination.body(content[begin : begin + PIECE_OCTETS])
    evaluation = await examination.finish()
    stance = Stance(AUTHSERV_ID, frozenset(), policy, dnsbl, trusted_sealers, null_mx)
    disposition = stance.dispose(evaluation)
    return Explanation(
        facts=(
            ("client", str(client.address)),
            ("HELO", client.helo or NONE),
            ("MAIL FROM", f"<{reverse_path}>"),
            ("From", ", ".join(header.values("From")) or NONE),
            ("Subject", header.first("Subject") or NONE),
            ("DNS questions", str(evaluation.questions)),
        ),
        rows=tuple(_rows(evaluation, spf_steps, helo_steps)),
        handling=disposition.handling.value,
        why=_why(disposition, evaluation),
        reply=str(disposition.reply) if disposition.reply else "",
        field=results_field(AUTHSERV_ID, evaluation.findings()).decode("ascii"),
    )


def with_crlf(octets: bytes) -> bytes:
    """A file as it was on the wire: mail stores and editors keep LF alone, in all lines or in some, and no LF
    travels alone (RFC 5321 section 2.3.8).

    A first line that a mailbox file begins with ("From ") is no field, and goes.
    """
    if octets.startswith(b"From "):
        octets = octets.partition(b"\n")[2]
    return _LONE_LF.sub(b"\r\n", octets)


def _client(header: Header, address: IPv4Address | IPv6Address | None, helo: str | None) -> Client:
    if address is None:
        hops = list(_hops(header))
        if not hops:
            raise MessageFault("no Received field says which address the message came from; give --ip")
        outer = [hop for hop in hops if not hop.lmtp]
        hop = next((one for one in outer if not is_inner(one.address)), (outer or hops)[0])
        address = hop.address
        helo = hop.helo if helo is None else helo
    return Client(address, 0, helo or "", extended=True)


def _hops(header: Header) -> Iterator[_Hop]:
    """The Received fields that name a client's address, newest first."""
    for value in header.values("Received"):
        if match := _RECEIVED.match(value):
            try:
                address = ip_address(match["address"])
            except ValueError:
                continue
            yield _Hop(address, match["helo"], bool(_LMTP.search(value)))


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
        why = "nobody sealed it" if chain.result is Result.NONE else chain.reason
        rows.append(Row("arc", chain.result, about, why, chain.steps))
    if iprev := evaluation.iprev:
        about = iprev.name or ", ".join(iprev.names)
        rows.append(Row("iprev", iprev.result, about, _IPREV_WORDS[iprev.result]))
    for one_list in evaluation.dnsbl:
        said = f"it says {', '.join(map(str, one_list.codes))}" if one_list.codes else ""
        rows.append(Row("dnsbl", one_list.listing, one_list.zone, said))
    return rows


def _spf_step(step: SpfStep) -> str:
    return f"{'  ' * step.depth}{step.domain}: {step.subject} -> {step.outcome}"


_IPREV_WORDS = {
    Result.PASS: "the address has this name, and the name this address",
    Result.FAIL: "no name of the address has this address",
    Result.PERMERROR: "the address has no name",
    Result.TEMPERROR: "DNS did not answer",
}
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
    elif evaluation.dmarc and evaluation.dmarc.presumed is not Policy.NONE:
        policy = f"; the domain above asks for p={evaluation.dmarc.presumed}"
    return f"{_WORDS[disposition.reason]}{policy}"
