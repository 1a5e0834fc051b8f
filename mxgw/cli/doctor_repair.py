"""What ``mxgw doctor`` mends after a yes: asks for each repair, carries it out, says how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from mxgw.admin.cloud.host_certificate import RELOADS, reload_services
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_backup import back_up, place_of
from mxgw.cli.admin_call import Call
from mxgw.cli.admin_certificate import renewed
from mxgw.cli.terminal import console, plain
from mxgw.watch.finding import Finding, Severity
from mxgw.watch.mending import Ended, Patience, bring_up, flush, relay_says
from mxgw.watch.repair import CONTAINERS, Act, Repair, repairs
from mxgw.watch.site import Site

QUESTIONS = {
    Act.UP: "ask-repair-up",
    Act.START: "ask-repair-start",
    Act.RESTART: "ask-repair-restart",
    Act.RENEW: "ask-repair-renew",
    Act.RELOAD: "ask-repair-reload",
    Act.FLUSH: "ask-repair-flush",
    Act.BACKUP: "ask-repair-backup",
}

WHYS = {
    "failed": "repair-failed",
    "ill": "repair-ill",
    "slow": "repair-slow",
    "left": "repair-left",
    "same": "repair-same",
}
"""How a repair of mending.py may end badly."""


class State(StrEnum):
    """What became of one repair."""

    OFFERED = "offered"
    """Nobody was there to say yes."""
    DECLINED = "declined"
    DONE = "done"
    FAILED = "failed"


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
            told = self._one(left[0])
            self.told.append(told)
            if told.state is not State.DECLINED:
                self._say(told)
                with self._waiting("repair-looking"):
                    findings = self._look()

    def _repairs(self, findings: Sequence[Finding]) -> list[Repair]:
        ill = any(one.key == "watch-queue-old" for one in findings if one.severity is not Severity.GOOD)
        return repairs(findings, relay_answers=bool(ill and relay_says(self._site.stack)))

    def _question(self, repair: Repair) -> str:
        return self._call.words(_key(repair), name=_names(repair))

    def _one(self, repair: Repair) -> Told:
        question = self._question(repair)
        if not self._call.agreed(_key(repair), yes=self._yes, name=_names(repair)):
            return Told(repair, question, State.DECLINED)
        try:
            ended, message = self._done(repair)
        except Refused as why:
            return Told(repair, question, State.FAILED, self._call.words(why.key, **why.facts))
        if ended.why:
            message = self._call.words(WHYS[ended.why])
        return Told(repair, question, State.FAILED if ended.why else State.DONE, message, ended.evidence)

    def _done(self, repair: Repair) -> tuple[Ended, str]:
        """How it ended, and what is told where it ended well. Raises Refused."""
        words, stack = self._call.words, self._site.stack
        if repair.act in CONTAINERS:
            with self._waiting("repair-waiting", names=repair.service or "docker compose up -d") as wait:
                ended = bring_up(stack, repair, self._patience, lambda names: wait(", ".join(names)))
            service = repair.service
            return ended, words("repair-healthy", name=service) if service else words("repair-all-healthy")
        match repair.act:
            case Act.RENEW:
                directory, state = str(stack.directory), str(self._site.state)
                with self._waiting("repair-renewing"):
                    standings, done = renewed(self._call, directory, state)
                host = standings["host"]
                return Ended("same" if host.why else "", (host.why,) if host.why else ()), done.get(
                    "host", ""
                )
            case Act.RELOAD:
                services = [repair.service] if repair.service else list(RELOADS)
                failed = reload_services(stack, services)
                lines = tuple(f"{name}: {said}" for name, said in failed.items())
                return Ended("failed" if failed else "", lines), words("repair-reloaded")
            case Act.FLUSH:
                with self._waiting("repair-flushing"):
                    return flush(stack, self._patience), words("repair-flushed")
            case _:
                made = back_up(self._call, place_of(self._call, str(stack.directory)), no_verify=False)
                return Ended(), words(
                    "backup-made", name=made.path.name, users=made.users, messages=made.messages
                )

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
