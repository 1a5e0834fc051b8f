"""One round of the watch: look, judge, remember, tell. The only place where these meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mxgw.admin.words import Words
from mxgw.watch.channels import Channel, Undelivered
from mxgw.watch.facts import Containers, Disk, Unseen
from mxgw.watch.finding import Fact, Finding, Severity, bad, good, warning
from mxgw.watch.judge import judged
from mxgw.watch.memory import Memory, Notice, Occasion, after, awake_since, sampled
from mxgw.watch.telling import clock, text_of
from mxgw.watch.waiting import Mail, Waiting


@dataclass(frozen=True, slots=True)
class Round:
    """What one round was like: what is remembered from now on."""

    memory: Memory

    @property
    def bad(self) -> bool:
        """Whether something is to be mended."""
        return any(one.severity is Severity.BAD for one in self.memory.findings)


def one_round(
    memory: Memory,
    seen: Mapping[str, Any],
    *,
    clock_says: Waiting | Unseen | None,
    channels: Sequence[Channel],
    words: Words,
    now: float,
    save: Callable[[Memory], None] = lambda _: None,
) -> Round:
    """Judge what was seen, and tell whoever is to be told. ``save`` is called before anything is sent."""
    memory = sampled(memory, _numbers(seen), now=now)
    names = [one.name for one in channels]
    findings = found(memory, seen, clock_says=clock_says, channels=names, now=now)
    memory = after(memory, findings, names, now=now)
    save(memory)
    return Round(told(memory, channels, words))


def found(
    memory: Memory,
    seen: Mapping[str, Any],
    *,
    clock_says: Waiting | Unseen | None,
    channels: Sequence[str],
    now: float,
) -> list[Finding]:
    """What is so, by what was seen now and by what is remembered. Pure; ``channels`` by their names."""
    findings = judged(seen, memory.samples, now=now, awake_since=awake_since(memory, now=now))
    findings += [*_clock_findings(clock_says), _state_finding(memory.unwritable)]
    return findings + [_channel_finding(name, memory.failed.get(name, "")) for name in channels]


def told(memory: Memory, channels: Sequence[Channel], words: Words) -> Memory:
    """Bring what is pending to each channel; what it does not take stays pending, and is remembered."""
    failed: dict[str, str] = {}
    pending = list(memory.pending)
    for channel in channels:
        mine = [index for index, notice in enumerate(pending) if channel.name in notice.to]
        if not mine:
            if channel.name in memory.failed:
                failed[channel.name] = memory.failed[channel.name]
            continue
        try:
            # In one message: whose disk is full has six things to hear of at once.
            channel.send(*text_of([pending[index] for index in mine], words, room=channel.room))
        except Undelivered as why:
            failed[channel.name] = str(why)
            continue
        except Exception as error:  # noqa: BLE001 - whatever one trips over, the others are told
            failed[channel.name] = type(error).__name__
            continue
        for index in mine:
            left = tuple(name for name in pending[index].to if name != channel.name)
            pending[index] = replace(pending[index], to=left)
    known = {channel.name for channel in channels}
    kept = tuple(notice for notice in pending if known & set(notice.to))
    return replace(memory, pending=kept, failed=failed)


def trial(name: str, *, now: float) -> Notice:
    """What ``alert test`` sends."""
    return Notice(Occasion.TEST, good("test", "watch-test"), now, now, (name,))


def _numbers(seen: Mapping[str, Any]) -> Iterable[tuple[str, float]]:
    """What is sampled: free space, and Docker's counts of restarts."""
    for facts in seen.values():
        if isinstance(facts, Containers):
            for name, count in facts.restarts.items():
                yield f"restarts-{name}", count
        elif isinstance(facts, tuple):
            for one in facts:
                if isinstance(one, Disk):
                    yield f"free-{one.path}", one.free


def _channel_finding(name: str, why: str) -> Finding:
    if why:
        return warning(f"notice-{name}", "watch-notice-failed", "watch-notice-mend", why, channel=name)
    return good(f"notice-{name}", "watch-notice-well", channel=name)


def _state_finding(why: str) -> Finding:
    if why:
        return bad("state", "watch-state-unwritable", "watch-state-mend", why=why)
    return good("state", "watch-state-well")


def _clock_findings(says: Waiting | Unseen | None) -> list[Finding]:
    if says is None:
        return []
    if isinstance(says, Unseen):
        return [warning("probe-waiting", "watch-unseen", "watch-unseen-mend", says.why, name="waiting")]
    return [good("probe-waiting", "watch-seen", name="waiting"), _waiting(says), _lost(says)]


def _waiting(says: Waiting) -> Finding:
    first = says.first_gives_up_at
    counts: dict[str, Fact] = {
        "mails": len(says.mails),
        "senders": says.senders,
        "give_up": clock(first) if first else "-",
    }
    lines = [mail_line(mail) for mail in says.mails]
    if says.away_since is not None:
        return bad("waiting", "watch-away", "watch-away-mend", *lines, since=clock(says.away_since), **counts)
    if says.mails:
        return warning("waiting", "watch-waiting", "watch-waiting-mend", *lines, **counts)
    return good("waiting", "watch-all-arrived", arrived=len(says.arrived))


def _lost(says: Waiting) -> Finding:
    if says.lost:
        lines = [mail_line(mail) for mail in says.lost]
        return bad("waiting-lost", "watch-lost", "watch-lost-mend", *lines, mails=len(says.lost))
    return good("waiting-lost", "watch-none-lost")


def mail_line(mail: Mail) -> str:
    """One mail in a line of evidence."""
    whom = ", ".join(mail.recipients) or "?"
    return f"{clock(mail.first_at)} {mail.sender or '<>'} ({mail.client}) -> {whom}, {mail.attempts}x"
