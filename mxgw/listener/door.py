"""The verbs of SMTP and LMTP, and the state between them.

Sources: RFC 5321 (SMTP), RFC 2033 (LMTP), RFC 2920 (PIPELINING), RFC 3030 (BDAT), RFC 3207 (STARTTLS), RFC
1870 (SIZE), RFC 8689 (REQUIRETLS), draft-hall-prdr-00 (PRDR); XCLIENT: see mxgw.listener.xclient.

A door reads commands, keeps the order that RFC 5321 section 4.1.4 asks for, moves content into an intake,
and says what its backend decides. It decides nothing about mail itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import ClassVar
from typing import Protocol as Interface

from mxgw.content import ChunkDecoder, ContentFault, DataDecoder
from mxgw.envelope import Client, ForwardPath, MailCommand, Transaction, parse_mail, parse_rcpt
from mxgw.intake import Intake
from mxgw.listener import replies
from mxgw.listener.admission import Address, comes_from
from mxgw.listener.reader import ClientLeft
from mxgw.listener.settings import MAX_COMMAND_OCTETS, DoorSettings, Protocol
from mxgw.listener.tls import Certificates
from mxgw.listener.wire import ENDLESS_LINE, LineFault, Wire, Work
from mxgw.listener.xclient import NOT_TRUSTED, Named, origin, parse_xclient
from mxgw.reply import Reply

_HELO_ARGUMENT = re.compile(rb"[A-Za-z0-9._:\-\[\]]{1,255}")
"""A domain or an address literal; underscores and the like occur, and are no reason to refuse mail."""

_BDAT_ARGUMENT = re.compile(rb"([0-9]{1,18})(?: +(LAST))? *", re.IGNORECASE)

NOBODY = IPv4Address(0)
"""The address of a client that is not known yet."""

_STRANGER = Client(NOBODY, 0)


class Backend(Interface):
    """What stands behind a door: decides, delivers. See mxgw.gateway.Gateway."""

    def mail(self, client: Client, command: MailCommand) -> Transaction | Reply:
        """Open a transaction or refuse it."""

    def rcpt(
        self, transaction: Transaction, paths: Sequence[ForwardPath | Reply]
    ) -> list[Reply] | Awaitable[list[Reply]]:
        """One reply per entry, at once where nobody needs to be asked; accepted paths are in the transaction
        then."""

    def intake(self, transaction: Transaction) -> Intake:
        """Where the content goes."""

    async def deliver(
        self, transaction: Transaction, intake: Intake, fault: ContentFault | None
    ) -> tuple[Reply, ...]:
        """The content is complete: what to answer. Closes the intake."""

    def abandon(self, transaction: Transaction, intake: Intake | None) -> None:
        """The transaction ended without one. Closes the intake."""


class Counts(Interface):
    """What a door counts."""

    def command_error(self) -> None:
        """A command was answered 5xx."""

    def crashed(self, error: Exception) -> None:
        """A session met a bug of ours; the client was told 4xx."""


@dataclass(slots=True)
class _Chunks:
    """A BDAT sequence under way."""

    decoder: ChunkDecoder
    intake: Intake


_Handler = Callable[["Door", bytes], Work | None]


class Door(Wire):
    """One session. ``converse`` runs it from the banner to the end; the connection is closed then."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        settings: DoorSettings,
        backend: Backend,
        certificates: Certificates | None,
        counts: Counts,
        connected: Callable[[Door], None],
    ) -> None:
        super().__init__(loop)
        self._settings = settings
        self._backend = backend
        self._certificates = certificates
        self._counts = counts
        self._connected = connected
        self._client = _STRANGER
        self._named: Named | None = None
        self._origin: Client | None = None
        self._trusted = False
        self._transaction: Transaction | None = None
        self._chunks: _Chunks | None = None
        self._verbs = self._VERBS[settings.protocol]
        self._draining = False
        self._errors = 0
        self._commands = 0
        self._messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The peer is there: the listener decides what to do with it."""
        super().connection_made(transport)
        self._connected(self)

    async def converse(self, address: Address, port: int) -> None:
        """Talk with the client at this address until one of the two ends it."""
        if self._draining:
            await self.turn_away(replies.DRAINING)
            return
        self._client = Client(address, port)
        self._trusted = comes_from(address, self._settings.xclient_from)
        self._say(self._settings.greeting)
        try:
            while (work := await self._next_work()) is not None:
                await work
                self._check_limits()
        except ClientLeft:
            pass
        except LineFault as fault:
            self._say(fault.reply)
        except Exception as error:  # noqa: BLE001 - a bug of ours is a 4xx to the client and a traceback in the log
            self._counts.crashed(error)
            self._say(replies.TROUBLE_CLOSING)
        finally:
            self._forget_work()
            self._reset()
        await self._hang_up()

    def drain(self) -> None:
        """We are going down: an idle client is told at once, any other when its message is through."""
        self._draining = True
        if self._waits_for_command and self._transaction is None:
            self._dismiss(replies.DRAINING)

    # one command

    def _command(self, line: bytes) -> Work | None:
        verb, _, argument = line.partition(b" ")
        handler = self._verbs.get(verb) or self._verbs.get(verb.upper())
        if len(line) > MAX_COMMAND_OCTETS:
            self._refuse(ENDLESS_LINE)
        elif handler is None:
            self._refuse(replies.EMPTY if not line.strip() else replies.UNKNOWN)
        else:
            self._commands += 1
            work = handler(self, argument)
            if work is not None:
                return work
        self._check_limits()
        return None

    def _refuse(self, reply: Reply) -> None:
        self._errors += 1
        self._counts.command_error()
        self._say(reply)

    def _check_limits(self) -> None:
        if self._ends:
            return
        last: Reply | None = None
        if self._errors > self._settings.max_errors:
            last = replies.TOO_MANY_ERRORS
        elif self._commands > self._settings.max_commands:
            last = replies.TOO_MANY_COMMANDS
        elif self._draining and self._transaction is None:
            last = replies.DRAINING
        if last is not None:
            self._say(last)
            self._ends = True

    def _reset(self) -> None:
        """Forget the transaction: RFC 5321 section 4.1.1.5."""
        transaction, chunks = self._transaction, self._chunks
        self._transaction = self._chunks = None
        if transaction is not None:
            self._backend.abandon(transaction, chunks.intake if chunks else None)

    def _ends_group(self) -> bool:
        """RFC 2920 section 3.1: some commands are the last of their group; octets behind them are no command
        of a client that knows SMTP, and may be content taken for commands."""
        if not self._received.has_octets():
            return True
        self._refuse(replies.TOO_EARLY)
        self._ends = True
        return False

    # session verbs

    def _introduce(self, argument: bytes, *, extended: bool) -> bool:
        name = argument.strip()
        if not _HELO_ARGUMENT.fullmatch(name):
            self._refuse(replies.BAD_HELO if name else replies.NEEDS_ARGUMENT)
            return False
        if self._settings.protocol is Protocol.SMTP and not self._ends_group():
            return False
        self._reset()
        client = self._client
        self._client = Client(
            client.address, client.port, name.decode(), extended, self.tls, client.address_text
        )
        self._origin = origin(self._client, self._named) if self._named else None
        return True

    def _helo(self, argument: bytes) -> None:
        if self._introduce(argument, extended=False):
            self._say(self._settings.helo_reply)

    def _ehlo(self, argument: bytes) -> None:
        if not self._introduce(argument, extended=True):
            return
        keywords = self._settings.keywords(
            tls_offered=self._certificates is not None and self.tls is None,
            in_tls=self.tls is not None,
            xclient=self._trusted,
        )
        self._say(Reply(250, "", (self._settings.hostname, *keywords)))

    def _xclient(self, argument: bytes) -> None:
        """A trusted peer names its client; then the session begins anew (Postfix' XCLIENT_README).

        Commands may follow in the same write, as at Dovecot: the peer is one of ours.
        """
        if not self._trusted:
            self._refuse(NOT_TRUSTED)
        elif self._transaction is not None:
            self._refuse(replies.IN_BDAT if self._chunks else replies.MAIL_TWICE)
        elif self._closes_now():
            # Before anything else is said: the peer sees that nothing of its next message was looked at.
            pass
        elif isinstance(named := parse_xclient(argument, self._named), Reply):
            self._refuse(named)
        else:
            self._named = named
            self._origin = None
            self._client = Client(self._client.address, self._client.port)
            self._say(self._settings.greeting)

    async def _starttls(self, argument: bytes) -> None:
        if argument.strip():
            self._refuse(replies.NO_ARGUMENT)
        elif self.tls is not None:
            self._refuse(replies.TLS_TWICE)
        elif self._certificates is None:
            self._refuse(replies.NO_TLS)
        else:
            self._reset()
            self._say(replies.TLS_GO)
            await self._flush()
            await self._start_tls(self._certificates.context())
            # RFC 3207 section 4.2: what the client said in clear is forgotten.
            self._named = self._origin = None
            self._client = Client(self._client.address, self._client.port)

    def _noop(self, argument: bytes) -> None:
        self._say(replies.OK)

    def _rset(self, argument: bytes) -> None:
        if argument.strip():
            self._refuse(replies.NO_ARGUMENT)
            return
        self._reset()
        self._say(replies.RESET)

    def _quit(self, argument: bytes) -> None:
        if argument.strip():
            self._refuse(replies.NO_ARGUMENT)
            return
        self._reset()
        self._say(replies.BYE)
        self._ends = True

    def _help(self, argument: bytes) -> None:
        self._say(replies.HELP)

    def _vrfy(self, argument: bytes) -> None:
        if argument.strip():
            self._say(replies.VRFY)
        else:
            self._refuse(replies.NEEDS_ARGUMENT)

    def _not_implemented(self, argument: bytes) -> None:
        self._refuse(replies.NOT_HERE)

    # the envelope

    def _mail(self, argument: bytes) -> None:
        client = self._client
        if self._transaction is not None:
            self._refuse(replies.IN_BDAT if self._chunks else replies.MAIL_TWICE)
            return
        if not client.helo:
            self._refuse(replies.HELO_FIRST)
            return
        command = parse_mail(argument, extended=client.extended)
        if isinstance(command, Reply):
            self._refuse(command)
            return
        if command.parameters.requiretls and self.tls is None:
            self._refuse(replies.TLS_NEEDED)
            return
        if self._closes_now():
            return
        opened = self._backend.mail(self._origin or client, command)
        if isinstance(opened, Reply):
            if opened.permanent:
                self._errors += 1
            self._say(opened)
            return
        self._transaction = opened
        self._say(replies.SENDER_OK)

    def _closes_now(self) -> bool:
        """No further message is taken here: say so, and end."""
        if not self._draining and self._messages < self._settings.max_messages_per_session:
            return False
        self._say(replies.DRAINING if self._draining else replies.TOO_MANY_MESSAGES)
        self._ends = True
        return True

    def _rcpt(self, argument: bytes) -> Work | None:
        """A pipelined run of RCPT commands is answered together, so that home is asked once."""
        arguments = [argument]
        while (line := self._received.take_line(b"RCPT ")) is not None:
            arguments.append(line[len(b"RCPT ") :])
        self._commands += len(arguments) - 1
        transaction = self._transaction
        if transaction is None or self._chunks is not None:
            for _ in arguments:
                self._refuse(replies.IN_BDAT if self._chunks else replies.MAIL_FIRST)
            return None
        paths = [parse_rcpt(one, smtputf8=transaction.parameters.smtputf8) for one in arguments]
        answers = self._backend.rcpt(transaction, paths)
        if not isinstance(answers, list):
            return self._await_answers(answers)
        self._say_each(answers)
        return None

    async def _await_answers(self, answers: Awaitable[list[Reply]]) -> None:
        self._disarm()
        self._say_each(await answers)

    def _say_each(self, answers: list[Reply]) -> None:
        for reply in answers:
            if reply.permanent:
                self._refuse(reply)
            else:
                self._say(reply)

    # content

    def _data(self, argument: bytes) -> Work | None:
        if argument.strip():
            self._refuse(replies.NO_ARGUMENT)
            return None
        transaction = self._transaction
        if transaction is None or self._chunks is not None or not transaction.forward_paths:
            refusal = (
                replies.MAIL_FIRST
                if transaction is None
                else replies.IN_BDAT
                if self._chunks
                else replies.RCPT_FIRST
            )
            self._refuse(refusal)
            # What follows may be the content, sent without waiting: it must not be read as commands.
            self._ends = self._received.has_octets()
            return None
        if not self._ends_group():
            return None
        self._ask_for_content(replies.SEND_CONTENT)
        return self._take_content(transaction)

    async def _take_content(self, transaction: Transaction) -> None:
        decoder = DataDecoder(max_octets=self._settings.max_message_octets)
        intake = self._backend.intake(transaction)
        self._transaction = None
        self._begin_content()
        try:
            while not decoder.finished and not decoder.overrun:
                if octets := decoder.feed(await self._next_content()):
                    intake.write(octets)
        finally:
            if not decoder.finished:
                self._backend.abandon(transaction, intake)
        if not decoder.finished:
            self._refuse(replies.TOO_LARGE)
            self._ends = True
            return
        self._received.put_back(decoder.rest)
        await self._deliver(transaction, intake, decoder.fault, complete=True)

    async def _bdat(self, argument: bytes) -> None:
        match = _BDAT_ARGUMENT.fullmatch(argument)
        if not match:
            # How many octets of content follow is not known: nothing after this can be a command.
            self._refuse(replies.BAD_BDAT)
            self._ends = True
            return
        octets, last = int(match[1]), match[2] is not None
        if octets > 2 * self._settings.max_message_octets:
            self._refuse(replies.TOO_LARGE)
            self._ends = True
            return
        transaction = self._transaction
        if transaction is None or not transaction.forward_paths:
            # RFC 3030 section 2: the octets of a refused chunk are read all the same.
            await self._skip(octets)
            self._refuse(replies.MAIL_FIRST if transaction is None else replies.RCPT_FIRST)
            return
        if self._chunks is None:
            self._begin_content()
            decoder = ChunkDecoder(max_octets=self._settings.max_message_octets)
            self._chunks = _Chunks(decoder, self._backend.intake(transaction))
        decoder, intake = self._chunks.decoder, self._chunks.intake
        decoder.begin(octets, last=last)
        rest = b""
        while not decoder.chunk_finished:
            content, rest = decoder.feed(await self._next_content())
            if content:
                intake.write(content)
        self._received.put_back(rest)
        fault = decoder.fault or intake.fault
        if last or fault:
            self._transaction = self._chunks = None
            await self._deliver(transaction, intake, fault, complete=last)
            return
        self._say(Reply.of(250, "2.0.0", f"{octets} octets received"))

    async def _skip(self, octets: int) -> None:
        self._begin_content()
        while octets > 0:
            chunk = await self._next_content()
            self._received.put_back(chunk[octets:])
            octets -= len(chunk)

    async def _deliver(
        self, transaction: Transaction, intake: Intake, fault: ContentFault | None, *, complete: bool
    ) -> None:
        """Say what became of the content; ``complete``: its last octet was announced.

        RFC 2033 section 4.3: LMTP's reply for each recipient comes after the last chunk only.
        """
        self._disarm()
        try:
            answers = await self._backend.deliver(transaction, intake, fault)
        except Exception as error:  # noqa: BLE001 - a bug of ours is a 4xx to the client and a traceback in the log
            self._counts.crashed(error)
            lmtp = self._settings.protocol is Protocol.LMTP
            answers = (replies.TROUBLE,) * (len(transaction.forward_paths) if lmtp else 1)
        self._messages += 1
        self._commands = 0
        if answers[-1].permanent:
            self._errors += 1
        for reply in answers if complete else answers[:1]:
            self._say(reply)

    _BOTH: ClassVar[dict[bytes, _Handler]] = {
        b"MAIL": _mail,
        b"RCPT": _rcpt,
        b"DATA": _data,
        b"BDAT": _bdat,
        b"RSET": _rset,
        b"NOOP": _noop,
        b"QUIT": _quit,
        b"VRFY": _vrfy,
        b"HELP": _help,
        **dict.fromkeys((b"EXPN", b"AUTH", b"ETRN", b"TURN", b"SEND", b"SOML", b"SAML"), _not_implemented),
    }
    _VERBS: ClassVar[dict[Protocol, dict[bytes, _Handler]]] = {
        Protocol.SMTP: {**_BOTH, b"HELO": _helo, b"EHLO": _ehlo, b"STARTTLS": _starttls},
        # RFC 2033 section 4.1: LHLO takes the place of EHLO, and neither HELO nor EHLO is spoken.
        Protocol.LMTP: {**_BOTH, b"LHLO": _ehlo, b"XCLIENT": _xclient},
    }
