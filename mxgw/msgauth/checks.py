"""Runs the checks of one message beside its arrival: SPF from MAIL on, keys and policy from the header on.

examination = examiner.begin(client, reverse_path)      at MAIL
examination.header(header)                              the header block is complete
examination.body(octets)                                for every piece of the body
evaluation = await examination.finish()                 the content is complete
examination.drop()                                      in place of finish: the message will not come
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, TypeVar

from mxgw.config import Check
from mxgw.envelope import Client, ReversePath
from mxgw.header import NO_HEADER, Header
from mxgw.msgauth import arc, dkim, dmarc
from mxgw.msgauth.author import Author, author_of
from mxgw.msgauth.bodyhash import BodyHashes
from mxgw.msgauth.dkim import DkimPlan
from mxgw.msgauth.dkim_keys import KeyRing
from mxgw.msgauth.dmarc import DmarcDiscovery, DmarcVerdict
from mxgw.msgauth.dnsbl import DnsblResult, check_dnsbl
from mxgw.msgauth.evaluation import Evaluation
from mxgw.msgauth.iprev import IprevResult, check_iprev
from mxgw.msgauth.null_mx import NullMx, check_null_mx, may_have_mx, null_mx_of
from mxgw.msgauth.spf import check_spf, check_spf_helo
from mxgw.msgauth.spf_result import SpfResult, SpfStep
from mxgw.resolver.answers import Lookup
from mxgw.resolver.budget import DEADLINE_SECONDS, BudgetedLookup

INNER_NETWORKS = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Addresses that no stranger on the internet has: a balancer that does not keep the client's, or our own
machines. What they say about the sender is nothing."""

