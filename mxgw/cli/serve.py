"""``mxgw serve``: the servers, in the foreground."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from mxgw.cli.terminal import config_option, fail, load_or_fail
from mxgw.config import Role


@click.group("serve")
def command() -> None:
    """Run the gateway in the foreground until SIGTERM; it logs to stdout.

    Example: MXGW_DOMAINS=example.jp MXGW_HOME=lmtp://mail:2525 mxgw serve edge
    """


@command.command("edge")
@click.option(
    "--workers", type=click.IntRange(1, 64), metavar="N", help="Processes that share the mail door."
)
@config_option
def edge(workers: int | None, toml: Path | None) -> None:
    """Accept mail on SMTP and relay it at once to home by LMTP.

    Settings come from MXGW_* variables (see `mxgw settings`); MXGW_DOMAINS and MXGW_HOME are needed.
    After SIGTERM what is in flight is finished, then the exit code is 0; it is 2 on bad configuration.

    \b
    Example:
      MXGW_DOMAINS=example.jp MXGW_HOME=lmtp://mail:2525 mxgw serve edge --workers 2
    """
    options = {"MXGW_WORKERS": None if workers is None else str(workers)}
    config = load_or_fail(Role.EDGE, toml=toml, options=options)
    # Imported here: a mistake in the configuration is told before anything slow is loaded.
    from mxgw.service import run_edge

    sys.exit(run(lambda: run_edge(config)))


@command.command("home")
@config_option
def home(toml: Path | None) -> None:
    """Take mail from the edge on LMTP, have Rspamd look into it, and put it into the mailbox by LMTP.

    Settings come from MXGW_* variables (see `mxgw settings`); MXGW_HOME is needed, and names the LMTP port
    of the mailbox server. MXGW_SEAL_KEY is that of the edge, MXGW_AUTHSERV_ID the edge's name in
    Authentication-Results.
    After SIGTERM what is in flight is finished, then the exit code is 0; it is 2 on bad configuration.

    \b
    Example:
      MXGW_HOME=lmtp://dovecot:24 MXGW_RSPAMD=http://rspamd:11333 mxgw serve home
    """
    config = load_or_fail(Role.HOME, toml=toml, options={})
    if config.workers > 1:
        fail("MXGW_WORKERS: at home there is one process: it delivers to each mailbox in turn")
    # Imported here: a mistake in the configuration is told before anything slow is loaded.
    from mxgw.service.home import run_home

    sys.exit(run(lambda: run_home(config)))


def run(serve: Callable[[], int]) -> int:
    """Run a server; what the system refuses (a port in use, say) is a sentence and no traceback."""
    try:
        return serve()
    except OSError as error:
        fail(_sentence(error))
    except BaseExceptionGroup as group:
        refusals, rest = group.split(OSError)
        if rest is not None or refusals is None:
            raise
        first: BaseException = refusals
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        fail(_sentence(first))


def _sentence(error: BaseException) -> str:
    # Imported here: only a refusal needs it.
    import ssl

    if isinstance(error, ssl.SSLError):
        # An error that OpenSSL did not make has no reason of its own.
        why = getattr(error, "reason", "") or error
        return f"cannot start: certificate and key cannot be used: {why}; try: mxgw check"
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return f"cannot start: {reason}"
