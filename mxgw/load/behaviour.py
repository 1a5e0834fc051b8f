"""How a sink misbehaves: rules out of a script, and what they say at each stage of a session.

A rule in words, and the same in TOML (``[[rule]]``, keys as named here):

    content reply='451 4.3.0 Try again' rate=0.05        stage = "content"
    rcpt reply=550 match='nobody@*'                      act = "reply"
    content lose every=100 then=hang                     reply = "451 4.3.0 Try again"
    connect delay=0.1..0.5 rate=0.2                      rate = 0.05

At a stage the rules are asked in their order. Each ``delay`` that hits adds to the wait; the first other
rule that hits decides. The same seed and the same order of events give the same misbehaviour.
"""

from __future__ import annotations

import random
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase


class Stage(StrEnum):
    """Where in a session."""

    CONNECT = "connect"
    HELO = "helo"
    STARTTLS = "starttls"
    XCLIENT = "xclient"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    MIDDLE = "middle"
    CONTENT = "content"
    QUIT = "quit"


STAGE_MEANINGS: Mapping[Stage, str] = {
    Stage.CONNECT: "in place of the greeting",
    Stage.HELO: "EHLO, HELO, LHLO",
    Stage.STARTTLS: "STARTTLS",
    Stage.XCLIENT: "XCLIENT",
    Stage.MAIL: "MAIL",
    Stage.RCPT: "RCPT, once for each recipient",
    Stage.DATA: "DATA, or the first BDAT of a message",
    Stage.MIDDLE: "after the first octets of the content",
    Stage.CONTENT: "after the content: once, in LMTP once for each recipient",
    Stage.QUIT: "QUIT",
}


class Act(StrEnum):
    """What is done."""

    DELAY = "delay"
    REPLY = "reply"
    HANG = "hang"
    RESET = "reset"
    CLOSE = "close"
    GARBAGE = "garbage"
    HALF = "half"
    LOSE = "lose"


ACT_MEANINGS: Mapping[Act, str] = {
    Act.DELAY: "wait so many seconds (0.5, or 0.1..2 at random), then go on; in the middle: read nothing",
    Act.REPLY: "this reply instead: a code, or a code with text",
    Act.HANG: "say nothing more, keep the connection; in the middle: stop reading",
    Act.RESET: "end the connection with a TCP reset",
    Act.CLOSE: "close the connection without a word",
    Act.GARBAGE: "octets that are no reply; nothing is stored",
    Act.HALF: "the first half of the reply, then close; after the content the message is stored",
    Act.LOSE: "store the message, then close without the reply",
}

_ENDS = (Act.CLOSE, Act.RESET, Act.HANG)
_AT_CONTENT_ONLY = (Act.LOSE,)
_IN_THE_MIDDLE = (Act.DELAY, Act.REPLY, Act.HANG, Act.RESET, Act.CLOSE)
_MAY_END_OTHERWISE = (Act.LOSE, Act.HALF, Act.GARBAGE)
_REPLY = re.compile(r"([2-5]\d\d)(?: ([\x20-\x7e]+))?")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(?:\.\.(\d+(?:\.\d+)?))?")
_MAX_GARBAGE_OCTETS = 200
"""Longer than a reply line usually is: the client must look for an end that does not come."""


class RuleError(ValueError):
    """A rule that cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It hits with probability ``rate``, or at every ``every``-th event that it is asked about,
    and at most ``times`` times (0: without bound), in each process of its own.

    ``match`` is a shell pattern for recipients; a rule with it is asked only where one of them matches.
    ``seconds`` is the least and the longest wait of a delay. ``then`` is how the connection ends after
    ``lose``, ``half`` and ``garbage``; without it garbage lets the session go on.
    """

    stage: Stage
    act: Act
    seconds: tuple[float, float] = (0.0, 0.0)
    reply: str = ""
    rate: float = 1.0
    every: int = 0
    match: str = ""
    times: int = 0
    then: Act | None = None

    def __post_init__(self) -> None:
        for wrong, why in (
            (self.act in _AT_CONTENT_ONLY and self.stage is not Stage.CONTENT, "is for the stage content"),
            (self.act not in _IN_THE_MIDDLE and self.stage is Stage.MIDDLE, "cannot be in the middle"),
            (self.act is Act.DELAY and not 0 < self.seconds[1] >= self.seconds[0], "needs seconds"),
            (self.act is Act.REPLY and not _REPLY.fullmatch(self.reply), "needs a reply: 2xx to 5xx, ASCII"),
            (self.then is not None and self.act not in _MAY_END_OTHERWISE, "has no other end"),
            (self.then is not None and self.then not in _ENDS, "ends with close, reset or hang"),
            (not 0 <= self.rate <= 1, "has a rate from 0 to 1"),
            (self.every < 0 or self.times < 0, "counts from 0"),
            (bool(self.every) and self.rate != 1, "takes rate or every, not both"),
            (bool(self.match) and self.stage not in (Stage.RCPT, Stage.CONTENT), "knows no recipient here"),
        ):
            if wrong:
                raise RuleError(f"{self.stage} {self.act} {why}")

    @property
    def reply_line(self) -> str:
        """The scripted reply with a text, where the script gave only a code."""
        match = _REPLY.fullmatch(self.reply)
        if match is None or match[2]:
            return self.reply
        return self.reply if match[1][0] == "3" else f"{match[1]} {match[1][0]}.0.0 So says the script"

    def __str__(self) -> str:
        words = [self.stage.value, self.act.value]
        if self.act is Act.DELAY:
            least, most = self.seconds
            words[1] += f"={least:g}" + (f"..{most:g}" if most > least else "")
        if self.act is Act.REPLY:
            words[1] += f"={shlex.quote(self.reply)}"
        words += [f"rate={self.rate:g}"] if self.rate != 1 else []
        words += [f"every={self.every}"] if self.every else []
        words += [f"match={shlex.quote(self.match)}"] if self.match else []
        words += [f"times={self.times}"] if self.times else []
        words += [f"then={self.then.value}"] if self.then else []
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Decision:
    """Wait ``delay`` seconds, then do what ``rule`` says; None: behave."""

    delay: float = 0.0
    rule: Rule | None = None


