"""``mxgw admin certificate``: that of the machine at home, and that of the MX name at the edge."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from mxgw.admin.cloud.acme_order import AcmeAuthority
from mxgw.admin.cloud.aws import AwsAccount
from mxgw.admin.cloud.certificate_state import (
    Standing,
    WaitingPair,
    make_state_directory,
    waiting_reloads,
    write_state,
)
from mxgw.admin.cloud.certificates import Facts, checked
from mxgw.admin.cloud.challenge import DnsChallenge
from mxgw.admin.cloud.cloudflare import Cloudflare
from mxgw.admin.cloud.edge_certificate import EdgeCertificate
from mxgw.admin.cloud.host_certificate import RELOADS, HostCertificate, reload_services
from mxgw.admin.cloud.settings import CloudSettings, cloud_settings
from mxgw.admin.places import DATA_DIRECTORY, STATE_DIRECTORY, STATE_VARIABLE
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack, docker_command
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell, spoken, spoken_group
from mxgw.cli.admin_stack_option import site_environ, stack_option
from mxgw.cli.terminal import FAILURE
from mxgw.config.forms import resolvers

ACCOUNT_FILE = "acme-account.json"

_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


@dataclass(frozen=True, slots=True)
class Site:
    """What the commands work upon."""

    settings: CloudSettings
    environ: Mapping[str, str]
    stack: Path
    state: Path

    @property
    def host(self) -> HostCertificate:
        """Of this machine."""
        name = _host_name(self.environ, "MAIL_HOSTNAME")
        data = self.environ.get("MAILSERVER_DATA") or DATA_DIRECTORY
        return HostCertificate(Path(data) / "tls", name, now=_now)

    @property
    def edge(self) -> EdgeCertificate | None:
        """Of the MX name; None where no secret is named."""
        if not self.settings.tls_secret:
            return None
        return EdgeCertificate(AwsAccount(self.settings.aws), self.settings.tls_secret)


def group(words: Words) -> click.Group:
    """The commands."""

    def places() -> list[click.Parameter]:
        state = click.Option(
            ["--state"],
            metavar="DIRECTORY",
            envvar=STATE_VARIABLE,
            default=STATE_DIRECTORY,
            help=words("option-state"),
        )
        return [stack_option(words), state]

    made = spoken_group("certificate", words)
    made.add_command(spoken("certificate-show", words, show, places()))
    made.add_command(
        spoken(
            "certificate-renew",
            words,
            renew,
            [click.Option(["--force"], is_flag=True, help=words("option-force")), *places()],
        )
    )
    return made


def show(call: Call, stack: str, state: str) -> None:
    """Both, and how long they last; exit code 1 where one is missing or about to end."""
    site = _site(call, stack, state)
    standings = {"host": _standing(site.host.facts)}
    if site.edge is not None:
        standings["edge"] = _standing(site.edge.facts)
    _tell(call, standings, {})


def renew(call: Call, force: bool, stack: str, state: str) -> None:
    """Those that end within a month, or all; what fails leaves the old one in use."""
    standings, done = renewed(call, stack, state, force=force)
    _tell(call, standings, done)


def renewed(
    call: Call, stack: str, state: str, *, force: bool = False
) -> tuple[dict[str, Standing], dict[str, str]]:
    """The same, for other commands: how each stands now, and what was done. Raises Refused."""
    site = _site(call, stack, state)
    done: dict[str, str] = {}
    standings = {"host": _renewed_host(call, site, done, force=force)}
    if site.edge is not None:
        standings["edge"] = _renewed_edge(call, site, site.edge, done, force=force)
    write_state(site.state, standings)
    return standings, done


def _renewed_host(call: Call, site: Site, done: dict[str, str], *, force: bool) -> Standing:
    host, words = site.host, call.words
    waiting = set(waiting_reloads(site.state))
    try:
        there = host.facts()
        if force or there is None or there.due(_now()):
            if host.renew():
                waiting = set(RELOADS)
                done["host"] = words("certificate-renewed")
            else:
                done["host"] = words("certificate-same")
        else:
            done["host"] = words("certificate-not-due")
        if waiting:
            stack = Stack(site.stack, docker=docker_command(call.environ))
            failed = reload_services(stack, [name for name in RELOADS if name in waiting])
            if failed:
                why = "; ".join(f"{name}: {said}" for name, said in failed.items())
                text = words("certificate-not-reloaded", why=why)
                return Standing(host.not_after(), text, tuple(failed))
    except Refused as refused:
        return Standing(host.not_after(), words(refused.key, **refused.facts), tuple(sorted(waiting)))
    return Standing(host.not_after())


def _renewed_edge(
    call: Call, site: Site, edge: EdgeCertificate, done: dict[str, str], *, force: bool
) -> Standing:
    words = call.words
    there: Facts | None = None
    try:
        name = _host_name(site.environ, "EDGE_HOSTNAME")
        there = edge.facts()
        if not force and there is not None and there.covers(name) and not there.due(_now()):
            done["edge"] = words("certificate-not-due")
            return Standing(there.not_after)
        if not site.settings.cloudflare_token:
            raise Refused("certificate-needs-token", failure=True)
        waiting = WaitingPair(site.state)
        pair = waiting.get(name, _now())
        if pair is None:
            pair = _authority(site).certificate([name], _challenge(site).published)
            waiting.keep(pair)
        found = checked(pair, name, _now())
        edge.put(pair)
        waiting.clear()
    except Refused as refused:
        return Standing(there.not_after if there else None, words(refused.key, **refused.facts))
    done["edge"] = words("certificate-pushed")
    return Standing(found.not_after)


def _authority(site: Site) -> AcmeAuthority:
    make_state_directory(site.state)
    settings = site.settings
    return AcmeAuthority(settings.acme_url, site.state / ACCOUNT_FILE, email=settings.acme_email)


def _challenge(site: Site) -> DnsChallenge:
    cloudflare = Cloudflare(site.settings.cloudflare_token, base=site.settings.cloudflare_url)
    return DnsChallenge(cloudflare, seen=_seen(site.environ.get("MXGW_DNS", "")))


def _seen(servers: str) -> Callable[[str, str], bool]:
    """Whether every server of the zone has a text; ``servers`` are asked in their place where named."""
    # Imported here: only the edge's certificate needs DNS.
    from mxgw.doctor.authority import MAX_SERVERS, Authority, Delegation, FixedServers
    from mxgw.resolver.resolver import Resolver
    from mxgw.resolver.upstream import Upstream

    async def all_have(name: str, text: str) -> bool:
        if servers:
            delegation: Delegation | FixedServers = FixedServers(
                [(it.host, it.port) for it in resolvers(servers)]
            )
        else:
            upstream = Upstream()
            delegation = Delegation(Resolver(upstream), upstream.servers)
        count = len((await delegation.servers(name))[:MAX_SERVERS])
        answers = [await Authority(delegation, turn=turn).txt(name) for turn in range(count)]
        return bool(answers) and all(text.encode() in answer.records for answer in answers)

    return lambda name, text: asyncio.run(all_have(name, text))


def _standing(look: Callable[[], Facts | None]) -> Standing:
    found = look()
    return Standing(found.not_after if found else None)


def _tell(call: Call, standings: dict[str, Standing], done: dict[str, str]) -> None:
    """A line for each; exit code 1 where one is not as it should be."""
    now = _now()
    rows: list[list[Cell]] = []
    facts: list[dict[str, object]] = []
    wrong = False
    for name, it in standings.items():
        days = (it.not_after - now).days if it.not_after else None
        bad = bool(it.why) or days is None or days < 0
        wrong |= bad
        text = it.why or done.get(name, "")
        if not text:
            missing = call.words("certificate-missing")
            text = missing if days is None else call.words("certificate-days", days=days)
        level = "failed" if bad else "ok"
        until = it.not_after.astimezone().strftime("%Y-%m-%d") if it.not_after else "-"
        about = call.words("certificate-host" if name == "host" else "certificate-edge")
        rows.append([about, (call.words(f"level-{level}"), "bold red" if bad else "green"), until, text])
        facts.append(
            {
                "certificate": name,
                "ok": not bad,
                "not_after": it.not_after.isoformat() if it.not_after else "",
                "days_left": days,
                "message": text,
            }
        )
    if call.as_json:
        call.print_json({"ok": not wrong, "certificates": facts})
    else:
        call.show(["about", "result", "until", "finding"], rows, [])
        if "edge" not in standings:
            call.say("certificate-edge-off")
    if wrong:
        raise SystemExit(FAILURE)


def _site(call: Call, stack: str, state: str) -> Site:
    environ = site_environ(call, stack)
    return Site(cloud_settings(environ), environ, Path(stack), Path(state))


def _host_name(environ: Mapping[str, str], variable: str) -> str:
    name = environ.get(variable, "").strip().lower()
    if not _HOST_NAME.fullmatch(name):
        raise Refused("bad-host-name-setting", variable=variable)
    return name


def _now() -> datetime:
    return datetime.now(UTC)
