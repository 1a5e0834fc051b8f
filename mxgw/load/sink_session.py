"""One session with the sink: SMTP (RFC 5321) or LMTP (RFC 2033), as quick as Python allows.

Extensions: PIPELINING (RFC 2920), CHUNKING (RFC 3030), 8BITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, SIZE,
STARTTLS (RFC 3207) and, in LMTP, XCLIENT as Dovecot has it. Every address exists. Where the script has
nothing to say about a stage, it is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from mxgw.load.behaviour import BEHAVE, Act, Decision, Rule, Stage
from mxgw.load.ledger import Entry, State, state_of
from mxgw.load.sink_content import Content
from mxgw.load.sink_wire import Door, Wire

MAX_LINE_OCTETS = 64 * 1024
"""RFC 5321 section 4.5.3.1.4 asks for 512; XCLIENT and SMTPUTF8 have longer ones. Kept in memory."""

MAX_RECIPIENTS = 10_000
"""RFC 5321 section 4.5.3.1.8 asks for 100; a load test may want more, memory must not be filled."""

_PATH = re.compile(rb'(?:FROM|TO):[ \t]*<((?:"(?:\\.|[^"\\])*"|[^">])*)>(?: .*)?', re.IGNORECASE)
_BDAT = re.compile(rb"(\d{1,18})( LAST)?[ \t]*", re.IGNORECASE)

_OK = b"250 2.0.0 OK"
_STORED = b"250 2.0.0 Stored"
_BAD_SEQUENCE = b"503 5.5.1 Bad sequence of commands"
_SYNTAX = b"501 5.5.4 Syntax error in parameters"

Command: TypeAlias = Callable[[bytes], None]


class Session(Wire):
    """See the module."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._greeted = False
        self._commands: dict[bytes, tuple[Stage | None, Command]] = {
            b"MAIL": (Stage.MAIL, self._mail),
            b"RCPT": (Stage.RCPT, self._rcpt),
            b"DATA": (Stage.DATA, self._data),
            b"BDAT": (None, self._bdat),
            b"RSET": (None, self._rset),
            b"NOOP": (None, self._noop),
            b"VRFY": (None, self._vrfy),
            b"QUIT": (Stage.QUIT, self._quit),
            b"STARTTLS": (Stage.STARTTLS, self._starttls),
        }
        if door.lmtp:
            self._commands[b"LHLO"] = (Stage.HELO, self._ehlo)
            self._commands[b"XCLIENT"] = (Stage.XCLIENT, self._xclient)
        else:
            self._commands[b"EHLO"] = (Stage.HELO, self._ehlo)
            self._commands[b"HELO"] = (Stage.HELO, self._helo)
        self._reset()

    def _reset(self) -> None:
        """Forget the transaction."""
        self._has_sender = False
        self._recipients: list[str] = []
        self._content: Content | None = None
        self._dotted = False
        """The octets that come are content of DATA."""
        self._in_chunk = False
        """They are content of BDAT, so many, and so it ends:"""
        self._chunk_octets = 0
        self._last_chunk = False
        self._chunk_rule: Rule | None = None
        self._failed = False
        """A BDAT was refused: those that follow are read and refused too (RFC 3030 section 2)."""
        self._middle_asked = False

    def greet(self) -> None:
        """The script may have another greeting."""
        self._stage(Stage.CONNECT, self._greeting, b"")

    def secured(self) -> None:
        """RFC 3207 section 4.2: nothing said in clear counts any more."""
        self._greeted = False
        self._reset()

    def consume(self, octets: bytes) -> bytes:
        """Command lines and content, one after another."""
        place = 0
        while place < len(octets) and not self.held and not self.over:
            if self._dotted or self._in_chunk:
                octets, place = self._read_content(octets[place:] if place else octets), 0
                continue
            end = octets.find(b"\n", place)
            if end < 0:
                if len(octets) - place > MAX_LINE_OCTETS:
                    self._say(b"500 5.5.2 Line too long")
                    self.end(Act.CLOSE)
                break
            line = octets[place:end].removesuffix(b"\r")
            place = end + 1
            self._line(line)
        return b"" if self.over else octets[place:]

    # -- commands

    def _line(self, line: bytes) -> None:
        word, _, rest = line.partition(b" ")
        stage, command = self._commands.get(word.upper(), (None, self._unknown))
        if stage is None:
            command(rest)
        else:
            self._stage(stage, command, rest)

    def _stage(self, stage: Stage, command: Command, rest: bytes) -> None:
        if stage not in self.door.behaviour.stages:
            command(rest)
            return
        path = _path(rest) if stage is Stage.RCPT else None
        decision = self._decide(stage, [path] if path else [])
        self.after(decision.delay, partial(self._act, decision.rule, partial(command, rest)))

    def _say(self, reply: bytes) -> None:
        self.door.tally.replies[reply[:3].decode("ascii")] += 1
        self.write(reply + b"\r\n")

    def _greeting(self, rest: bytes) -> None:
        protocol = "LMTP" if self.door.lmtp else "ESMTP"
        self._say(f"220 {self.door.hostname} {protocol} mxgw load sink".encode())

    def _ehlo(self, rest: bytes) -> None:
        self._helo_reset()
        words = ["PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE"]
        words += ["STARTTLS"] if self.door.tls and not self.encrypted else []
        words += ["XCLIENT ADDR PORT PROTO HELO LOGIN SESSION TTL TIMEOUT"] if self.door.lmtp else []
        *lines, last = [self.door.hostname, *words]
        self._say("".join([*(f"250-{line}\r\n" for line in lines), f"250 {last}"]).encode())

    def _helo(self, rest: bytes) -> None:
        self._helo_reset()
        self._say(f"250 {self.door.hostname}".encode())

    def _helo_reset(self) -> None:
        self._reset()
        self._greeted = True

    def _mail(self, rest: bytes) -> None:
        if not self._greeted or self._has_sender:
            self._say(_BAD_SEQUENCE)
        elif _path(rest) is None:
            self._say(_SYNTAX)
        else:
            self._has_sender = True
            self._say(b"250 2.1.0 OK")

    def _rcpt(self, rest: bytes) -> None:
        path = _path(rest)
        if not self._has_sender:
            self._say(_BAD_SEQUENCE)
        elif not path:
            self._say(_SYNTAX)
        elif len(self._recipients) >= MAX_RECIPIENTS:
            self._say(b"452 4.5.3 Too many recipients")
        else:
            self._recipients.append(path)
            self._say(b"250 2.1.5 OK")

    def _data(self, rest: bytes) -> None:
        if not self._recipients or self._content or self._failed:
            self._say(_BAD_SEQUENCE)
            return
        self._content = Content(hashing=self.door.hashing)
        self._dotted = True
        self._say(b"354 End data with <CR><LF>.<CR><LF>")

    def _bdat(self, rest: bytes) -> None:
        match = _BDAT.fullmatch(rest)
        if match is None:
            self._say(_SYNTAX)
            self.end(Act.CLOSE)  # nobody knows whether commands or content come next
            return
        decision = BEHAVE
        if self._content is None and not self._failed:
            if Stage.DATA in self.door.behaviour.stages:
                decision = self._decide(Stage.DATA)
            self._failed = not self._recipients or decision.rule is not None
            self._content = None if self._failed else Content(hashing=self.door.hashing)
        self._in_chunk = True
        self._chunk_octets = int(match[1])
        self._last_chunk = bool(match[2])
        self._chunk_rule = decision.rule
        self.after(decision.delay, self._begin_chunk)

    def _rset(self, rest: bytes) -> None:
        self._reset()
        self._say(_OK)

    def _noop(self, rest: bytes) -> None:
        self._say(_OK)

    def _vrfy(self, rest: bytes) -> None:
        self._say(b"252 2.5.0 Send it and see")

    def _unknown(self, rest: bytes) -> None:
        self._say(b"500 5.5.1 Unknown command")

    def _quit(self, rest: bytes) -> None:
        self._say(b"221 2.0.0 Goodbye")
        self.end(Act.CLOSE)

    def _xclient(self, rest: bytes) -> None:
        self._reset()
        self._greeted = False
        self._greeting(rest)

    def _starttls(self, rest: bytes) -> None:
        if not self.door.tls or self.encrypted:
            self._say(_BAD_SEQUENCE)
            return
        self._say(b"220 2.0.0 Go ahead")
        self.start_tls(self.door.tls)

    # -- misbehaving

    def _decide(self, stage: Stage, recipients: Sequence[str] = ()) -> Decision:
        decision = self.door.behaviour.decide(stage, recipients)
        if decision.delay:
            self.door.tally.acts[f"{stage.value} {Act.DELAY.value}"] += 1
        return decision

    def _act(self, rule: Rule | None, behave: Callable[[], None]) -> None:
        """Do what the rule says, or ``behave``."""
        if rule is None:
            behave()
            return
        self._note(rule)
        match rule.act:
            case Act.REPLY:
                reply = rule.reply_line.encode("ascii")
                if reply[:1] in b"23":
                    self.take_back(behave)
                self._scripted(reply)
            case Act.GARBAGE:
                self._garbage(rule)
            case Act.HALF:
                self._half(self.take_back(behave), rule)
            case _:
                self.end(rule.act)

    def _scripted(self, reply: bytes) -> None:
        self._say(reply)
        if reply.startswith(b"421"):  # RFC 5321 section 3.8: the connection is closed after it
            self.end(Act.CLOSE)

    def _garbage(self, rule: Rule) -> None:
        self.write(self.door.behaviour.garbage())
        if rule.then:
            self.end(rule.then)

    def _half(self, reply: bytes, rule: Rule) -> None:
        self.write(reply[: len(reply) // 2])
        self.end(rule.then or Act.CLOSE)

    def _note(self, rule: Rule) -> None:
        self.door.tally.acts[f"{rule.stage.value} {rule.act.value}"] += 1

    # -- content

    def _read_content(self, octets: bytes) -> bytes:
        """Take the part that is content; gives the rest, all of it where the script has us wait."""
        if self._content and not self._middle_asked and Stage.MIDDLE in self.door.behaviour.stages:
            self._middle_asked = True
            decision = self._decide(Stage.MIDDLE)
            self.after(decision.delay, partial(self._act_in_the_middle, decision.rule))
            return octets
        if self._dotted:
            return self._read_dotted(octets)
        own, rest = octets[: self._chunk_octets], octets[self._chunk_octets :]
        self._chunk_octets -= len(own)
        if self._content:
            self._content.take(own)
        if not self._chunk_octets:
            self._chunk_is_over()
        return rest

    def _act_in_the_middle(self, rule: Rule | None) -> None:
        if rule is None:
            return
        self._note(rule)
        if rule.act is Act.REPLY:
            self._say(rule.reply_line.encode("ascii"))
            self.end(Act.CLOSE)
            return
        if rule.act is Act.HANG:
            self.pause()
        self.end(rule.act)

    def _read_dotted(self, octets: bytes) -> bytes:
        rest = self._content.data(octets) if self._content else None
        if rest is None:
            return b""
        self._dotted = False
        self._content_is_over()
        return rest

    def _begin_chunk(self) -> None:
        if not self._chunk_octets:
            self._chunk_is_over()

    def _chunk_is_over(self) -> None:
        self._in_chunk = False
        last = self._last_chunk
        if self._failed:
            answer = partial(self._say, _OK if self._chunk_rule else _BAD_SEQUENCE)
            self._act(self._chunk_rule, answer)
            if last:
                self._reset()
        elif last:
            self._content_is_over()
        else:
            self._say(b"250 2.0.0 Chunk taken")

    def _content_is_over(self) -> None:
        lmtp = self.door.lmtp
        groups = [[one] for one in self._recipients] if lmtp else [self._recipients]
        if Stage.CONTENT not in self.door.behaviour.stages:
            self._settle(groups, [None] * len(groups))
            return
        decisions = [self._decide(Stage.CONTENT, group) for group in groups]
        wait = sum(decision.delay for decision in decisions)
        self.after(wait, partial(self._settle, groups, [decision.rule for decision in decisions]))

    def _settle(self, groups: Sequence[Sequence[str]], rules: Sequence[Rule | None]) -> None:
        """Keep the message, or not, and answer for each group of recipients."""
        kept = False
        for place, (group, rule) in enumerate(zip(groups, rules, strict=True)):
            if rule is None:
                kept = True
                self._record(group, State.ACKNOWLEDGED, 250)
                self._say(_STORED)
                continue
            self._note(rule)
            if rule.act in (Act.LOSE, Act.HALF):
                kept = True
                for unanswered in groups[place:]:
                    self._record(unanswered, State.UNKNOWN, 0)
                self._half(_STORED if rule.act is Act.HALF else b"", rule)
            elif rule.act is Act.GARBAGE:
                self._garbage(rule)
            elif rule.act is Act.REPLY:
                reply = rule.reply_line.encode("ascii")
                state = state_of(int(reply[:3]))
                self._record(group, State.DEFERRED if state is State.UNKNOWN else state, int(reply[:3]))
                kept = kept or state is State.ACKNOWLEDGED
                self._scripted(reply)
            else:
                self.end(rule.act)
            if self.over:
                break
        self._count(kept=kept)
        self._reset()

    def _record(self, recipients: Sequence[str], state: State, code: int) -> None:
        tally = self.door.tally
        match state:
            case State.ACKNOWLEDGED:
                tally.copies += len(recipients)
            case State.UNKNOWN:
                tally.copies += len(recipients)
                tally.unanswered += len(recipients)
            case State.REFUSED:
                tally.refused += len(recipients)
            case State.DEFERRED:
                tally.deferred += len(recipients)
        if self.door.ledger and (content := self._content):
            now, identity, body_hash = self.door.clock(), content.identity, content.hash
            self.door.record(
                [Entry(identity, one, body_hash, content.body_octets, state, code, now) for one in recipients]
            )

    def _count(self, *, kept: bool) -> None:
        content, tally = self._content, self.door.tally
        if content:
            tally.messages += kept
            tally.octets += content.octets
            tally.without_id += not content.identity
            tally.altered += bool(content.hash and content.stated_hash not in ("", content.hash))


def _path(rest: bytes) -> str | None:
    """The address in FROM:<...> or TO:<...>; "" is the null reverse-path, None no address at all."""
    match = _PATH.fullmatch(rest)
    return match[1].decode(errors="replace") if match else None
