"""``mxgw send``: one test message over SMTP, with the answer of the server."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import SMTPUTF8
from email.utils import formatdate, make_msgid
from mimetypes import guess_type
from pathlib import Path
from smtplib import SMTP, SMTPException, SMTPServerDisconnected

import click

from mxgw.cli.bilingual import Bilingual, said
from mxgw.cli.demo import DEFAULT_RECIPIENT, SENDER
from mxgw.cli.terminal import FAILURE, AddressOption, fail, plain
from mxgw.config import Address, default_hostname
from mxgw.envelope import parse_mailbox

DEFAULT_SERVER = Address("127.0.0.1", 2525)
DEFAULT_BODY = "Hello,\n\nthis message was written by `mxgw send`.\n"
FILLER = "The quick brown fox jumps over the lazy dog, line after line.\n"
MAX_SIZE = 1024**3

TIMEOUT_SECONDS = 600
"""RFC 5321 section 4.5.3.2.6: how long a client waits for the answer to the content."""


@dataclass(frozen=True, slots=True)
class Result:
    """The last answer and the stage it belongs to; the answers to RCPT by recipient."""

    stage: str
    code: int
    text: bytes
    recipients: Mapping[str, tuple[int, bytes]]

    @property
    def accepted(self) -> bool:
        """2xx to the content: the server has the message."""
        return self.stage == "the content" and self.code // 100 == 2


class Courier(SMTP):
    """smtplib's client, made to tell its dialogue."""

    def __init__(self, host: str, *, verbose: bool) -> None:
        self._verbose = verbose
        super().__init__(local_hostname=default_hostname(), timeout=TIMEOUT_SECONDS)
        # starttls() names the server to the TLS library, and knows it from the constructor only.
        self._host = host

    def tell(self, line: str) -> None:
        """One line of the dialogue, if it is wanted."""
        if self._verbose:
            click.echo(plain(line), err=True)

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Send a command."""
        self.tell(f"C: {cmd} {args}".rstrip())
        super().putcmd(cmd, args)

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply, of one line or of several."""
        code, text = super().getreply()
        lines = text.decode(errors="replace").split("\n")
        for number, line in enumerate(lines, 1):
            self.tell(f"S: {code}{'-' if number < len(lines) else ' '}{line}")
        return code, text

    def content(self, octets: bytes) -> tuple[int, bytes]:
        """Send the content behind a 354, dot-stuffed and ended; the answer."""
        self.tell(f"C: ({len(octets)} octets of content)")
        stuffed = octets.replace(b"\r\n.", b"\r\n..")
        self.send((b"." if octets.startswith(b".") else b"") + stuffed + b".\r\n")
        return self.getreply()


@click.command("send", cls=Bilingual)
@click.option(
    "--to",
    "recipients",
    multiple=True,
    metavar="ADDRESS",
    default=(DEFAULT_RECIPIENT,),
    show_default=True,
    help="A recipient; may be given several times.",
)
@click.option(
    "--from",
    "sender",
    metavar="ADDRESS",
    default=SENDER,
    show_default=True,
    help='The sender; "" is the null reverse-path.',
)
@click.option("--subject", default="Test message from mxgw send", show_default=True)
@click.option("--body", help="The text; - reads it from stdin.")
@click.option(
    "--attach",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A file to attach; may be given several times.",
)
@click.option(
    "--size",
    type=click.IntRange(1, MAX_SIZE),
    metavar="OCTETS",
    help="Fill the text up so that the message has about so many octets.",
)
@click.option("--server", type=AddressOption(listen=False), default=str(DEFAULT_SERVER), show_default=True)
@click.option("--no-tls", is_flag=True, help="Stay in clear even where STARTTLS is offered.")
@click.option("-v", "--verbose", is_flag=True, help="Show the dialogue.")
def command(
    recipients: Sequence[str],
    sender: str,
    subject: str,
    body: str | None,
    attach: Sequence[Path],
    size: int | None,
    server: Address,
    no_tls: bool,
    verbose: bool,
) -> None:
    """Send a test message and show what the server answers. The defaults fit `mxgw demo`.

    STARTTLS is used where it is offered. The certificate is not verified: between mail servers TLS is
    opportunistic, and a self-signed certificate is common (RFC 7435).

    The exit code is 0 where every recipient was accepted, else 1.

    \b
    Examples:
      mxgw send
      mxgw send --to taro@example.com --subject こんにちは --attach photo.jpg -v
      mxgw send --to refused@example.com --to taro@example.com
      mxgw send --size 30000000
    """
    for address in (*recipients, *([sender] if sender else [])):
        if parse_mailbox(address) is None:
            fail(
                said(
                    "{text!r} is not a mail address; expected local@domain, for example taro@example.com",
                    text=address,
                )
            )
    if body == "-":
        body = sys.stdin.read()
    content = compose(sender, recipients, subject, body, attach, size)
    courier = Courier(server.host, verbose=verbose)
    try:
        result = converse(courier, server, sender, recipients, content, tls=not no_tls)
    except SMTPServerDisconnected:
        fail(said("{server} closed the connection without an answer", server=server), code=FAILURE)
    except SMTPException as error:
        fail(said("{server} does not talk SMTP: {why}", server=server, why=plain(str(error))), code=FAILURE)
    except OSError as error:
        why = error.strerror or str(error)
        sentence = said("cannot talk to {server}: {why} (is `mxgw demo` running?)", server=server, why=why)
        fail(sentence, code=FAILURE)
    finally:
        courier.close()
    report(result, len(content))