CONNECTION_QUESTIONS = 40
"""For reverse name and DNS lists: ten names with their addresses, and as many lists again."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Examiner:
    """Begins the examination of messages. ``hostname`` is our own name; ``clock`` gives Unix time.

    ``null_mx``: whether the domain of the reverse-path is asked for a null MX, beside SPF.
    """

    lookup: Lookup
    checks: frozenset[Check]
    hostname: str
    dnsbl_zones: Sequence[str]
    clock: Callable[[], float]
    seconds: float = DEADLINE_SECONDS
    null_mx: bool = False

    def begin(
        self,
        client: Client,
        reverse_path: ReversePath,
        *,
        spf_steps: list[SpfStep] | None = None,
        helo_steps: list[SpfStep] | None = None,
    ) -> Examination:
        """At MAIL: whatever needs only the envelope starts now. ``finish`` or ``drop`` ends it."""
        return Examination(self, client, reverse_path, spf_steps, helo_steps)


class Examination:
    """One message under examination. The tasks are its own: they end with ``finish`` or ``drop``.

    DNS has until ``seconds`` after MAIL, and again as long after the header block is complete and after the
    end of content: a client that sends slowly must not spend the time in which its keys can be fetched.
    """

    def __init__(
        self,
        examiner: Examiner,
        client: Client,
        reverse_path: ReversePath,
        spf_steps: list[SpfStep] | None,
        helo_steps: list[SpfStep] | None,
    ) -> None:
        self._examiner = examiner
        self.address = client.address
        self._inner_client = is_inner(client.address)
        self._spf: asyncio.Task[SpfResult] | None = None
        self._helo: asyncio.Task[SpfResult] | None = None
        self._iprev: asyncio.Task[IprevResult] | None = None
        self._dnsbl: asyncio.Task[tuple[DnsblResult, ...]] | None = None
        self._null_mx: asyncio.Task[NullMx] | NullMx | None = None
        self._discoveries: list[asyncio.Task[DmarcDiscovery]] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._lookups: list[BudgetedLookup] = []
        self._header = NO_HEADER
        self._plan: DkimPlan | None = None
        self._hashes: BodyHashes | None = None
        self._ring: KeyRing | None = None
        self._author: Author | None = None
        if not self._inner_client:
            self._look_at_client(client, reverse_path, spf_steps, helo_steps)

    def _look_at_client(
        self,
        client: Client,
        reverse_path: ReversePath,
        spf_steps: list[SpfStep] | None,
        helo_steps: list[SpfStep] | None,
    ) -> None:
        examiner, checks = self._examiner, self._examiner.checks
        if Check.SPF in checks:
            lookup = self._budget()
            if examiner.null_mx and may_have_mx(reverse_path.domain):
                # What is remembered is known before the next command of the same flight.
                known = lookup.remembered("MX", reverse_path.domain)
                self._null_mx = (
                    null_mx_of(known) if known else self._start(check_null_mx(lookup, reverse_path.domain))
                )
            self._spf = self._start(
                check_spf(
                    lookup,
                    address=client.address,
                    helo=client.helo,
                    mail_from=str(reverse_path),
                    receiver=examiner.hostname,
                    steps=spf_steps,
                    clock=examiner.clock,
                )
            )
            if not reverse_path.null:
                self._helo = self._start(
                    check_spf_helo(
                        lookup,
                        address=client.address,
                        helo=client.helo,
                        receiver=examiner.hostname,
                        steps=helo_steps,
                        clock=examiner.clock,
                    )
                )
        if not checks.isdisjoint({Check.IPREV, Check.DNSBL}):
            # Their own budget: what a stranger's zones cost must not keep a list from being asked.
            lookup = self._budget(CONNECTION_QUESTIONS)
            if Check.IPREV in checks:
                self._iprev = self._start(check_iprev(lookup, client.address))
            if Check.DNSBL in checks and examiner.dnsbl_zones:
                self._dnsbl = self._start(check_dnsbl(lookup, examiner.dnsbl_zones, client.address))

    @property
    def listings(self) -> tuple[DnsblResult, ...]:
        """What the DNS lists say, if they have answered by now. Never waits."""
        return _known(self._dnsbl) or ()

    @property
    def null_mx(self) -> NullMx | None:
        """What is known of the MX of the reverse-path's domain by now; None where it is not asked for."""
        found = self._null_mx
        return _known(found) or NullMx.UNAVAILABLE if isinstance(found, asyncio.Task) else found

    def header(self, header: Header) -> None:
        """The header block is complete: ask for keys and policies while the body arrives."""
        checks = self._examiner.checks
        if checks.isdisjoint({Check.DKIM, Check.ARC, Check.DMARC}):
            return
        self._header = header
        lookup = self._budget()
        self._author = author_of(header)
        if Check.DKIM in checks or Check.ARC in checks:
            self._plan = plan = DkimPlan.of(header, prefer_domains=self._author.domains)
            self._hashes = plan.body_hashes()
            self._ring = KeyRing(lookup)
            if plan.key_names or plan.chain.key_names:
                self._start(_fetch(self._ring, plan))
        if Check.DMARC in checks:
            self._discoveries = [
                self._start(dmarc.discover(lookup, domain)) for domain in self._author.domains
            ]

    def body(self, octets: bytes) -> None:
        """The next octets behind the header block."""
        if self._hashes is not None:
            self._hashes.feed(octets)

    async def finish(self) -> Evaluation:
        """The content is complete: what was found. Raises nothing but cancellation and bugs of ours."""
        checks = self._examiner.checks
        now = datetime.fromtimestamp(self._examiner.clock(), UTC)
        try:
            spf, helo = await _result(self._spf), await _result(self._helo)
            verdicts: tuple[dkim.DkimVerdict, ...] | None = None
            chain: arc.ArcVerdict | None = None
            plan, ring, hashes = self._plan, self._ring, self._hashes
            if plan is not None and ring is not None and hashes is not None:
                bodies = hashes.finish()
                if Check.DKIM in checks:
                    verdicts = await dkim.verify(plan, bodies, ring, now)
                if Check.ARC in checks:
                    chain = await arc.verify_chain(plan.chain, self._header, bodies, ring, now)
            return Evaluation(
                self.address,
                spf=spf,
                helo=helo,
                iprev=await _result(self._iprev),
                dnsbl=await _result(self._dnsbl) or (),
                null_mx=await self._null_mx if isinstance(self._null_mx, asyncio.Task) else self._null_mx,
                dkim=verdicts,
                unread_signatures=plan.unread if plan and Check.DKIM in checks else 0,
                arc=chain,
                author=self._author if Check.DMARC in checks else None,
                dmarc=await self._dmarc(spf, verdicts or ()),
                inner_client=self._inner_client,
                questions=sum(lookup.questions for lookup in self._lookups),
                crowded=any(lookup.crowded for lookup in self._lookups),
            )
        finally:
            self.drop()

    def drop(self) -> None:
        """End what still runs. May be called again."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    async def _dmarc(
        self, spf: SpfResult | None, verdicts: Sequence[dkim.DkimVerdict]
    ) -> DmarcVerdict | None:
        if not self._discoveries:
            return None
        # The other domains are asked about now, however long the body took.
        lookup = self._budget()
        found = [
            await dmarc.evaluate(lookup, await discovery, spf=spf, dkim=verdicts)
            for discovery in self._discoveries
        ]
        return dmarc.strictest(found)

    def _budget(self, max_questions: int | None = None) -> BudgetedLookup:
        deadline = asyncio.get_running_loop().time() + self._examiner.seconds
        lookup = (
            BudgetedLookup(self._examiner.lookup, deadline=deadline)
            if max_questions is None
            else BudgetedLookup(self._examiner.lookup, deadline=deadline, max_questions=max_questions)
        )
        self._lookups.append(lookup)
        return lookup

    def _start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        return task


async def _fetch(ring: KeyRing, plan: DkimPlan) -> None:
    await ring.fetch(plan.key_names)
    # After them: a chain with many keys must not take the questions of what decides.
    await ring.fetch(plan.chain.key_names)


def _known(task: asyncio.Task[_T] | None) -> _T | None:
    """What a task found, if it has by now."""
    if task is None or not task.done() or task.cancelled() or task.exception() is not None:
        return None
    return task.result()


async def _result(task: asyncio.Task[_T] | None) -> _T | None:
    return None if task is None else await task


def is_inner(address: IPv4Address | IPv6Address) -> bool:
    """Whether no stranger can have this address."""
    return any(address in network for network in INNER_NETWORKS)
