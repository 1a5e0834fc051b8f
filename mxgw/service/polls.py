"""What has to be looked at again at AWS while a process runs; nothing, and nothing loaded, for most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mxgw.aws import AwsReader, Poll, certificate_poll, domain_poll
from mxgw.config import Config, DomainSource
from mxgw.listener.tls import HeldCertificate
from mxgw.observe import EventLog


def build_polls(
    config: Config,
    log: EventLog,
    domains: DomainSource | None,
    certificate: HeldCertificate | None,
    *,
    first_at_once: bool = False,
    silent: bool = False,
) -> tuple[Poll[Any], ...]:
    """A poll for each setting that may change at AWS; run them as long as the door is open.

    ``first_at_once``: what the configuration holds may be old. ``silent``: another process, which sees the
    same, tells of it.
    """
    reader = AwsReader()
    polls: list[Poll[Any] | None] = []
    first = {"first_seconds": 0.0} if first_at_once else {}

    def teller(event: str, kind: str) -> Callable[[str], None]:
        def tell(text: str) -> None:
            if not silent:
                log.event(event, **{kind: text})

        return tell

    if config.domains.parameter and domains:
        polls.append(
            domain_poll(
                config.domains.parameter,
                config.domains.names,
                domains,
                fetch=reader.round,
                tell=teller("config", "change"),
                complain=teller("config", "problem"),
                **first,
            )
        )
    if config.tls_cert and config.tls_key and certificate:
        polls.append(
            certificate_poll(
                config.tls_cert,
                config.tls_key,
                certificate,
                fetch=reader.round,
                tell=teller("tls", "change"),
                complain=teller("tls", "problem"),
                **first,
            )
        )
    return tuple(poll for poll in polls if poll is not None)
