"""Which settings are watched at AWS, how often, and what a change does: domains and the certificate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mxgw.aws.polling import Poll
from mxgw.config import Fetch, Parameter, Pem
from mxgw.config.domains import parameter_domains
from mxgw.config.forms import kept_pem

DOMAIN_SECONDS = 60.0
"""How long a new domain may go unseen: its MX record takes longer to be known."""

CERTIFICATE_SECONDS = 3600.0
"""Certificates are renewed weeks before they end; a look costs a fraction of a cent."""

RETRY_SECONDS = 60.0
"""Sooner than that where a look failed: two secrets that are put one after the other disagree for a while."""

MAX_NAMED = 10
"""Domains that a change names in the log, each way."""


class Domains(Protocol):
    """Where domains are put to use."""

    def replace(self, names: tuple[str, ...]) -> None:
        """From now on these are the domains."""


class Certificate(Protocol):
    """Where a certificate is put to use."""

    def replace(self, certificate: str, key: str) -> str:
        """PEM texts; what to tell about a new pair, "" where it is the old one. Raises ValueError."""


def domain_poll(
    parameter: Parameter,
    names: tuple[str, ...],
    domains: Domains,
    *,
    fetch: Callable[[], Fetch],
    tell: Callable[[str], None],
    complain: Callable[[str], None],
    first_seconds: float | None = None,
) -> Poll[tuple[str, ...]]:
    """Watches the parameter that ``names`` were read from. ``fetch`` begins a round of reading;
    ``first_seconds`` is the pause before the first, where it is not as the others."""
    current = names

    def take(fresh: tuple[str, ...]) -> str:
        nonlocal current
        before, current = current, fresh
        if fresh == before:
            return ""
        domains.replace(fresh)
        return changes(before, fresh)

    return Poll(
        f"MXGW_DOMAINS {parameter}",
        read=lambda: parameter_domains(parameter, fetch()(parameter)).names,
        take=take,
        tell=tell,
        complain=complain,
        seconds=DOMAIN_SECONDS,
        retry_seconds=RETRY_SECONDS,
        first_seconds=DOMAIN_SECONDS if first_seconds is None else first_seconds,
    )


def certificate_poll(
    certificate: Path | Pem,
    key: Path | Pem,
    use: Certificate,
    *,
    fetch: Callable[[], Fetch],
    tell: Callable[[str], None],
    complain: Callable[[str], None],
    first_seconds: float | None = None,
) -> Poll[tuple[str, str]] | None:
    """Watches the secrets that a pair was read from; None where neither of the two can change."""
    if all(isinstance(each, Pem) and each.reference is None for each in (certificate, key)):
        return None

    def read() -> tuple[str, str]:
        # In one round: where both are in one secret, they are of the same version.
        this_round = fetch()
        return pem_text(certificate, this_round), pem_text(key, this_round)

    return Poll(
        "MXGW_TLS_CERT, MXGW_TLS_KEY",
        read=read,
        take=lambda pair: use.replace(*pair),
        tell=tell,
        complain=complain,
        seconds=CERTIFICATE_SECONDS,
        retry_seconds=RETRY_SECONDS,
        first_seconds=CERTIFICATE_SECONDS if first_seconds is None else first_seconds,
    )


def pem_text(where: Path | Pem, fetch: Fetch) -> str:
    """The PEM text as it is there now. Raises ValueError."""
    if isinstance(where, Pem):
        return kept_pem(where.reference, fetch(where.reference)).text if where.reference else where.text
    try:
        return where.read_text(encoding="ascii")
    except OSError as error:
        raise ValueError(f"{where} cannot be read: {error.strerror}") from None


def changes(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """What changed in a list of domains, for the log."""
    words = []
    for verb, these in (("added", [*set(after) - set(before)]), ("removed", [*set(before) - set(after)])):
        if these:
            more = f" and {len(these) - MAX_NAMED} more" if len(these) > MAX_NAMED else ""
            words.append(f"{verb} {', '.join(sorted(these)[:MAX_NAMED])}{more}")
    return "; ".join(words) or "the order changed"
