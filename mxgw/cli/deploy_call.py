"""What ``mxgw deploy`` was asked for: options, the checkout, settings, and the commands themselves."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mxgw import __version__
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call, spoken, spoken_group
from mxgw.cli.admin_spoken import words_for
from mxgw.cli.deploy_show import Show
from mxgw.cli.terminal import FAILURE, MISTAKE
from mxgw.config import default_hostname
from mxgw.config.forms import peer_address, resolvers
from mxgw.deploy.account import Account
from mxgw.deploy.back import destroy, remains, rollback, standing
from mxgw.deploy.image import Docker
from mxgw.deploy.records import records
from mxgw.deploy.settings import Settings, Templates, read_settings
from mxgw.deploy.stacks import Stacks
from mxgw.deploy.telling import State
from mxgw.deploy.templates import read_template
from mxgw.deploy.up import Deployment, Source
from mxgw.deploy.verification import failing, verify
from mxgw.deploy.words import DeployWords
from mxgw.doctor.edge_facts import SMTP_PORT
from mxgw.doctor.public_resolvers import PUBLIC_RESOLVERS

ADDRESSES = ("MxAddressA", "MxAddressB")
"""Outputs of the base stack."""


def spoken_deploy(arguments: list[str]) -> click.Group:
    """The group in the language of these arguments, or of the environment."""
    words = DeployWords(words_for(arguments).language)

    def flag(name: str, key: str = "") -> click.Option:
        return click.Option([f"--{name}"], is_flag=True, help=words(f"option-{key or name}"))

    def option(name: str, metavar: str, key: str = "", *, multiple: bool = False) -> click.Option:
        return click.Option(
            [f"--{name}"], metavar=metavar, multiple=multiple, help=words(f"option-{key or name}")
        )

    settings = option("settings", "FILE")
    asking = [flag("yes", "yes-deploy"), flag("accept-loss")]
    looking = [
        flag("no-verify"),
        option("verify-at", "HOST[:PORT]", multiple=True),
        option("dns", "ADDRESS", "deploy-dns", multiple=True),
    ]
    group = spoken_group("deploy", words)
    for name, act, parameters in (
        ("plan", _plan, [settings, flag("fresh")]),
        ("up", _up, [settings, flag("dry-run"), *asking, flag("fresh"), *looking]),
        ("status", _status, [settings]),
        ("rollback", _rollback, [settings, option("to", "TAG"), *asking, *looking]),
        ("destroy", _destroy, [settings, option("confirm", "NAME")]),
    ):
        group.add_command(spoken(f"deploy-{name}", words, _in_lines(act), parameters))
    return group


def _in_lines(act: Callable[..., None]) -> Callable[..., None]:
    """Why it ended, as one more line where lines are what is printed."""

    def acting(call: Call, **given: Any) -> None:
        show = Show(call, yes=given.pop("yes", False), accept_loss=given.pop("accept_loss", False))
        try:
            with show:
                act(call, show, **given)
        except Refused as refused:
            show.refused(refused)
            raise SystemExit(FAILURE if refused.failure else MISTAKE) from None
        except (KeyboardInterrupt, click.Abort):
            show.refused(Refused("nothing-changed" if not show.began else "interrupted", failure=True))
            raise SystemExit(FAILURE) from None

    return acting


class _Desk:
    """Checkout, settings, account: what every command begins with."""

    def __init__(self, show: Show, settings: str | None) -> None:
        self.show = show
        self.checkout = _checkout()
        ecs = self.checkout / "ecs"
        self.templates = Templates(read_template(ecs / "base.yaml"), read_template(ecs / "service.yaml"))
        path = Path(settings) if settings else ecs / "deploy.toml"
        found = read_settings(path, self.templates)
        if not isinstance(found, Settings):
            lines = [show.words(one.key, **one.facts) for one in found]
            if len(lines) == 1 and str(path) in lines[0]:
                raise found[0].refusal()
            mistakes = "\n".join(f"  {line}" for line in lines)
            raise Refused("settings-mistakes", path=str(path), count=len(lines), mistakes=mistakes)
        self.settings = found
        self.account = Account(found.region, found.profile)
        self.stacks = Stacks(self.account, show)

    def deployment(self) -> Deployment:
        docker = Docker(shown=sys.stderr.isatty() and not self.show.call.as_json)
        return Deployment(self.settings, self.templates, self.account, self.show, docker)

    def source(self) -> Source:
        architecture = self.settings.chosen("CpuArchitecture", self.templates.service)
        return Source.of(self.checkout, __version__, _revision(self.checkout), architecture)


def _checkout() -> Path:
    """Where the templates are: here, above, or where this program comes from. Raises Refused."""
    here = Path.cwd()
    for place in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (place / "ecs" / "base.yaml").is_file() and (place / "docker" / "Dockerfile").is_file():
            return place
    raise Refused("no-checkout")


def _revision(checkout: Path) -> str:
    """The commit, for the label of the image; "unknown" outside of git."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    said = subprocess.run(  # noqa: S603 - the user's own git
        [git, "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


# -- the commands -------------------------------------------------------------------------------------------


def _plan(call: Call, show: Show, *, settings: str | None, fresh: bool) -> None:
    desk = _Desk(show, settings)
    desk.deployment().plan(desk.source(), fresh=fresh)
    show.closing("plan-done")


def _up(
    call: Call,
    show: Show,
    *,
    settings: str | None,
    dry_run: bool,
    fresh: bool,
    no_verify: bool,
    verify_at: tuple[str, ...],
    dns: tuple[str, ...],
) -> None:
    if dry_run:
        _plan(call, show, settings=settings, fresh=fresh)
        return
    places, servers = _places(verify_at), _servers(dns)
    desk = _Desk(show, settings)
    deployed = desk.deployment().up(desk.source(), fresh=fresh)
    show.records(records(desk.settings.service["MxHostname"], deployed.addresses, desk.settings.domains))
    _look(call, desk, places or _at(deployed.addresses), servers, skip=no_verify)


def _status(call: Call, show: Show, *, settings: str | None) -> None:
    desk = _Desk(show, settings)
    needed = ["TailscaleSecretArn", "ChatSecretArn", "SealKeySecretArn"]
    if desk.settings.chosen("TlsCertificate", desk.templates.service) == "secret":
        needed.append("TlsSecretArn")
    now = standing(desk.account, desk.settings, lambda _: needed)
    show.standing(now, desk.settings)
    if now.base is not None and all(name in now.base.outputs for name in ADDRESSES):
        addresses = [now.base.outputs[name] for name in ADDRESSES]
        show.records(records(desk.settings.service["MxHostname"], addresses, desk.settings.domains))
    call.incomplete = not now.good


def _rollback(
    call: Call,
    show: Show,
    *,
    settings: str | None,
    to: str | None,
    no_verify: bool,
    verify_at: tuple[str, ...],
    dns: tuple[str, ...],
) -> None:
    places, servers = _places(verify_at), _servers(dns)
    desk = _Desk(show, settings)
    rollback(desk.account, desk.stacks, show, desk.settings, to)
    base = desk.account.stack(desk.settings.base_stack)
    addresses = [base.outputs[name] for name in ADDRESSES] if base else []
    _look(call, desk, places or _at(addresses), servers, skip=no_verify or not addresses)


def _destroy(call: Call, show: Show, *, settings: str | None, confirm: str | None) -> None:
    desk = _Desk(show, settings)
    base, service = desk.settings.base_stack, desk.settings.service_stack
    left = remains(desk.account, desk.settings, desk.templates)
    if desk.account.stack(base) is None and desk.account.stack(service) is None:
        raise Refused("destroy-nothing", base=base, service=service, region=desk.settings.region)
    show.remains(left)
    if confirm is None and not sys.stdin.isatty():
        raise Refused("destroy-needs-confirm", stack=base)

    def same(text: str) -> str:
        if text.strip() != base:
            raise Refused("destroy-other-name", stack=base)
        return text

    show.pause()
    call.asked(confirm, "destroy-name", same)
    destroy(desk.stacks, show, desk.settings)
    show.closing("destroyed")
    if left.addresses:
        addresses = " ".join(left.addresses)
        show.closing("destroyed-costs", addresses=addresses, region=desk.settings.region)


def _look(
    call: Call, desk: _Desk, places: list[tuple[str, int]], servers: list[tuple[str, int]], *, skip: bool
) -> None:
    show = desk.show
    if skip:
        show.step("verification", State.SKIPPED, "verify-skipped")
        return
    named = ", ".join(host if port == SMTP_PORT else f"{host}:{port}" for host, port in places)
    show.step("verification", State.RUNNING, "verify-looking", places=named)
    verdicts = verify(
        desk.settings.service["MxHostname"],
        places,
        desk.settings.domains,
        visitor=default_hostname(),
        resolvers=servers or PUBLIC_RESOLVERS,
        sleep=time.sleep,
    )
    show.verdicts(verdicts)
    if failing(verdicts):
        show.step("verification", State.FAILED, "verify-failed", failed=failing(verdicts))
        call.incomplete = True
    else:
        warnings = sum(verdict.level.value != "ok" for verdict in verdicts)
        show.step("verification", State.DONE, "verify-good", warnings=warnings)


def _at(addresses: list[str] | tuple[str, ...]) -> list[tuple[str, int]]:
    return [(address, SMTP_PORT) for address in addresses]


def _places(given: tuple[str, ...]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for text in given:
        try:
            server = peer_address(text if ":" in text else f"{text}:{SMTP_PORT}")
        except ValueError:
            raise Refused("bad-edge", text=text) from None
        found.append((server.host, server.port))
    return found


def _servers(given: tuple[str, ...]) -> list[tuple[str, int]]:
    try:
        return [(one.host, one.port) for text in given for one in resolvers(text)]
    except ValueError:
        raise Refused("bad-dns-server", text=", ".join(given)) from None
