"""What is to be deployed, out of ecs/deploy.toml: every mistake at once, secrets never.

Keys are those of the parameters of both templates in small letters (``MxHostname`` is ``mx_hostname``), so a
parameter that a template gains can be set without a change here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mxgw.admin.refusal import Refused
from mxgw.config.forms import domain_name
from mxgw.deploy.templates import Parameter, Template, setting_of

BASE_STACK, SERVICE_STACK = "mxgw-base", "mxgw-edge"

MAX_FILE_OCTETS = 65536
"""The example is 6 KB; whoever names an image or a log by mistake is told so."""

COMPUTED = frozenset({"Domains", "BaseStackName", "ImageTag"})
"""Parameters that are not set by their own name."""

FILES = ("tailscale_secret_file", "certificate_file", "certificate_key_file", "chat_secret_file")
OWN_KEYS = ("region", "profile", "base_stack", "service_stack", "domains", *FILES)

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+")
_STACK_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,127}")
_SECRET_WORDS = ("secret", "token", "password", "webhook", "auth", "key")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Of the file: a text of the catalogue with its facts."""

    key: str
    facts: Mapping[str, str | int]

    def refusal(self) -> Refused:
        """As the one reason to end."""
        return Refused(self.key, **dict(self.facts))  # type: ignore[arg-type]  # none of them is `failure`


@dataclass(frozen=True, slots=True)
class Settings:
    """``base`` and ``service`` are parameters of the stacks; ``files`` hold secrets, by their keys."""

    region: str
    profile: str
    base_stack: str
    service_stack: str
    domains: tuple[str, ...]
    base: Mapping[str, str]
    service: Mapping[str, str]
    files: Mapping[str, Path]

    def chosen(self, parameter: str, template: Template) -> str:
        """A parameter of the service stack, or what the template has for it."""
        return self.service.get(parameter, template.parameters[parameter].default or "")


@dataclass(frozen=True, slots=True)
class Templates:
    """The two of them."""

    base: Template
    service: Template


def read_settings(path: Path, templates: Templates) -> Settings | list[Mistake]:
    """The settings in a file, or every mistake in it. Files are named from where it is."""
    try:
        octets = path.read_bytes()
    except OSError:
        return [Mistake("settings-missing", {"path": str(path)})]
    if len(octets) > MAX_FILE_OCTETS:
        return [Mistake("settings-large", {"path": str(path), "most": MAX_FILE_OCTETS})]
    try:
        table = tomllib.loads(octets.decode())
    except ValueError as error:
        return [Mistake("settings-syntax", {"path": str(path), "why": str(error)})]
    return _Reading(table, templates, path.parent).settings()