def compose(
    sender: str,
    recipients: Sequence[str],
    subject: str,
    body: str | None,
    attach: Sequence[Path],
    size: int | None,
) -> bytes:
    """The message. ``size`` is reached by lines of text behind the body."""
    text = (body if body is not None else DEFAULT_BODY).rstrip("\n") + "\n"
    utf8 = not "".join([sender, *recipients]).isascii()
    message = EmailMessage(policy=SMTPUTF8 if utf8 else SMTP_POLICY.clone(cte_type="7bit"))
    message["Date"] = formatdate(localtime=True)
    message["From"] = sender or "mailer-daemon@localhost"
    message["To"] = ", ".join(recipients)
    message["Subject"] = " ".join(subject.split())
    message["Message-ID"] = make_msgid(domain="mxgw-send.invalid")
    message.set_content(text)
    for path in attach:
        kind, _, subkind = (guess_type(path.name)[0] or "application/octet-stream").partition("/")
        message.add_attachment(path.read_bytes(), maintype=kind, subtype=subkind, filename=path.name)
    missing = (size or 0) - len(message.as_bytes())
    if missing > 0:
        (message.get_body() or message).set_content(text + FILLER * (missing // (len(FILLER) + 1)))
    return message.as_bytes()


def converse(
    courier: Courier, server: Address, sender: str, recipients: Sequence[str], content: bytes, *, tls: bool
) -> Result:
    """One session: greeting, EHLO, STARTTLS, one transaction, QUIT."""
    code, text = courier.connect(server.host, server.port)
    if code != 220:
        return Result("the greeting", code, text, {})
    courier.ehlo_or_helo_if_needed()
    if tls and courier.has_extn("starttls"):
        # Opportunistic TLS: an unverified certificate is better than none (RFC 7435).
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        courier.starttls(context=context)
        courier.ehlo()
    parameters = f" SIZE={len(content)}" if courier.has_extn("size") else ""
    if not "".join([sender, *recipients]).isascii():
        courier.command_encoding = "utf-8"
        parameters += " SMTPUTF8 BODY=8BITMIME"
    code, text = courier.docmd("MAIL", f"FROM:<{sender}>{parameters}")
    if code != 250:
        return Result("MAIL", code, text, {})
    answers = {recipient: courier.docmd("RCPT", f"TO:<{recipient}>") for recipient in recipients}
    if not any(code // 100 == 2 for code, _ in answers.values()):
        return Result("RCPT", *answers[recipients[-1]], answers)
    code, text = courier.docmd("DATA")
    if code != 354:
        return Result("DATA", code, text, answers)
    code, text = courier.content(content)
    with suppress(SMTPException, OSError):
        courier.docmd("QUIT")
    return Result("the content", code, text, answers)


def report(result: Result, octets: int) -> None:
    """Print what became of it; ends with exit code 1 where anything was not accepted."""
    refusals = {who: answer for who, answer in result.recipients.items() if answer[0] // 100 != 2}
    for recipient, (code, text) in refusals.items():
        answer = f"{code} {_one_line(text)}"
        click.echo(said("{recipient}: not accepted: {answer}", recipient=recipient, answer=answer))
    if result.stage == "RCPT":
        raise SystemExit(FAILURE)
    answer = f"{result.code} {_one_line(result.text)}"
    if result.accepted:
        click.echo(said("accepted: {answer} ({octets:,} octets)", answer=answer, octets=octets))
    else:
        sentence = "not accepted, answer to {stage}: {answer} ({octets:,} octets)"
        click.echo(said(sentence, stage=result.stage, answer=answer, octets=octets))
    if refusals or not result.accepted:
        raise SystemExit(FAILURE)


def _one_line(text: bytes) -> str:
    return plain(" / ".join(text.decode(errors="replace").split("\n")))
