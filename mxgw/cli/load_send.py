"""``mxgw load send``: sends mail, measures how it goes, and says what it costs."""

from __future__ import annotations

import json
import re
import secrets
import signal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mxgw.cli.demo import DEFAULT_RECIPIENT, SENDER
from mxgw.cli.terminal import FAILURE, AddressOption, fail, plain
from mxgw.config import Address, default_hostname
from mxgw.envelope import is_domain, parse_mailbox
from mxgw.load.client import Habits
from mxgw.load.messages import Signer, Sizes, SizesError, parse_sizes
from mxgw.load.plan import HANG_UP_STAGES, Plan
from mxgw.load.replies import Stage
from mxgw.load.signing import Algorithm, SigningKey, SigningKeyError

if TYPE_CHECKING:
    from mxgw.load.report import Result

DEFAULT_MESSAGES: Final = 1000
DEFAULT_SESSIONS: Final = 10

MAX_SESSIONS: Final = 50_000
"""An address has some 60,000 ports."""

MAX_PROCESSES: Final = 64
"""More than any machine has use for: each is a whole interpreter of some 25 MB."""

MAX_RECIPIENTS: Final = 100_000
"""Addresses of one pattern; they are kept in memory."""

_RANGE = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")
_HANG_UP_MEANINGS = {
    Stage.CONNECT: "as soon as connected",
    Stage.HELO: "after the reply to EHLO",
    Stage.MAIL: "after the reply to MAIL",
    Stage.RCPT: "after the replies to RCPT",
    Stage.DATA: "after the reply to DATA, or after BDAT",
    Stage.MIDDLE: "after half of the content",
    Stage.CONTENT: "after the end of the content, without waiting for the reply",
    Stage.QUIT: "after all replies, without QUIT",
}


class _SizesOption(click.ParamType[Sizes]):
    name = "octets"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Sizes:
        try:
            return value if isinstance(value, Sizes) else parse_sizes(str(value))
        except SizesError as error:
            self.fail(str(error), param, ctx)


class _NetworkOption(click.ParamType[IPv4Network | IPv6Network]):
    name = "network"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> IPv4Network | IPv6Network:
        try:
            return ip_network(str(value))
        except ValueError as error:
            self.fail(f"{error}; expected a network, for example 198.51.100.0/24", param, ctx)


class _SharedOption(click.ParamType[tuple[str, float]]):
    """``WORD`` or ``WORD=SHARE``: what, and for which share of the messages."""

    name = "what[=share]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        word, has_share, share = str(value).partition("=")
        try:
            number = float(share) if has_share else 1.0
        except ValueError:
            number = -1.0
        if not 0 < number <= 1:
            self.fail(f"{value!r}: a share is more than 0 and at most 1, as in {word}=0.05", param, ctx)
        return word, number