class _Reading:
    """One reading of the table; gathers mistakes."""

    def __init__(self, table: Mapping[str, object], templates: Templates, directory: Path) -> None:
        self._table = table
        self._templates = templates
        self._directory = directory
        self._mistakes: list[Mistake] = []

    def settings(self) -> Settings | list[Mistake]:
        self._unknown_keys()
        region = self._text("region", _REGION.fullmatch, needed=True)
        names = [
            self._text(key, _STACK_NAME.fullmatch) or usual
            for key, usual in (("base_stack", BASE_STACK), ("service_stack", SERVICE_STACK))
        ]
        if names[0] == names[1]:
            self._wrong("settings-same-stack", name=names[0])
        domains = self._domains()
        base, service = self._parameters(self._templates.base), self._parameters(self._templates.service)
        self._alert_mail(base.get("AlertEmail", ""), domains)
        self._tasks(service)
        files = self._files()
        if self._mistakes:
            return self._mistakes
        base["Domains"], service["BaseStackName"] = ",".join(domains), names[0]
        return Settings(region, self._text("profile"), names[0], names[1], domains, base, service, files)

    # -- keys ---------------------------------------------------------------------------------------------

    def _known(self) -> list[str]:
        parameters = {**self._templates.base.parameters, **self._templates.service.parameters}
        return [*OWN_KEYS, *(setting_of(name) for name in parameters if name not in COMPUTED)]

    def _unknown_keys(self) -> None:
        known = self._known()
        for key in self._table.keys() - set(known):
            near = get_close_matches(key, known, n=1, cutoff=0.75)
            if near:
                self._wrong("settings-near-key", setting=key, near=near[0])
            elif any(word in key for word in _SECRET_WORDS):
                self._wrong("settings-secret-key", setting=key)
            else:
                self._wrong("settings-unknown-key", setting=key)

    # -- values -------------------------------------------------------------------------------------------

    def _text(self, key: str, fits: Callable[[str], object] | None = None, *, needed: bool = False) -> str:
        value = self._table.get(key, "")
        if not isinstance(value, str):
            self._wrong("settings-not-text", setting=key)
            return ""
        if needed and not value.strip():
            self._wrong("settings-needed", setting=key)
        elif value and fits and not fits(value):
            self._wrong("settings-bad-value", setting=key, text=value)
        return value.strip()

    def _domains(self) -> tuple[str, ...]:
        value = self._table.get("domains")
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            self._wrong("settings-bad-domains")
            return ()
        found: list[str] = []
        for text in value:
            try:
                found.append(domain_name(text))
            except ValueError:
                self._wrong("settings-bad-value", setting="domains", text=text)
        return tuple(dict.fromkeys(found))

    def _parameters(self, template: Template) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, parameter in template.parameters.items():
            if name in COMPUTED:
                continue
            key = setting_of(name)
            value = self._table.get(key)
            if value is None or value == "":
                if parameter.default is None:
                    self._wrong("settings-needed", setting=key)
                continue
            if isinstance(value, bool) or not isinstance(value, str | int):
                self._wrong("settings-not-text", setting=key)
            elif self._fits(key, str(value).strip(), parameter):
                found[name] = str(value).strip()
        return found

    def _fits(self, key: str, text: str, parameter: Parameter) -> bool:
        if parameter.allowed and text not in parameter.allowed:
            self._wrong("settings-choice", setting=key, text=text, choices=", ".join(parameter.allowed))
        elif parameter.pattern and not re.fullmatch(parameter.pattern, text):
            self._wrong("settings-bad-value", setting=key, text=text)
        elif parameter.number and not _within(text, parameter):
            least, most = f"{parameter.least or 0:g}", f"{parameter.most or 0:g}"
            self._wrong("settings-bounds", setting=key, text=text, least=least, most=most)
        else:
            return True
        return False

    # -- what belongs together ------------------------------------------------------------------------------

    def _alert_mail(self, address: str, domains: tuple[str, ...]) -> None:
        domain = address.rpartition("@")[2].lower()
        if domain and domain in domains:
            self._wrong("settings-own-alert", address=address, domain=domain)

    def _tasks(self, service: Mapping[str, str]) -> None:
        parameters = self._templates.service.parameters
        least, most = (
            service.get(name, parameters[name].default or "1") for name in ("MinTasks", "MaxTasks")
        )
        if int(least) > int(most):
            self._wrong("settings-tasks", least=least, most=most)

    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for key in FILES:
            if not (text := self._text(key)):
                continue
            path = self._directory / Path(text).expanduser()
            if path.is_file():
                found[key] = path
            else:
                self._wrong("settings-no-file", setting=key, path=str(path))
        certificate, private_key = ("certificate_file" in self._table, "certificate_key_file" in self._table)
        if certificate != private_key:
            self._wrong("settings-half-certificate")
        return found

    def _wrong(self, key: str, **facts: str | int) -> None:
        self._mistakes.append(Mistake(key, facts))


def _within(text: str, parameter: Parameter) -> bool:
    try:
        number = int(text)
    except ValueError:
        return False
    return (parameter.least is None or number >= parameter.least) and (
        parameter.most is None or number <= parameter.most
    )
