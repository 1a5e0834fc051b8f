"""What ``mxgw doctor`` mends after a yes: asks for each repair, carries it out, says how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import click

from mxgw.admin.cloud.host_certificate import RELOADS, reload_services
from mxgw.admin.cloud.settings import CLOUDFLARE_TOKEN
from mxgw.admin.patience import Patience
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_backup import back_up, place_of
from mxgw.cli.admin_call import Call
from mxgw.cli.admin_canary_record import write_record
from mxgw.cli.admin_certificate import renewed
from mxgw.cli.terminal import console, plain
from mxgw.watch.canary_record import Standing
from mxgw.watch.finding import Finding, Severity
from mxgw.watch.mending import Ended, bring_up, flush, relay_says
from mxgw.watch.repair import Act, Repair, repairs
from mxgw.watch.site import Site

QUESTIONS = {
    Act.UP: "ask-repair-up",
    Act.START: "ask-repair-start",
    Act.RESTART: "ask-repair-restart",
    Act.RENEW: "ask-repair-renew",
    Act.RELOAD: "ask-repair-reload",
    Act.FLUSH: "ask-repair-flush",
    Act.RECORD: "ask-repair-canary-record",
    Act.BACKUP: "ask-repair-backup",
}

WHYS = {
    "failed": "repair-failed",
    "ill": "repair-ill",
    "slow": "repair-slow",
    "left": "repair-left",
}
"""How a repair of mending.py may end badly."""


class State(StrEnum):
    """What became of one repair."""

    OFFERED = "offered"
    """Nobody was there to say yes."""
    DECLINED = "declined"
    DONE = "done"
    FAILED = "failed"


Outcome = tuple[State, str, tuple[str, ...]]
"""What became of it, the sentence that says so, evidence."""


@dataclass(frozen=True, slots=True)
class Told:
    """One repair, and how it ended."""

    repair: Repair
    question: str
    state: State
    message: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, object]:
        """For a program."""
        return {
            "repair": self.repair.act.value,
            "service": self.repair.service,
            "checks": list(self.repair.findings),
            "question": self.question,
            "state": self.state.value,
            "message": self.message,
            "evidence": list(self.evidence),
        }


class Mending:
    """The repairs of one call. ``look`` sees the house anew; each repair is asked for on what is so by then,
    for one that starts the database may be all that the others needed."""

    def __init__(
        self, call: Call, site: Site, look: Callable[[], list[Finding]], *, yes: bool, patience: Patience
    ) -> None:
        self._call = call
        self._site = site
        self._look = look
        self._yes = yes
        self._patience = patience
        self.told: list[Told] = []
        self.stopped = False
        """Whoever was asked wants no more questions."""

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return any(one.state in {State.DONE, State.FAILED} for one in self.told)

    def offered(self, findings: Sequence[Finding]) -> list[Told]:
        """What could be done, without a question."""
        return [Told(it, self._question(it), State.OFFERED) for it in self._repairs(findings)]

    def mended(self, findings: list[Finding]) -> list[Finding]:
        """Ask and mend until nothing is left to offer; what is so then."""
        while True:
            known = {one.repair.name for one in self.told}
            left = [it for it in self._repairs(findings) if it.name not in known]
            if not left:
                return findings
            try:
                told = self._one(left[0])
            except (click.Abort, Refused):
                # "Nothing was changed" would be wrong where something was: that is shown.
                if not self.changed:
                    raise
                click.echo(err=True)
                self.stopped = True
                return findings
            self.told.append(told)
            if told.state is not State.DECLINED:
                self._say(told)
                with self._waiting("repair-looking"):
                    findings = self._look()

    def _repairs(self, findings: Sequence[Finding]) -> list[Repair]:
        ill = any(one.key == "watch-queue-old" for one in findings if one.severity is not Severity.GOOD)
        return repairs(
            findings,
            relay_answers=bool(ill and relay_says(self._site.stack)),
            writes_dns=bool(self._site.get(CLOUDFLARE_TOKEN)),
        )

    def _question(self, repair: Repair) -> str:
        return self._call.words(_key(repair), name=_names(repair))

    def _one(self, repair: Repair) -> Told:
        question = self._question(repair)
        if not self._call.agreed(_key(repair), yes=self._yes, name=_names(repair)):
            return Told(repair, question, State.DECLINED)
        try:
            state, message, evidence = self._done(repair)
        except Refused as why:
            return Told(repair, question, State.FAILED, self._call.words(why.key, **why.facts))
        except KeyboardInterrupt:
            return Told(repair, question, State.FAILED, self._call.words("repair-interrupted"))
        return Told(repair, question, state, message, evidence)

    def _done(self, repair: Repair) -> Outcome:
        """Carry it out. Raises Refused."""
        match repair.act:
            case Act.RENEW:
                return self._renew()
            case Act.RELOAD:
                services = [repair.service] if repair.service else list(RELOADS)
                failed = reload_services(self._site.stack, services)
                lines = tuple(f"{name}: {said}" for name, said in failed.items())
                return self._ended(Ended("failed" if failed else "", lines), "repair-reloaded")
            case Act.FLUSH:
                with self._waiting("repair-flushing"):
                    return self._ended(flush(self._site.stack, self._patience), "repair-flushed")
            case Act.RECORD:
                return self._write_record()
            case Act.BACKUP:
                return self._back_up()
            case _:
                return self._bring_up(repair)

    def _bring_up(self, repair: Repair) -> Outcome:
        service = repair.service
        with self._waiting("repair-waiting", names=service or "docker compose up -d") as wait:
            ended = bring_up(self._site.stack, repair, self._patience, lambda names: wait(", ".join(names)))
        if service:
            return self._ended(ended, "repair-healthy", name=service)
        return self._ended(ended, "repair-all-healthy")

    def _renew(self) -> Outcome:
        words = self._call.words
        with self._waiting("repair-renewing"):
            standings, done = renewed(self._call, str(self._site.stack.directory), str(self._site.state))
        host, said = standings["host"], done.get("host", "")
        if host.why:
            return State.FAILED, host.why, ()
        # Tailscale has no newer one: nothing is mended.
        return (State.FAILED if said == words("certificate-same") else State.DONE), said, ()

    def _write_record(self) -> Outcome:
        outside, found = write_record(self._call, self._site, yes=self._yes, replace=False)
        state = State.DONE if found is Standing.PUBLISHED else State.FAILED
        return state, outside.parts["cloudflare"].message, tuple(outside.left)

    def _back_up(self) -> Outcome:
        made = back_up(self._call, place_of(self._call, str(self._site.stack.directory)), no_verify=False)
        facts = {"users": made.users, "messages": made.messages}
        return State.DONE, self._call.words("backup-made", name=made.path.name, **facts), ()

    def _ended(self, ended: Ended, well: str, **facts: str) -> Outcome:
        key = WHYS[ended.why] if ended.why else well
        state = State.FAILED if ended.why else State.DONE
        return state, self._call.words(key, **facts), ended.evidence

    def _say(self, told: Told) -> None:
        if self._call.as_json:
            return
        sign = "sign-done" if told.state is State.DONE else "sign-not-done"
        style = "green" if told.state is State.DONE else "bold red"
        text = f"{self._call.words(sign)} {plain(told.message)}"
        console().print(text, style=style, soft_wrap=True)
        for line in told.evidence:
            console().print(plain(self._call.words("evidence", text=line)), style="dim", soft_wrap=True)

    @contextmanager
    def _waiting(self, key: str, **facts: str) -> Iterator[Callable[[str], None]]:
        """A line that says what is waited for, for people; it takes the names of those who are still waited
        for."""
        if self._call.as_json:
            yield lambda _: None
            return
        with console(stderr=True).status(plain(self._call.words(key, **facts))) as status:
            yield lambda names: status.update(plain(self._call.words(key, names=names)))


def _key(repair: Repair) -> str:
    return "ask-repair-up-all" if repair.act is Act.UP and not repair.service else QUESTIONS[repair.act]


def _names(repair: Repair) -> str:
    return repair.service or ", ".join(RELOADS)
