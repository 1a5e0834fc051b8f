"""SPF: may this client use this domain? (RFC 7208 section 4, check_host)

Deviation from RFC 7208 section 4.6.4: void look-ups are counted once per term, not once per name that a term
asks for. An IPv6 client before a domain whose MX hosts have IPv4 addresses only would otherwise end in
permerror for honest mail. What a stranger can make us ask stays bounded: 10 terms, 10 hosts each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_macros import (
    EXPLANATION_LETTERS,
    BadSyntax,
    MacroString,
    expand,
    expand_domain,
    parse_macro_string,
    uses,
)
from mxgw.msgauth.spf_record import MAX_REMEMBERED_OCTETS, Directive, Mechanism, Record, is_spf, parse_record
from mxgw.msgauth.spf_result import (
    MAX_EXPLANATION_CHARACTERS,
    MAX_STEP_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    Identity,
    SpfResult,
    SpfStep,
    StepKind,
    plain,
)
from mxgw.resolver.answers import Answer, Lookup, Status
from mxgw.resolver.names import canonical

MAX_LOOKUP_TERMS = 10
MAX_VOID_LOOKUPS = 2
MAX_MX_HOSTS = 10
MAX_PTR_NAMES = 10
"""RFC 7208 section 4.6.4, all four."""


class _Ended(Exception):
    """temperror or permerror, from however deep."""

    def __init__(self, result: Result, problem: str) -> None:
        super().__init__(problem)
        self.result = result
        self.problem = problem


async def check_spf(
    lookup: Lookup,
    *,
    address: IPv4Address | IPv6Address,
    helo: str,
    mail_from: str,
    receiver: str = "unknown",
    steps: list[SpfStep] | None = None,
    clock: Callable[[], float] = time.time,
) -> SpfResult:
    """Check MAIL FROM, ``local@domain``; "" (the null reverse-path) is postmaster at the HELO name.

    ``receiver`` is our own name, for explanations. ``steps``, if given, is filled with what was done.
    """
    # RFC 7208 section 2.4 for the null reverse-path, section 4.3 for an empty local part.
    local, _, domain = mail_from.rpartition("@") if mail_from else ("", "", helo)
    check = _Check(lookup, address, local or "postmaster", domain, helo, receiver, steps, clock)
    return await check.run(Identity.MAIL_FROM)


async def check_spf_helo(
    lookup: Lookup,
    *,
    address: IPv4Address | IPv6Address,
    helo: str,
    receiver: str = "unknown",
    steps: list[SpfStep] | None = None,
    clock: Callable[[], float] = time.time,
) -> SpfResult:
    """Check the HELO identity (RFC 7208 section 2.3); ``none`` where it is not a full name."""
    check = _Check(lookup, address, "postmaster", helo, helo, receiver, steps, clock)
    return await check.run(Identity.HELO)


class _Check:
    """One evaluation: the client, the sender, and what was used up of the limits."""

    def __init__(
        self,
        lookup: Lookup,
        address: IPv4Address | IPv6Address,
        local: str,
        domain: str,
        helo: str,
        receiver: str,
        steps: list[SpfStep] | None,
        clock: Callable[[], float],
    ) -> None:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            # RFC 7208 section 5: an IPv4-mapped address is an IPv4 address.
            address = address.ipv4_mapped
        self._lookup = lookup
        self._address = address
        self._number = int(address)
        self._v4 = isinstance(address, IPv4Address)
        self._local = local
        self._helo = helo
        self._receiver = receiver
        self._steps = steps
        self._clock = clock
        # RFC 7208 section 4.3: U-labels are converted before anything else; macros see the A-labels.
        self._canonical = canonical(domain) or ""
        # Of a name that cannot be in DNS, two dots at its end for one, nothing is left.
        keeps_case = bool(self._canonical) and domain.isascii()
        self._domain = domain.removesuffix(".") if keeps_case else self._canonical
        self._values: dict[str, str] = {}
        self._terms = 0
        self._voids = 0
        self._questions = 0
        self._unsure = False
        self._names: tuple[str, ...] | None = None
        self._confirmed: dict[str, bool] = {}

    async def run(self, identity: Identity) -> SpfResult:
        term = explanation = problem = ""
        try:
            result, term, explanation = await self._host(self._domain, 0)
            if result is Result.NONE:
                problem = "no SPF record" if _full_name(self._canonical) else "not a full domain name"
        except _Ended as ended:
            result, problem = ended.result, ended.problem
        domain = self._canonical if _full_name(self._canonical) else ""
        return SpfResult(
            result,
            identity,
            domain,
            plain(term, MAX_TEXT_CHARACTERS),
            explanation,
            plain(problem, MAX_TEXT_CHARACTERS),
            self._questions,
            self._unsure and result is not Result.PASS,
        )

    async def _host(self, domain: str, depth: int) -> tuple[Result, str, str]:
        """check_host() of RFC 7208 section 4: result, matching term, explanation."""
        record = await self._record(domain, depth)
        if record is None:
            return Result.NONE, "", ""
        for directive in record.directives:
            if await self._matches(directive, domain, depth):
                result = directive.result
                explanation = ""
                if result is Result.FAIL and record.exp is not None and depth == 0:
                    explanation = await self._explanation(record.exp, domain)
                return result, directive.text, explanation
        if record.redirect is None:
            return Result.NEUTRAL, "", ""
        self._count_term("redirect")
        target = await self._expanded(record.redirect, domain)
        self._note(StepKind.TERM, depth, domain, "redirect", target)
        # Not one deeper: the result and the explanation of the target are ours (RFC 7208 section 6.1).
        result, term, explanation = await self._host(target, depth)
        if result is Result.NONE:
            raise _Ended(Result.PERMERROR, f"redirect to a domain without SPF record: {target}")
        return result, term, explanation

    async def _record(self, domain: str, depth: int) -> Record | None:
        if not domain.isascii() or not _full_name(canonical(domain) or ""):
            return None
        answer = await self._ask("TXT", self._lookup.txt, domain, domain, depth)
        found = [record for record in answer.records if is_spf(record)]
        if not found:
            return None
        if len(found) > 1:
            raise _Ended(Result.PERMERROR, f"{len(found)} SPF records at {domain}")
        if len(found[0]) > MAX_REMEMBERED_OCTETS:
            # Parsing takes milliseconds, ten times in a row where DNS is remembered: let others pass between.
            await asyncio.sleep(0)
        try:
            return parse_record(found[0])
        except BadSyntax as bad:
            raise _Ended(Result.PERMERROR, f"record of {domain}: {bad}") from None

    async def _matches(self, directive: Directive, domain: str, depth: int) -> bool:
        try:
            matches = await self._match(directive, domain, depth)
        except _Ended as ended:
            self._note(StepKind.TERM, depth, domain, directive.text, ended.result)
            raise
        if self._steps is not None:
            outcome = directive.result if matches else "no match"
            self._note(StepKind.TERM, depth, domain, directive.text, outcome)
        return matches

    async def _match(self, directive: Directive, domain: str, depth: int) -> bool:
        match directive.mechanism:
            case Mechanism.ALL:
                return True
            case Mechanism.IP4:
                return self._v4 and self._number & directive.mask_4 == directive.network
            case Mechanism.IP6:
                return not self._v4 and self._number & directive.mask_6 == directive.network
        self._count_term(directive.text)
        target = domain
        if directive.target is not None:
            target = await self._expanded(directive.target, domain)
            if not target.isascii():
                # RFC 8616 section 4: macros of a local part that is not ASCII match nothing.
                return False
        match directive.mechanism:
            case Mechanism.INCLUDE:
                return await self._include(target, depth)
            case Mechanism.A:
                return await self._has_address(target, directive, domain, depth, counted=True)
            case Mechanism.MX:
                return await self._mx(target, directive, domain, depth)
            case Mechanism.EXISTS:
                answer = await self._ask("A", self._lookup.a, target, domain, depth)
                return self._count_void(answer, target).status is Status.FOUND
            case Mechanism.PTR:
                return await self._ptr(target, domain, depth)

    async def _include(self, target: str, depth: int) -> bool:
        result, _, _ = await self._host(target, depth + 1)
        if result is Result.NONE:
            raise _Ended(Result.PERMERROR, f"include of a domain without SPF record: {target}")
        return result is Result.PASS

    async def _mx(self, target: str, directive: Directive, domain: str, depth: int) -> bool:
        answer = await self._ask("MX", self._lookup.mx, target, domain, depth)
        hosts = self._count_void(answer, target).records
        if len(hosts) > MAX_MX_HOSTS:
            raise _Ended(Result.PERMERROR, f"more than {MAX_MX_HOSTS} MX hosts: {target}")
        for _, host in hosts:
            if host and await self._has_address(host, directive, domain, depth, counted=False):
                return True
        return False

    async def _has_address(
        self, name: str, directive: Directive, domain: str, depth: int, *, counted: bool
    ) -> bool:
        answer: Answer[IPv4Address] | Answer[IPv6Address]
        if self._v4:
            mask = directive.mask_4
            answer = await self._ask("A", self._lookup.a, name, domain, depth)
        else:
            mask = directive.mask_6
            answer = await self._ask("AAAA", self._lookup.aaaa, name, domain, depth)
        if counted:
            self._count_void(answer, name)
        network = self._number & mask
        return any(int(address) & mask == network for address in answer.records)

    async def _ptr(self, target: str, domain: str, depth: int) -> bool:
        target = target.lower()
        for name in await self._reverse_names(domain, depth):
            if (name == target or name.endswith(f".{target}")) and await self._confirm(name, domain, depth):
                return True
        return False

    async def _reverse_names(self, domain: str, depth: int) -> tuple[str, ...]:
        if self._names is None:
            try:
                answer = await self._ask("PTR", self._lookup.ptr, self._address, domain, depth)
            except _Ended:
                # RFC 7208 section 5.5: a DNS error here is no match.
                self._names = ()
                self._unsure = True
                return ()
            self._names = tuple(name.lower().removesuffix(".") for name in answer.records[:MAX_PTR_NAMES])
            self._count_void(answer, str(self._address))
        return self._names

    async def _confirm(self, name: str, domain: str, depth: int) -> bool:
        """Whether a name of the address has that address; a name with a DNS error is skipped."""
        if name not in self._confirmed:
            answer: Answer[IPv4Address] | Answer[IPv6Address]
            try:
                if self._v4:
                    answer = await self._ask("A", self._lookup.a, name, domain, depth)
                else:
                    answer = await self._ask("AAAA", self._lookup.aaaa, name, domain, depth)
                self._confirmed[name] = self._address in answer.records
            except _Ended:
                self._confirmed[name] = False
                self._unsure = True
        return self._confirmed[name]

    async def _validated_name(self, domain: str) -> str:
        """%{p}: a confirmed name of the address, the domain itself or below it if there is one."""
        domain = domain.lower()
        confirmed = [
            name for name in await self._reverse_names(domain, 0) if await self._confirm(name, domain, 0)
        ]
        below = [name for name in confirmed if name.endswith(f".{domain}")]
        return domain if domain in confirmed else next(iter(below or confirmed), "unknown")

    async def _explanation(self, target: MacroString, domain: str) -> str:
        """The domain's own words (RFC 7208 section 6.2); "" for whatever goes wrong."""
        # The limits end with the evaluation: names that %{p} does not find must not cost the words.
        self._voids = -MAX_PTR_NAMES
        unsure = self._unsure
        try:
            name = await self._expanded(target, domain)
            answer = await self._ask("TXT", self._lookup.txt, name, domain, 0)
            if len(answer.records) != 1 or not name.isascii():
                return ""
            text = answer.records[0].decode("ascii")
            parts = parse_macro_string(text, EXPLANATION_LETTERS) if text.isprintable() else ()
            values = await self._values_for(parts, domain)
            return plain(expand(parts, values, MAX_EXPLANATION_CHARACTERS), MAX_EXPLANATION_CHARACTERS)
        except (_Ended, BadSyntax, UnicodeDecodeError):
            return ""
        finally:
            # Names that are for the words alone do not make the result any less sure.
            self._unsure = unsure

    async def _expanded(self, target: MacroString, domain: str) -> str:
        if len(target) == 1 and isinstance(target[0], str):
            return expand_domain(target, {})
        return expand_domain(target, await self._values_for(target, domain))

    async def _values_for(self, parts: MacroString, domain: str) -> dict[str, str]:
        if not self._values:
            self._values = {
                "s": f"{self._local}@{self._domain}",
                "l": self._local,
                "o": self._domain,
                "h": self._helo,
                "i": _dotted(self._address),
                "c": str(self._address),
                "v": "in-addr" if self._v4 else "ip6",
                "r": self._receiver,
                "t": str(int(self._clock())),
            }
        values = self._values | {"d": domain}
        if uses(parts, "p"):
            values["p"] = await self._validated_name(domain)
        return values

    async def _ask(
        self, kind: str, ask: Callable[[Any], Awaitable[Answer[Any]]], name: Any, domain: str, depth: int
    ) -> Answer[Any]:
        self._questions += 1
        answer = await ask(name)
        if self._steps is not None:
            texts = [_record_text(record) for record in answer.records]
            self._note(StepKind.QUESTION, depth, domain, f"{kind} {name}", ", ".join(texts) or answer.status)
        if answer.status is Status.TEMPORARY:
            raise _Ended(Result.TEMPERROR, f"no answer from DNS: {kind} {name}")
        return answer

    def _count_term(self, term: str) -> None:
        self._terms += 1
        if self._terms > MAX_LOOKUP_TERMS:
            raise _Ended(Result.PERMERROR, f"more than {MAX_LOOKUP_TERMS} terms that ask DNS, at {term}")

    def _count_void(self, answer: Answer[Any], name: str) -> Answer[Any]:
        # A name that cannot be asked for was not looked up.
        if answer.void and canonical(name) is not None:
            self._voids += 1
            if self._voids > MAX_VOID_LOOKUPS:
                raise _Ended(
                    Result.PERMERROR, f"more than {MAX_VOID_LOOKUPS} look-ups without result, at {name}"
                )
        return answer

    def _note(self, kind: StepKind, depth: int, domain: str, subject: str, outcome: str) -> None:
        if self._steps is not None:
            texts = [plain(text, MAX_STEP_CHARACTERS) for text in (domain, subject, outcome)]
            self._steps.append(SpfStep(kind, depth, *texts))


def _full_name(name: str) -> bool:
    """Several labels, and not an address, nor an address literal."""
    return "." in name and not name.rpartition(".")[2].isdigit() and name[0] != "["


def _dotted(address: IPv4Address | IPv6Address) -> str:
    """%{i}: RFC 7208 section 7.3 wants an IPv6 address as nibbles with dots."""
    if isinstance(address, IPv4Address):
        return str(address)
    return ".".join(f"{int(address):032X}")


def _record_text(record: Any) -> str:
    if isinstance(record, bytes):
        return record.decode("latin-1")
    return record.host if hasattr(record, "host") else str(record)
