"""What ``mxgw admin domain`` does outside the house: the edge's list, SendGrid, Cloudflare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mxgw.admin.cloud.aws import AwsAccount
from mxgw.admin.cloud.cloudflare import Cloudflare, Held, Zone
from mxgw.admin.cloud.edge_domains import EdgeDomains
from mxgw.admin.cloud.record_plan import Change, Step, plan
from mxgw.admin.cloud.sendgrid import SendGrid, SignedDomain, Validation
from mxgw.admin.cloud.settings import CloudSettings
from mxgw.admin.dns_records import Kind, Purpose, Record, Signed
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call
from mxgw.cli.admin_domain_records import change_facts, print_changes, put_text
from mxgw.cli.terminal import console, plain


class State(StrEnum):
    """How one part went."""

    DONE = "done"
    THERE = "there"
    """Nothing was left to do."""

    OFF = "off"
    """No key of ours: it is for people."""

    LEFT = "left"
    """It could be done, and was not."""


@dataclass(slots=True)
class Part:
    """What became of one part; ``left`` is what somebody has to do now."""

    state: State
    message: str
    left: tuple[str, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)


STYLES = {State.DONE: "green", State.THERE: "green", State.OFF: "dim", State.LEFT: "yellow"}


class Outside:
    """The parts of one call, each tried for itself: one that fails leaves the others to be done."""

    def __init__(self, call: Call, settings: CloudSettings, *, again: str = "") -> None:
        """``again`` is the command that writes what nobody said yes to; "": that which adds the domain."""
        self._call = call
        self._settings = settings
        self._again = again
        self.parts: dict[str, Part] = {}

    @property
    def facts(self) -> dict[str, object]:
        """For a program."""
        return {
            name: {"state": part.state.value, "message": part.message, **part.facts}
            for name, part in self.parts.items()
        }

    @property
    def left(self) -> list[str]:
        """What is to be done by hand."""
        return [text for part in self.parts.values() for text in part.left]

    def note(self, name: str, part: Part) -> None:
        """Remember it, and tell people at once. What was left makes the exit code 1."""
        self.parts[name] = part
        if part.state is State.LEFT:
            self._call.incomplete = True
        if not self._call.as_json:
            sign = self._call.words(f"level-{part.state}")
            console().print(f"[{sign}] {plain(part.message)}", style=STYLES[part.state], soft_wrap=True)

    # -- the edge -----------------------------------------------------------------------------------------

    def add_to_edge(self, domain: str) -> None:
        """The edge takes mail for it within a minute or two."""
        self._edge("edge-added", "edge-there", "edge-add-by-hand", domain, lambda edge: edge.add(domain))

    def take_from_edge(self, domain: str) -> None:
        """The edge turns mail for it away."""
        self._edge(
            "edge-removed", "edge-gone", "edge-remove-by-hand", domain, lambda edge: edge.remove(domain)
        )

    def _edge(
        self, done: str, there: str, by_hand: str, domain: str, act: Callable[[EdgeDomains], bool]
    ) -> None:
        words, settings = self._call.words, self._settings
        parameter = settings.domains_parameter
        if not parameter:
            hint = words(by_hand, domain=domain, parameter="MXGW_DOMAINS")
            self.note("edge", Part(State.OFF, words("edge-off"), (hint,)))
            return
        try:
            changed = act(EdgeDomains(AwsAccount(settings.aws), parameter))
        except Refused as why:
            self.note("edge", self._failed(why, words(by_hand, domain=domain, parameter=parameter)))
            return
        state, key = (State.DONE, done) if changed else (State.THERE, there)
        self.note("edge", Part(state, words(key, domain=domain, parameter=parameter)))

    # -- SendGrid -----------------------------------------------------------------------------------------

    def sign(self, domain: str) -> SignedDomain | None:
        """Have SendGrid sign for it; the domain as SendGrid has it."""
        words = self._call.words
        if not self._settings.sendgrid_key:
            self.note("sendgrid", Part(State.OFF, words("sendgrid-off")))
            return None
        sendgrid = self._sendgrid()
        try:
            known = known_at(sendgrid, domain)
            signed = known or sendgrid.authenticate(domain)
        except Refused as why:
            self.note("sendgrid", self._failed(why, words("sendgrid-by-hand", domain=domain)))
            return None
        state = State.THERE if known else State.DONE
        key = "sendgrid-valid" if signed.valid else "sendgrid-there" if known else "sendgrid-made"
        self.note("sendgrid", Part(state, words(key, domain=domain), facts={"valid": signed.valid}))
        return signed

    def validate(self, signed: SignedDomain) -> None:
        """Have SendGrid look at DNS, now that the records stand there."""
        words, domain = self._call.words, signed.domain
        try:
            found = self._sendgrid().validate(signed)
        except Refused as why:
            self.note("validation", self._failed(why, words("sendgrid-validate-later", domain=domain)))
            return
        self.note("validation", validation_part(self._call, domain, found))

    def _sendgrid(self) -> SendGrid:
        return SendGrid(self._settings.sendgrid_key, base=self._settings.sendgrid_url)

    # -- Cloudflare ---------------------------------------------------------------------------------------

    def write(self, domain: str, wanted: Sequence[Record], *, yes: bool, replace: bool) -> bool:
        """As ``put``, for the records that a domain needs."""
        return self.put(domain, lambda held: plan(domain, wanted, held), yes=yes, replace=replace)

    def put(
        self, domain: str, planned: Callable[[list[Held]], list[Change]], *, yes: bool, replace: bool
    ) -> bool:
        """Show what would change, ask, and change it; whether every record that we know stands there now."""
        words = self._call.words
        if not self._settings.cloudflare_token:
            self.note("cloudflare", Part(State.OFF, words("cloudflare-off")))
            return False
        cloudflare = Cloudflare(self._settings.cloudflare_token, base=self._settings.cloudflare_url)
        try:
            zone = cloudflare.zone(domain)
            changes = planned(cloudflare.records(zone))
        except Refused as why:
            self.note("cloudflare", self._failed(why, words("cloudflare-by-hand", domain=domain)))
            return False
        if not self._call.as_json:
            self._call.say("plan-intro", zone=zone.name)
            print_changes(self._call, changes)
        chosen = self._chosen(changes, yes=yes, replace=replace)
        self.note("cloudflare", self._applied(cloudflare, zone, domain, changes, chosen))
        missing = [it for it in changes if it.step in _WRITTEN and it not in chosen]
        return not missing and self.parts["cloudflare"].state is not State.LEFT

    def _chosen(self, changes: Sequence[Change], *, yes: bool, replace: bool) -> list[Change]:
        """Those that were said yes to. Nothing of others is lost without a yes of its own."""
        harmless = [it for it in changes if it.step in {Step.CREATE, Step.CHANGE}]
        if harmless and not self._call.agreed("ask-write-records", yes=yes, count=len(harmless)):
            return []
        strangers = [it for it in changes if it.step is Step.REPLACE]
        return harmless + [
            it
            for it in strangers
            if self._call.agreed("ask-replace-record", yes=replace, record=put_text(it.put))
        ]

    def _applied(
        self, cloudflare: Cloudflare, zone: Zone, domain: str, changes: list[Change], chosen: list[Change]
    ) -> Part:
        words = self._call.words
        facts: dict[str, object] = {"changes": [change_facts(self._call, it) for it in changes]}
        written = 0
        for change in chosen:
            try:
                _apply(cloudflare, zone, change)
            except Refused as why:
                part = self._failed(why, words("cloudflare-by-hand", domain=domain))
                part.facts |= {**facts, "written": written}
                return part
            written += 1
        facts["written"] = written
        unwritten = [it for it in changes if it.step in _WRITTEN and it not in chosen]
        if unwritten:
            strangers = all(it.step is Step.REPLACE for it in unwritten)
            key = "cloudflare-needs-replace" if strangers else "cloudflare-needs-yes"
            records = "; ".join(put_text(it.put) for it in unwritten)
            message = words("cloudflare-left", written=written, count=len(unwritten))
            again = self._again or f"mxgw admin domain add {domain}"
            return Part(State.LEFT, message, (words(key, command=again, records=records),), facts)
        left = tuple(
            words("cloudflare-rest-by-hand", record=put_text(it.put), why=words(it.why))
            for it in changes
            if it.step is Step.BY_HAND
        )
        if not written:
            return Part(State.THERE, words("cloudflare-there", zone=zone.name), left, facts)
        return Part(State.DONE, words("cloudflare-written", zone=zone.name, count=written), left, facts)

    def _failed(self, why: Refused, left: str) -> Part:
        return Part(State.LEFT, self._call.words(why.key, **why.facts), (left,), {"error": why.key})


_WRITTEN = frozenset({Step.CREATE, Step.CHANGE, Step.REPLACE})


def _apply(cloudflare: Cloudflare, zone: Zone, change: Change) -> None:
    """In an order in which mail has somewhere to go all the time, where DNS allows it."""
    if change.change is not None:
        cloudflare.change(zone, change.change, change.put)
    for one in change.drop:
        cloudflare.delete(zone, one.id)
    if change.change is None:
        # After the others: an alias and another record cannot stand at one name.
        cloudflare.create(zone, change.put)


def known_at(sendgrid: SendGrid, domain: str) -> SignedDomain | None:
    """The domain at SendGrid; where there are several tries, the one that works."""
    found = [it for it in sendgrid.domains() if it.domain == domain]
    return next((it for it in found if it.valid), found[-1] if found else None)


def signed_records(signed: SignedDomain | None) -> list[Signed]:
    """The records that SendGrid asks for, those of the kinds that we know."""
    if signed is None:
        return []
    return [
        Signed(
            Purpose.DKIM if it.part.startswith("dkim") else Purpose.RETURN_PATH,
            Kind(it.kind),
            it.host,
            it.content,
        )
        for it in signed.records
        if it.kind in set(Kind)
    ]


def validation_part(call: Call, domain: str, found: Validation) -> Part:
    """What SendGrid's look at DNS came to."""
    words = call.words
    if found.valid:
        return Part(State.DONE, words("sendgrid-valid", domain=domain), facts={"valid": True})
    reasons = "; ".join(f"{part}: {reason}" for part, reason in found.reasons.items())
    return Part(
        State.LEFT,
        words("sendgrid-invalid", domain=domain, reasons=reasons or "-"),
        (words("sendgrid-validate-later", domain=domain),),
        {"valid": False, "reasons": found.reasons},
    )
