"""One session of a load client as a pure object: octets in, octets out, what became of each message.

Sources: RFC 5321, RFC 2033 (LMTP), RFC 2920 (PIPELINING), RFC 3030 (BDAT), RFC 3207 (STARTTLS), RFC 1870
(SIZE), RFC 6531 (SMTPUTF8). A group of commands leaves in one write, as RFC 2920 section 3.1 has it, QUIT
behind the content included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from mxgw.load.letter import Letter, Piece, first_octets
from mxgw.load.replies import Replies, Stage

MAX_REPLY_OCTETS = 64 * 1024
"""RFC 5321 section 4.5.3.1.5 has 512 to a line, an EHLO reply some twenty lines; memory is not filled."""


class Wish(Enum):
    """What the client wants of its connection, once what it wrote is on its way."""

    NOTHING = auto()
    TLS = auto()
    CLOSE = auto()
    """The session is over."""
    HANG_UP = auto()
    """Go without a word, as was planned."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How all sessions of a run behave. ``sender`` is an address, without its brackets."""

    helo: str
    sender: str
    lmtp: bool = False
    starttls: bool = False
    pipelining: bool = True
    """Where the server offers it."""
    bdat: bool = False
    smtputf8: bool = False


class Client:
    """Call ``begin`` with a letter whenever ``idle``, and ``receive`` with what comes.

    After each call: write ``out`` (and clear it), then look at ``finished`` (the letter that is over, to be
    taken away) and at ``wish``. ``complaint`` is set where the server lacks what the run is about.
    """

    def __init__(self, habits: Habits, replies: Replies) -> None:
        self.out: list[Piece] = []
        self.wish = Wish.NOTHING
        self.finished: Letter | None = None
        self.complaint = ""
        self.ready = False
        """EHLO is done: letters can go."""
        self.carried = 0
        """Letters that this connection has brought to an end."""
        self._habits = habits
        self._replies = replies
        self._mail = b"MAIL FROM:<%b>" % habits.sender.encode()
        self._secured = False
        self._letter: Letter | None = None
        self._last = False
        self._quit_sent = False
        self._left_open = False
        self._accepted: list[int] = []
        self._final = 0
        self._asked = 0
        self._steps: deque[tuple[Stage, bytes]] = deque()
        self._pipelining = False
        self._size = False
        self._parameters = b""
        self._lines: list[bytes] = []
        self._held = 0
        """Octets of the lines of a reply that has more to come."""
        self._rest = b""
        self._expected: deque[Stage] = deque([Stage.CONNECT])
        self._handlers: dict[Stage, Callable[[int], None]] = {
            Stage.CONNECT: self._on_greeting,
            Stage.HELO: self._on_helo,
            Stage.STARTTLS: self._on_starttls,
            Stage.RSET: self._on_rset,
            Stage.MAIL: self._on_mail,
            Stage.RCPT: self._on_rcpt,
            Stage.DATA: self._on_data,
            Stage.CONTENT: self._on_content,
            Stage.QUIT: self._on_quit,
        }

    @property
    def idle(self) -> bool:
        """A letter may be begun."""
        return self._letter is None and not self._quit_sent and self.wish is Wish.NOTHING

    def begin(self, letter: Letter, *, last: bool) -> None:
        """Bring this letter on its way as soon as the session is ready; ``last``: then QUIT."""
        self._letter = letter
        self._last = last or letter.hang_up is Stage.QUIT
        if letter.hang_up is Stage.CONNECT:
            self._hang_up()
        elif self.ready:
            self._send_envelope(letter)

    def quit(self) -> None:
        """Say QUIT: for an idle session that is not needed any more."""
        if self.ready and not self._quit_sent:
            self._say(Stage.QUIT, b"QUIT\r\n")
            self._quit_sent = True
        elif not self._quit_sent:
            self.wish = Wish.CLOSE

    def receive(self, octets: bytes) -> None:
        """Take what came, whole replies or not."""
        if self._rest:
            octets = self._rest + octets
        start = 0
        while (end := octets.find(b"\n", start)) >= 0:
            line = octets[start:end]
            start = end + 1
            if line[3:4] == b"-":
                self._lines.append(line)
                self._held += len(line)
                if self._held > MAX_REPLY_OCTETS:
                    self.fail("a reply without end")
                    return
                continue
            code = line[:3]
            if not (code.isdigit() and line[3:4] in b" \r" and b"200" <= code <= b"599"):
                self.fail("octets that are no reply")
                return
            self._take_reply(int(code), line)
            if self.wish is not Wish.NOTHING:
                self._rest = b""
                return
        self._rest = octets[start:]
        if len(self._rest) > MAX_REPLY_OCTETS:
            self.fail("a reply without end")

    def secured(self) -> None:
        """TLS is up: RFC 3207 section 4.2 begins the session anew."""
        self._secured = True
        self.wish = Wish.NOTHING
        self._rest = b""
        self._say_helo()

    def fail(self, trouble: str) -> None:
        """The connection is of no more use."""
        self.ready = False
        self.wish = Wish.CLOSE
        if self._letter is not None:
            self._letter.trouble = trouble
            self._finish()

    # -- out

    def _say(self, stage: Stage, octets: bytes) -> None:
        self.out.append(octets)
        self._expected.append(stage)

    def _say_helo(self) -> None:
        word = b"LHLO" if self._habits.lmtp else b"EHLO"
        self._say(Stage.HELO, b"%b %b\r\n" % (word, self._habits.helo.encode()))

    def _send_envelope(self, letter: Letter) -> None:
        hang_up = letter.hang_up
        if hang_up is Stage.HELO:
            self._hang_up()
            return
        self._accepted.clear()
        self._asked = self._final = 0
        size = b" SIZE=%d" % letter.octets if self._size else b""
        mail = b"%b%b%b\r\n" % (self._mail, size, self._parameters)
        steps = self._steps
        if self._left_open:
            steps.append((Stage.RSET, b"RSET\r\n"))
            self._left_open = False
        steps.append((Stage.MAIL, mail))
        if hang_up is not Stage.MAIL:
            steps.extend([(Stage.RCPT, line) for line in letter.rcpt_lines])
            if hang_up is not Stage.RCPT and not self._habits.bdat:
                steps.append((Stage.DATA, b"DATA\r\n"))
        if not self._pipelining:
            self._next_step()
            return
        for stage, octets in steps:
            self.out.append(octets)
            self._expected.append(stage)
        steps.clear()
        if self._habits.bdat and hang_up not in (Stage.MAIL, Stage.RCPT):
            self._send_content(letter)

    def _next_step(self) -> None:
        if self._steps:
            self._say(*self._steps.popleft())

    def _send_content(self, letter: Letter) -> None:
        bdat = self._habits.bdat
        if bdat:
            self.out.append(b"BDAT %d LAST\r\n" % letter.wire_octets)
        if letter.hang_up is Stage.DATA:
            self._hang_up()
        elif letter.hang_up is Stage.MIDDLE:
            self.out.extend(first_octets(letter.pieces, letter.wire_octets // 2))
            self._hang_up()
        else:
            self.out.extend(letter.pieces)
            if not bdat:
                self.out.append(b".\r\n")
            letter.content_sent = True
            self._expected.append(Stage.CONTENT)
            if letter.hang_up is Stage.CONTENT:
                self._hang_up()
            elif self._last and self._pipelining and letter.hang_up is None:
                self._say(Stage.QUIT, b"QUIT\r\n")
                self._quit_sent = True

    def _hang_up(self) -> None:
        self.ready = False
        self.wish = Wish.HANG_UP
        if self._letter is not None:
            self._letter.hung_up = True
            self._finish()

    # -- in

    def _take_reply(self, code: int, line: bytes) -> None:
        stage = self._expected.popleft() if self._expected else None
        if stage is None:
            # RFC 5321 section 3.8: 421 may come at any time, and ends the session.
            self.fail("421 between two messages" if code == 421 else "a reply to nothing")
            return
        self._replies.count(stage, code, line)
        if stage is Stage.HELO:
            self._lines.append(line)
        elif self._held:
            self._lines.clear()
        self._held = 0
        if code == 421 and stage is not Stage.QUIT:
            self._refuse(code)
            self.fail("")
            return
        if self._letter is not None and stage is not Stage.RSET and self.ready:
            self._letter.answered = True
        self._handlers[stage](code)

    def _refuse(self, code: int) -> None:
        """For all recipients that have no reply of their own."""
        if self._letter is not None:
            self._letter.codes = [own or code for own in self._letter.codes]

    def _finish(self) -> None:
        self.finished, self._letter = self._letter, None
        self.carried += 1

    def _settle(self) -> None:
        """Every reply for this letter has come."""
        letter = self._letter
        if letter is None:
            return
        if letter.hang_up is Stage.QUIT:
            self._hang_up()
            letter.hung_up = False  # all that had to be said was said
            return
        self._finish()
        if self._last and not self._quit_sent:
            self.quit()

    def _on_greeting(self, code: int) -> None:
        if code != 220:
            self._refuse(code)
            self.fail("")
            return
        self._say_helo()

    def _on_helo(self, code: int) -> None:
        words = {line[4:].strip().upper().partition(b" ")[0] for line in self._lines}
        self._lines.clear()
        if code != 250:
            self._refuse(code)
            self.fail("")
            return
        habits = self._habits
        if habits.starttls and not self._secured:
            if self._offers(words, b"STARTTLS"):
                self._say(Stage.STARTTLS, b"STARTTLS\r\n")
            return
        if habits.bdat and not self._offers(words, b"CHUNKING"):
            return
        if habits.smtputf8 and not self._offers(words, b"SMTPUTF8"):
            return
        self._pipelining = habits.pipelining and b"PIPELINING" in words
        self._size = b"SIZE" in words
        eight = b" BODY=8BITMIME" if b"8BITMIME" in words else b""
        self._parameters = b" SMTPUTF8" + eight if habits.smtputf8 else b""
        self.ready = True
        if self._letter is not None:
            self._send_envelope(self._letter)

    def _offers(self, words: set[bytes], word: bytes) -> bool:
        if word in words:
            return True
        self.complaint = f"the server does not offer {word.decode()}"
        self.fail(self.complaint)
        return False

    def _on_starttls(self, code: int) -> None:
        if code == 220:
            self.wish = Wish.TLS
            return
        self._refuse(code)
        self.fail("")

    def _on_rset(self, code: int) -> None:
        self._next_step()

    def _on_mail(self, code: int) -> None:
        letter = self._letter
        if letter is None:
            return
        if code // 100 != 2:
            self._refuse(code)
            self._steps.clear()
            if not self._expected:
                self._settle()
        elif letter.hang_up is Stage.MAIL:
            self._hang_up()
        else:
            self._next_step()

    def _on_rcpt(self, code: int) -> None:
        letter = self._letter
        if letter is None:
            return
        if code // 100 == 2:
            self._accepted.append(self._asked)
        elif not letter.codes[self._asked]:
            letter.codes[self._asked] = code
        self._asked += 1
        if self._asked < len(letter.rcpt_lines):
            self._next_step()
            return
        if not self._accepted:
            self._left_open = True
            self._steps.clear()
            if not self._expected:
                self._settle()
        elif letter.hang_up is Stage.RCPT:
            self._hang_up()
        elif self._steps:
            self._next_step()
        elif self._habits.bdat and not self._pipelining:
            self._send_content(letter)

    def _on_data(self, code: int) -> None:
        letter = self._letter
        if letter is None:
            return
        if code != 354:
            self._refuse(code)
            self._left_open = True
            self._settle()
        elif self._accepted:
            self._send_content(letter)
        else:
            # RFC 2920 section 3.1: 354 although no recipient is left is answered with an empty content.
            self._say(Stage.CONTENT, b".\r\n")

    def _on_content(self, code: int) -> None:
        letter = self._letter
        if letter is None:
            return
        if not self._habits.lmtp or not self._accepted:
            self._refuse(code)
            self._settle()
            return
        letter.codes[self._accepted[self._final]] = code
        self._final += 1
        if self._final < len(self._accepted):
            self._expected.appendleft(Stage.CONTENT)  # RFC 2033 section 4.2: one for each recipient
        else:
            self._settle()

    def _on_quit(self, code: int) -> None:
        self.wish = Wish.CLOSE