@click.command(
    "send",
    epilog="\b\nStages of --hang-up:\n"
    + "\n".join(f"  {stage.value:9} {_HANG_UP_MEANINGS[stage]}" for stage in HANG_UP_STAGES),
)
@click.argument("target", type=AddressOption(listen=False), metavar="HOST:PORT")
@click.option("-n", "--messages", type=click.IntRange(1), help=f"How many. [default: {DEFAULT_MESSAGES}]")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="For how long, instead or besides.")
@click.option(
    "-s",
    "--sessions",
    type=click.IntRange(1, MAX_SESSIONS),
    default=DEFAULT_SESSIONS,
    show_default=True,
    help="So many at once; with --rate: at most.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    metavar="PER-SECOND",
    help="Messages are due at this constant rate, however slowly the server answers, and their latency "
    "counts from when they were due. [default: each session sends when its last message is over]",
)
@click.option(
    "--per-connection",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Messages on one connection; 0: as many as there are.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    show_default=True,
    help="Share the work among so many.",
)
@click.option(
    "--size",
    "sizes",
    type=_SizesOption(),
    default="10K",
    show_default=True,
    help="Of the body: 10240, 10K, 1K..100K (all alike), or real: like real mail, median 75 KB, up to 25 MB.",
)
@click.option(
    "--to",
    "recipients",
    multiple=True,
    metavar="ADDRESS",
    default=(DEFAULT_RECIPIENT,),
    show_default=True,
    help="Taken in turn; may be repeated; 'user{1..100}@example.com' stands for a hundred.",
)
@click.option(
    "-r",
    "--recipients",
    "each",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Recipients of one message.",
)
@click.option(
    "--from", "sender", metavar="ADDRESS", default=SENDER, show_default=True, help='"": null reverse-path.'
)
@click.option("--helo", metavar="NAME", help="What to say in EHLO. [default: this machine's name]")
@click.option("--lmtp", is_flag=True, help="Speak LMTP.")
@click.option("--tls", is_flag=True, help="STARTTLS; the certificate is not verified.")
@click.option("--bdat", is_flag=True, help="Send the content with BDAT instead of DATA.")
@click.option("--no-pipelining", is_flag=True, help="Wait for each reply, even where PIPELINING is offered.")
@click.option("--smtputf8", is_flag=True, help="SMTPUTF8 messages; so they are with non-ASCII addresses.")
@click.option(
    "--proxy",
    type=_NetworkOption(),
    metavar="NETWORK",
    help="Begin connections with a PROXY v2 header, from clients all over this network.",
)
@click.option("--dkim", metavar="DOMAIN", help="Sign with DKIM; the DNS record to publish is printed.")
@click.option(
    "--dkim-key",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the key there, so that its record can be published before. [default: a new key]",
)
@click.option(
    "--dkim-algorithm",
    type=click.Choice(Algorithm, case_sensitive=False),
    default=Algorithm.RSA,
    show_default=True,
    help="Of a new key.",
)
@click.option("--dkim-record", is_flag=True, help="Print the DNS record and end.")
@click.option(
    "--slow", type=_SharedOption(), metavar="RATE[=SHARE]", help="Send so many octets a second, from 10."
)
@click.option(
    "--hang-up",
    "hang_ups",
    type=_SharedOption(),
    multiple=True,
    metavar="STAGE[=SHARE]",
    help="Hang up there, on purpose; may be repeated.",
)
@click.option("--reset", is_flag=True, help="Hang up with a TCP reset.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a connection or a reply may take.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed sends the same messages.")
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Record what was promised, for `mxgw load verify`; continued if it exists.",
)
@click.option(
    "--watch-pid",
    "watch",
    type=click.IntRange(1),
    multiple=True,
    metavar="PID",
    help="Show the processor time of this process and its children beside ours.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as one JSON object.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw throughput and latency: .svg or .png.",
)
def command(
    target: Address,
    messages: int | None,
    seconds: float | None,
    sessions: int,
    rate: float | None,
    per_connection: int,
    processes: int,
    sizes: Sizes,
    recipients: tuple[str, ...],
    each: int,
    sender: str,
    helo: str | None,
    lmtp: bool,
    tls: bool,
    bdat: bool,
    no_pipelining: bool,
    smtputf8: bool,
    proxy: IPv4Network | IPv6Network | None,
    dkim: str | None,
    dkim_key: Path | None,
    dkim_algorithm: Algorithm,
    dkim_record: bool,
    slow: tuple[str, float] | None,
    hang_ups: tuple[tuple[str, float], ...],
    reset: bool,
    timeout: float,
    seed: int,
    ledger: Path | None,
    watch: tuple[int, ...],
    as_json: bool,
    plot: Path | None,
) -> None:
    """Send mail to a server and measure how it goes.

    Ctrl-C ends it and shows what there is; a second one does not wait for messages under way.

    The exit code is 0 where every message was acknowledged, but for those that hung up on purpose; 1 where
    not; 2 for a mistake in what was asked.

    \b
    Examples:
      mxgw load send 127.0.0.1:2525 --sessions 20 --messages 5000 --per-connection 0
      mxgw load send mx.example.com:25 --rate 20 --seconds 60 --size real --tls --plot run.svg
      mxgw load send 127.0.0.1:2525 --ledger sent.jsonl --hang-up middle=0.1 --hang-up content=0.1 --reset
      mxgw load send 127.0.0.1:2526 --to 'user{1..1000}@example.com' --recipients 5 --lmtp --bdat
    """
    key = _key(dkim, dkim_key, dkim_algorithm)
    if key is not None and not (as_json and not dkim_record):
        click.echo(f"{key.zone_line}", err=not dkim_record)
    if dkim_record:
        if key is None:
            fail("--dkim-record needs --dkim")
        return
    pool = tuple(one for pattern in recipients for one in _expanded(pattern))
    for address in (*pool, *([sender] if sender else [])):
        if parse_mailbox(address) is None:
            fail(f"{address!r} is not a mail address; expected local@domain, for example taro@example.com")
    if each > len(pool):
        fail(f"--recipients {each} of {len(pool)}: give more with --to, for example 'user{{1..{each}}}@...'")
    if processes > sessions:
        fail(f"{processes} processes need as many sessions at least: --sessions {processes}")
    if plot is not None and plot.suffix not in (".svg", ".png"):
        fail(f"{plot}: a drawing is .svg or .png")
    plan = Plan(
        host=target.host,
        port=target.port,
        run=f"r{secrets.token_hex(4)}",
        habits=Habits(
            helo=helo or default_hostname(),
            sender=sender,
            lmtp=lmtp,
            starttls=tls,
            pipelining=not no_pipelining,
            bdat=bdat,
            smtputf8=smtputf8 or not "".join([sender, *pool]).isascii(),
        ),
        sizes=sizes,
        recipients=pool,
        recipients_each=each,
        sessions=sessions,
        messages=messages if messages or seconds else DEFAULT_MESSAGES,
        seconds=seconds,
        rate=rate,
        per_connection=per_connection,
        processes=processes,
        seed=seed,
        proxy=proxy,
        hang_ups=_hang_ups(hang_ups),
        reset=reset,
        slow=_slow(slow),
        patience_seconds=timeout,
        ledger=ledger,
    )
    result = _run(plan, key.signature if key else None, watch, as_json=as_json)
    if plot is not None:
        _draw(result, plot)
    if not result.as_expected:
        raise SystemExit(FAILURE)


