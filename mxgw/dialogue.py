"""One mail transaction with home as a pure object: which command gets which reply, and what it means.

Sources: RFC 2033 section 4.2 (one reply per accepted recipient), RFC 2920 section 3.1 (which replies a
pipelining client must expect), RFC 3030 section 2 (BDAT in a pipeline). A channel moves the octets.

Every reply is counted: after ``finished`` without ``odd`` the connection is exactly between two
transactions and may carry the next one; with ``odd`` it must be closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

from mxgw import lmtp
from mxgw.envelope import ForwardPath, MailParameters, ReversePath
from mxgw.outcome import HomeAnswer, Trouble
from mxgw.reply import Reply

_NEEDS_SMTPUTF8 = HomeAnswer(
    Reply.of(550, "5.6.7", "This mailbox's server takes no non-ASCII addresses #M39")
)
_UNSAFE_PATH = HomeAnswer(Reply.of(550, "5.1.3", "No mailbox has such an address #M34"))

_ABOUT_THE_COMMAND = frozenset({500, 502, 503})
"""RFC 5321 section 4.2.2: unknown command, not implemented, bad sequence. These speak of our dialogue, not
of a recipient or a content, wherever they come: passed on, they would make a sender bounce good mail."""


class Purpose(IntEnum):
    """Why home is talked to."""

    ASK = auto()
    DELIVER = auto()


@dataclass(frozen=True, slots=True)
class Prelude:
    """Commands before MAIL: RSET after a transaction that was left open, XCLIENT with the LHLO it asks for.

    They leave in one write with what follows. RFC 2920 section 3.1 wants LHLO to be the last command of a
    group; Dovecot reads on after it (measured), and every message is spared a round trip.

    ``another_client``: an earlier XCLIENT on this connection named somebody else.
    """

    reset: bool = False
    xclient: bytes = b""
    lhlo: bytes = b""
    another_client: bool = False


NO_PRELUDE = Prelude()


class Dialogue:
    """MAIL, RCPT for each path, then RSET (ask) or the content (deliver).

    Feed replies to ``receive`` and send what it returns. When ``content_due`` turns True, send the content
    (dot-stuffed and ended if ``stuffed``), then call ``content_sent``.
    """

    def __init__(
        self,
        purpose: Purpose,
        extensions: lmtp.Extensions,
        reverse_path: ReversePath,
        forward_paths: Sequence[ForwardPath],
        parameters: MailParameters,
        octets: int = 0,
        prelude: Prelude = NO_PRELUDE,
    ) -> None:
        self.finished = False
        self.odd = False
        self.begun = False
        """A reply of this transaction has come; a 421 before it may belong to the idle time."""
        self.content_due = False
        self.stuffed = not extensions.chunking
        self.hopeless = False
        """No recipient is left that could take the content: streaming it is a waste."""
        self.trouble: Trouble | None = None
        self.detail = ""
        """What home said when it was not about a recipient, for the operator."""
        self.left_open = False
        """Home may still have the transaction open: RSET comes before the next."""
        self.xclient_accepted: bool | None = None
        """None: not said, or not answered."""
        self.lhlo_reply: Reply | None = None

        self._purpose = purpose
        self._octets = octets
        self._pipelining = extensions.pipelining
        self._misattributed = False
        self._content_sent = False
        self._answers: list[HomeAnswer | None] = [None] * len(forward_paths)
        self._asked: deque[int] = deque()
        self._accepted: deque[int] = deque()
        self.prelude = prelude
        self._steps: deque[tuple[bytes, Callable[[Reply], bytes]]] = deque()
        self._expected: deque[Callable[[Reply], bytes]] = deque()
        self._plan(extensions, reverse_path, forward_paths, parameters)

    def _plan(
        self,
        extensions: lmtp.Extensions,
        reverse_path: ReversePath,
        forward_paths: Sequence[ForwardPath],
        parameters: MailParameters,
    ) -> None:
        steps = self._steps
        if self.prelude.reset:
            steps.append((b"RSET\r\n", self._on_reset))
        if self.prelude.xclient:
            steps.append((self.prelude.xclient, self._on_xclient))
            steps.append((self.prelude.lhlo, self._on_lhlo))
        size = None if self._purpose is Purpose.ASK else self._octets
        steps.append((lmtp.mail(reverse_path, parameters, size, extensions), self._on_mail))
        for index, path in enumerate(forward_paths):
            if lmtp.carries(path, extensions):
                self._asked.append(index)
                steps.append((lmtp.rcpt(path), self._on_rcpt))
            else:
                self._answers[index] = _UNSAFE_PATH if path.ascii else _NEEDS_SMTPUTF8
        if not self._asked:
            steps.clear()
            self.finished = True

    def opening(self) -> bytes:
        """What leaves first: with PIPELINING everything up to the content, otherwise one command."""
        if self.finished:
            return b""
        if not self._pipelining:
            return self._next_step()
        octets = b""
        for command, handler in self._steps:
            octets += command
            self._expected.append(handler)
        self._steps.clear()
        return octets + self._last_command()

    def _last_command(self) -> bytes:
        # Whatever follows the RCPTs. Replies to BDAT are expected once their number is known.
        if self._purpose is Purpose.ASK:
            self._expected.append(self._on_last_reset)
            return b"RSET\r\n"
        if self.stuffed:
            self._expected.append(self._on_data)
            return b"DATA\r\n"
        self.content_due = True
        return lmtp.bdat_last(self._octets)

    def _next_step(self) -> bytes:
        command, handler = self._steps.popleft()
        self._expected.append(handler)
        return command

    def receive(self, reply: Reply) -> bytes:
        """Take one reply; returns the octets to send now."""
        if reply.code == 421:
            # RFC 5321 section 3.8: the session ends here, whichever command this answers.
            self.detail = str(reply)
            self.fail(Trouble.CLOSED)
            return b""
        self.begun = True
        if not self._expected:
            self._garbage(reply)
            return b""
        return self._expected.popleft()(reply)

    def fail(self, trouble: Trouble) -> None:
        """The connection is of no more use: whoever has no answer yet gets this trouble."""
        if self.finished:
            return
        self.trouble = self.trouble or trouble
        self.odd = True
        self._finish(trouble)

    def abandon(self) -> None:
        """The content is not sent to its end because nobody will take it."""
        if self.finished:
            return
        self.odd = True
        self._finish(Trouble.CLOSED)

    def content_was_sent(self) -> None:
        """The channel has handed over the last octet of content."""
        self._content_sent = True

    @property
    def awaits_storage(self) -> bool:
        """Home has everything and works on it: no reply for a long time is no sign of death."""
        return self._content_sent and not self._asked and bool(self._accepted)

    @property
    def untouched(self) -> bool:
        """It failed before home showed any sign of having seen it: a stale connection does that."""
        return not self.begun and self.trouble in {Trouble.CLOSED, Trouble.TIMEOUT}

    def answers(self) -> tuple[HomeAnswer, ...]:
        """One per forward path, in order. Only when finished."""
        return tuple(answer or HomeAnswer(trouble=Trouble.INTERNAL) for answer in self._answers)

    # Handlers, one per kind of command; each returns what to send next.

    def _on_reset(self, reply: Reply) -> bytes:
        return self._proceed() if reply.positive else self._garbage(reply)

    def _on_xclient(self, reply: Reply) -> bytes:
        self.xclient_accepted = reply.positive
        if not reply.positive:
            self.detail = str(reply)
            if self.prelude.another_client:
                # Home goes on to take this mail for the earlier client's. What it stores is stored; but no
                # refusal that may be meant for somebody else goes back to the sender.
                self._misattributed = True
                self.odd = True
        return self._proceed()

    def _on_lhlo(self, reply: Reply) -> bytes:
        if not reply.positive:
            self.detail = str(reply)
            self.fail(Trouble.GREETING_REFUSED)
            return b""
        self.lhlo_reply = reply
        return self._proceed()

    def _on_mail(self, reply: Reply) -> bytes:
        if reply.positive:
            return self._proceed()
        if reply.code // 100 == 3:
            return self._garbage(reply)
        self.trouble = Trouble.MAIL_REFUSED
        self.detail = str(reply)
        self.hopeless = True
        if not self._pipelining:
            self._finish(Trouble.MAIL_REFUSED)
        return b""

    def _on_rcpt(self, reply: Reply) -> bytes:
        index = self._asked.popleft()
        if self.trouble is not Trouble.MAIL_REFUSED:
            if reply.code // 100 == 3:
                return self._garbage(reply)
            if reply.positive:
                self._accepted.append(index)
                if self._purpose is Purpose.ASK:
                    self._answers[index] = HomeAnswer(reply)
            else:
                self._record(index, reply, Trouble.MAIL_REFUSED)
        if self._asked:
            return self._proceed()
        return self._after_recipients()

    def _after_recipients(self) -> bytes:
        if self._purpose is Purpose.ASK:
            return b"" if self._pipelining else self._last_command()
        self.hopeless = not self._accepted
        if not self._pipelining:
            if self.hopeless:
                self.left_open = True
                self._finish(Trouble.CLOSED)
                return b""
            command = self._last_command()
        else:
            command = b""
        if not self.stuffed:
            # RFC 2033 section 4.2 with RFC 3030: a reply per accepted recipient, or one that says "nobody".
            handler = self._on_refused_content if self.hopeless else self._on_final
            self._expected.extend([handler] * max(1, len(self._accepted)))
        return command

    def _on_last_reset(self, reply: Reply) -> bytes:
        self.odd = self.odd or not reply.positive
        self._finish(self.trouble or Trouble.GARBAGE)
        return b""

    def _on_data(self, reply: Reply) -> bytes:
        if reply.code == 354:
            if self._accepted:
                self._expected.extend([self._on_final] * len(self._accepted))
                self.content_due = True
                return b""
            # RFC 2033 section 4.2 forbids this 354; RFC 2920 section 3.1: an empty message ends it.
            self._expected.append(self._on_refused_content)
            return b".\r\n"
        if reply.code // 100 in {2, 3}:
            return self._garbage(reply)
        return self._on_refused_content(reply)

    def _on_refused_content(self, reply: Reply) -> bytes:
        # Before the content: home does not want it from us now, or there is nobody to have it.
        self.left_open = True
        if self._accepted:
            self.trouble = Trouble.DATA_REFUSED
            self.detail = str(reply)
        elif reply.positive and not self.stuffed:
            return self._garbage(reply)
        self._finish(self.trouble or Trouble.GARBAGE)
        return b""

    def _on_final(self, reply: Reply) -> bytes:
        early = not self._content_sent
        if reply.code // 100 == 3 or (early and reply.positive):
            return self._garbage(reply)
        self._record(self._accepted.popleft(), reply, Trouble.DATA_REFUSED)
        if reply.code in _ABOUT_THE_COMMAND:
            # A server that does not understand us says so once, not once per recipient.
            self.fail(Trouble.DATA_REFUSED)
            return b""
        if early:
            # It has stopped reading in the middle of the content.
            self.odd = True
            self.hopeless = True
        if not self._accepted:
            self._finish(Trouble.INTERNAL)
        return b""

    def _proceed(self) -> bytes:
        return self._next_step() if self._steps else b""

    def _record(self, index: int, reply: Reply, trouble: Trouble) -> None:
        if reply.code in _ABOUT_THE_COMMAND:
            self.detail = str(reply)
            self._answers[index] = HomeAnswer(trouble=trouble)
        elif self._misattributed and not reply.positive:
            self._answers[index] = HomeAnswer(trouble=Trouble.GARBAGE)
        else:
            self._answers[index] = HomeAnswer(reply)

    def _garbage(self, reply: Reply) -> bytes:
        self.detail = f"out of place: {reply}"
        self.fail(Trouble.GARBAGE)
        return b""

    def _finish(self, trouble: Trouble) -> None:
        if self.trouble is None and None in self._answers:
            self.trouble = trouble
        for index, answer in enumerate(self._answers):
            if answer is None:
                self._answers[index] = HomeAnswer(trouble=self.trouble)
        self.finished = True