BEHAVE = Decision()


class Behaviour:
    """The rules with their counters: one for each process."""

    def __init__(self, rules: Sequence[Rule], dice: random.Random) -> None:
        self._dice = dice
        self._rules = {stage: [one for one in rules if one.stage is stage] for stage in Stage}
        self._asked: dict[int, int] = {}
        self._hits: dict[int, int] = {}
        self.stages = frozenset(one.stage for one in rules)
        """Where there is anything to decide at all."""

    def decide(self, stage: Stage, recipients: Sequence[str] = ()) -> Decision:
        """What happens here."""
        delay = 0.0
        for rule in self._rules[stage]:
            if rule.match and not any(fnmatchcase(one, rule.match) for one in recipients):
                continue
            if not self._hit(rule):
                continue
            if rule.act is not Act.DELAY:
                return Decision(delay, rule)
            delay += self._dice.uniform(*rule.seconds)
        return Decision(delay) if delay else BEHAVE

    def garbage(self) -> bytes:
        """Octets that no client can take for a reply."""
        return b"\xff\x00" + self._dice.randbytes(self._dice.randint(1, _MAX_GARBAGE_OCTETS)) + b"\r\n"

    def _hit(self, rule: Rule) -> bool:
        key = id(rule)
        asked = self._asked[key] = self._asked.get(key, 0) + 1
        if rule.times and self._hits.get(key, 0) >= rule.times:
            return False
        hit = asked % rule.every == 0 if rule.every else rule.rate == 1 or self._dice.random() < rule.rate
        self._hits[key] = self._hits.get(key, 0) + hit
        return hit


def parse_rule(text: str) -> Rule:
    """A rule in words: ``STAGE ACT [key=value ...]``. Raises RuleError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RuleError(f"{text!r}: {error}") from error
    if len(words) < 2:
        raise RuleError(f"{text!r}: expected a stage and an act, for example: content lose rate=0.01")
    act, has_value, value = words[1].partition("=")
    values: dict[str, object] = {"stage": words[0], "act": act}
    if has_value:
        key = {"delay": "seconds", "reply": "reply"}.get(act)
        if key is None:
            raise RuleError(f"{text!r}: {act} takes no value")
        values[key] = value
    for word in words[2:]:
        key, is_pair, value = word.partition("=")
        if not is_pair or key in values:
            raise RuleError(f"{text!r}: {word!r} is no key=value, or there twice")
        values[key] = value
    return _rule(values, text)


def parse_script(text: str) -> list[Rule]:
    """The rules of a TOML script: an array of tables named ``rule``. Raises RuleError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"not TOML: {error}") from error
    rules = tables.pop("rule", [])
    if tables or not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
        raise RuleError("a script holds [[rule]] tables and nothing else")
    return [_rule(one, f"rule {number}") for number, one in enumerate(rules, 1)]


def _rule(values: Mapping[str, object], where: str) -> Rule:
    unknown = values.keys() - {one.name for one in fields(Rule)}
    if unknown:
        raise RuleError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    given = {key: str(value) for key, value in values.items()}
    if isinstance(pair := values.get("seconds"), list):
        given["seconds"] = "..".join(str(one) for one in pair)
    try:
        return Rule(
            stage=Stage(given.get("stage", "")),
            act=Act(given.get("act", "")),
            seconds=_seconds(given.get("seconds")),
            reply=given.get("reply", ""),
            rate=float(given.get("rate", 1)),
            every=int(given.get("every", 0)),
            match=given.get("match", ""),
            times=int(given.get("times", 0)),
            then=Act(given["then"]) if "then" in given else None,
        )
    except ValueError as error:
        raise RuleError(f"{where}: {error}") from error


def _seconds(text: str | None) -> tuple[float, float]:
    if text is None:
        return (0.0, 0.0)
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time; expected seconds, as in 0.5 or 0.1..2")
    return (float(match[1]), float(match[2] or match[1]))