def _run(plan: Plan, sign: Signer | None, watch: tuple[int, ...], *, as_json: bool) -> Result:
    from mxgw.cli.load_show import Progress, summary
    from mxgw.load.engine import RunError
    from mxgw.load.histogram import MissingExtraError
    from mxgw.load.report import values
    from mxgw.load.running import Running

    running = Running(plan, sign=sign, watch=watch)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: running.stop())
    try:
        with Progress() as progress:
            result = running.run(progress.show)
    except (RunError, OSError) as error:
        if isinstance(error, OSError) and error.filename:
            # The ledger: the server is not to blame.
            fail(f"{plain(str(error.filename))}: {error.strerror}", code=FAILURE)
        fail(f"{plan.host}:{plan.port}: {plain(str(error))}", code=FAILURE)
    except MissingExtraError as error:
        fail(str(error))
    if as_json:
        click.echo(json.dumps(values(result)))
    else:
        summary(result)
    return result


def _draw(result: Result, path: Path) -> None:
    from mxgw.load.histogram import MissingExtraError
    from mxgw.load.plot import draw

    try:
        draw(result, path)
    except MissingExtraError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{path}: {error.strerror or error}", code=FAILURE)


def _key(domain: str | None, path: Path | None, algorithm: Algorithm) -> SigningKey | None:
    if domain is None:
        if path is not None:
            fail("--dkim-key goes with --dkim")
        return None
    if not is_domain(domain) or not domain.isascii():
        fail(f"{domain!r} is no domain in ASCII form")
    try:
        return SigningKey.kept(domain, algorithm, path) if path else SigningKey.made(domain, algorithm)
    except SigningKeyError as error:
        fail(str(error))


def _expanded(pattern: str) -> list[str]:
    """``user{1..3}@example.com`` to three addresses; others to themselves."""
    match = _RANGE.search(pattern)
    if match is None:
        return [pattern]
    first, last = int(match[1]), int(match[2])
    if not 0 <= last - first < MAX_RECIPIENTS:
        fail(f"{pattern!r}: expected at most {MAX_RECIPIENTS:,} addresses, the smaller number first")
    return [f"{pattern[: match.start()]}{one}{pattern[match.end() :]}" for one in range(first, last + 1)]


def _hang_ups(given: tuple[tuple[str, float], ...]) -> tuple[tuple[Stage, float], ...]:
    stages = {stage.value: stage for stage in HANG_UP_STAGES}
    for word, _ in given:
        if word not in stages:
            fail(f"--hang-up {word}: no such stage; there are {', '.join(stages)}")
    if sum(share for _, share in given) > 1:
        fail("the shares of --hang-up are more than 1 together")
    return tuple((stages[word], share) for word, share in given)


def _slow(given: tuple[str, float] | None) -> tuple[int, float]:
    if given is None:
        return (0, 0.0)
    if not given[0].isdigit() or int(given[0]) < 10:
        fail(f"--slow {given[0]}: expected octets a second, 10 at least")
    return (int(given[0]), given[1])
