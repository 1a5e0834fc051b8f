"""Reading the settings: environment over TOML file over defaults; mistakes are collected, none stops it."""

from __future__ import annotations

import re
import socket
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mxgw.config.forms import PEM_BEGIN, Address, domain_name
from mxgw.config.remote import Fetch, no_fetch
from mxgw.config.rows import (
    ADMIN_PREFIX,
    CONFIG_VARIABLE,
    MASK,
    PREFIX,
    Check,
    NullMxPolicy,
    OnOff,
    Role,
    Setting,
)
from mxgw.config.settings import MAX_SESSIONS_PER_CLIENT, SETTINGS, Config

MAX_FILE_OCTETS = 1024 * 1024
"""A configuration has a few dozen lines; a larger file is some other file by mistake."""

MAX_SHOWN_CHARACTERS = 200
"""Enough of a wrong value to recognise it, a long path included."""


@dataclass(frozen=True, slots=True)
class ConfigMistake:
    """One mistake: which setting, where it was said, what was said, what is wrong, what is expected.

    ``value`` is ready to be printed: quoted, shortened, masked where it is secret; "" where there is none.
    """

    setting: str
    where: str
    value: str
    problem: str
    expected: str

    def __str__(self) -> str:
        said = f"{self.setting}={self.value}" if self.value else self.setting
        place = f" ({self.where})" if self.where else ""
        tail = f"; expected: {self.expected}" if self.expected else ""
        return f"{said}{place}: {self.problem}{tail}"


@dataclass(frozen=True, slots=True)
class _Said:
    """The text of a setting and where it stands; ``fault`` where it has no text form at all."""

    text: str
    where: str
    fault: str = ""


def load(
    environ: Mapping[str, str],
    *,
    toml: Path | None = None,
    role: Role = Role.EDGE,
    hostname: Callable[[], str] | None = None,
    fetch: Fetch = no_fetch,
) -> Config | list[ConfigMistake]:
    """The effective configuration, or all mistakes.

    ``toml`` wins over MXGW_CONFIG. ``hostname`` is asked where MXGW_HOSTNAME is not set, ``fetch`` for the
    values that are kept at AWS.
    """
    said, mistakes = _gather(environ, toml)
    values: dict[str, Any] = {}
    wrong: set[str] = set()
    for setting in SETTINGS:
        found = said.get(setting.name)
        outcome = _value(setting, found, role, fetch)
        if isinstance(outcome, ConfigMistake):
            mistakes.append(outcome)
            wrong.add(setting.name)
        elif outcome is not None:
            values[setting.name] = outcome
        elif role in setting.defaults:
            values[setting.name] = setting.defaults[role]
    if "hostname" not in values and "hostname" not in wrong:
        values["hostname"] = (hostname or default_hostname)()
    if "max_sessions" in values and "max_sessions_per_client" not in values:
        values["max_sessions_per_client"] = min(MAX_SESSIONS_PER_CLIENT, values["max_sessions"])
    # Wrong settings stand at their defaults here, so that the others can still be checked together.
    config = Config(**values)
    mistakes += [mistake for mistake, about in _disagreements(config, said) if not about & wrong]
    return mistakes or config


def origins(environ: Mapping[str, str], *, toml: Path | None = None) -> dict[str, str]:
    """Where each setting that was said was said, by its variable: ``environment`` or a place in the file."""
    said, _ = _gather(environ, toml)
    return {
        setting.variable: said[setting.name].where or "environment"
        for setting in SETTINGS
        if setting.name in said
    }


def default_hostname() -> str:
    """The full name of this machine, as far as it can be a domain name; "localhost" where it cannot."""
    name = socket.gethostname()
    # getfqdn asks the DNS, which may take its time: only where the system's own name is not full.
    full = name if "." in name else socket.getfqdn(name)
    for candidate in (full, name):
        try:
            return domain_name(candidate)
        except ValueError:
            continue
    return "localhost"


def _gather(environ: Mapping[str, str], toml: Path | None) -> tuple[dict[str, _Said], list[ConfigMistake]]:
    path = toml or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    named_by = "--config" if toml else CONFIG_VARIABLE
    said: dict[str, _Said] = {}
    mistakes: list[ConfigMistake] = []
    if path is not None:
        said, mistakes = _gather_file(path, named_by)
    by_variable = {setting.variable: setting for setting in SETTINGS}
    for variable, text in environ.items():
        if variable in by_variable:
            said[by_variable[variable].name] = _Said(text, "")
        elif (
            variable.startswith(PREFIX)
            and variable != CONFIG_VARIABLE
            and not variable.startswith(ADMIN_PREFIX)
        ):
            mistakes.append(_unknown(variable, "", [*by_variable, CONFIG_VARIABLE]))
    return said, mistakes


def _gather_file(path: Path, named_by: str) -> tuple[dict[str, _Said], list[ConfigMistake]]:
    # Imported here: most servers are configured by their environment alone.
    import tomllib

    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is not a regular file")
        with path.open("rb") as file:
            octets = file.read(MAX_FILE_OCTETS + 1)
        if len(octets) > MAX_FILE_OCTETS:
            raise ValueError(f"it is larger than {MAX_FILE_OCTETS} octets")
        text = octets.decode("utf-8-sig")
        table = tomllib.loads(text)
    except OSError as error:
        return {}, [_file_mistake(path, named_by, f"the file cannot be read: {error.strerror}")]
    except RecursionError:
        return {}, [_file_mistake(path, named_by, "it is nested too deeply")]
    except UnicodeError:
        return {}, [_file_mistake(path, named_by, "it is not UTF-8 text")]
    except ValueError as error:
        return {}, [_file_mistake(path, named_by, str(error))]
    names = {setting.name for setting in SETTINGS}
    said: dict[str, _Said] = {}
    mistakes: list[ConfigMistake] = []
    for key, value in table.items():
        where = _place(path, text, key)
        if key in names:
            said[key] = _text_of(value, where)
        else:
            mistakes.append(_unknown(key, where, names))
    return said, mistakes


def _file_mistake(path: Path, named_by: str, problem: str) -> ConfigMistake:
    return ConfigMistake(named_by, "", _quoted(str(path)), problem, "path of a readable TOML file")


def _place(path: Path, text: str, key: str) -> str:
    # tomllib tells no lines, so the key is looked for where it is usually written.
    match = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[=.]", text, re.MULTILINE)
    line = f":{text.count(chr(10), 0, match.start()) + 1}" if match else ""
    return f"{_printable(str(path))}{line}"


def _text_of(value: object, where: str) -> _Said:
    match value:
        case bool():
            return _Said("true" if value else "false", where, "it is a boolean")
        case str() | int() | float():
            return _Said(str(value), where)
        case list() if all(isinstance(item, str) and "," not in item for item in value):
            return _Said(",".join(value), where)
        case list():
            return _Said("[...]", where, "it is a list of something else than texts without commas")
        case _:
            return _Said("...", where, "it is neither a text nor a number nor a list of texts")


def _value(setting: Setting, said: _Said | None, role: Role, fetch: Fetch) -> object | ConfigMistake | None:
    """The parsed value, a mistake, or None where the default applies."""
    if said is None or (said.text.strip() == "" and setting.blank and not said.fault):
        if role in setting.needed:
            return ConfigMistake(setting.variable, "", "", "it is not set", setting.expected)
        return None
    problem = said.fault
    if not problem:
        text = said.text.strip()
        try:
            if setting.kept and (reference := setting.kept.refer(text)):
                return setting.kept.value(reference, fetch(reference))
            return setting.parse(text)
        except ValueError as error:
            problem = str(error) if said.text.strip() else "it is empty"
    return _mistake(setting, said, problem)


def _mistake(setting: Setting, said: _Said | None, problem: str) -> ConfigMistake:
    hidden = said is not None and (setting.secret or PEM_BEGIN in said.text)
    value = "" if said is None else MASK if hidden and said.text else _quoted(said.text)
    # The variable names the setting, whichever way it was said; the key stands where the file says it.
    where = f"{setting.key} in {said.where}" if said is not None and said.where else ""
    return ConfigMistake(setting.variable, where, value, problem, setting.expected)


def _unknown(name: str, where: str, known: Iterable[str]) -> ConfigMistake:
    # Imported here: only a mistake needs it.
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), 1)
    problem = f"there is no such setting; did you mean {near[0]}?" if near else "there is no such setting"
    return ConfigMistake(_printable(name), where, "", problem, "" if near else "one of `mxgw settings`")


def _disagreements(config: Config, said: Mapping[str, _Said]) -> list[tuple[ConfigMistake, set[str]]]:
    """Settings that are right one by one and wrong together, with the names that each mistake is about."""
    found: list[tuple[ConfigMistake, set[str]]] = []

    def complain(name: str, problem: str, *others: str) -> None:
        setting = next(setting for setting in SETTINGS if setting.name == name)
        found.append((_mistake(setting, said.get(name), problem), {name, *others}))

    if (config.tls_cert is None) != (config.tls_key is None):
        given, missing = ("tls_cert", "tls_key") if config.tls_cert else ("tls_key", "tls_cert")
        complain(given, f"{PREFIX}{missing.upper()} is missing; the two go together", missing)
    if config.max_sessions_per_client > config.max_sessions:
        complain("max_sessions_per_client", "it is more than MXGW_MAX_SESSIONS", "max_sessions")
    if config.max_spool_octets < config.max_message_octets:
        complain("max_spool_octets", "a message of MXGW_MAX_MESSAGE_OCTETS has no room", "max_message_octets")
    if config.connect_seconds >= config.relay_seconds:
        complain("connect_seconds", "it is not less than MXGW_RELAY_SECONDS", "relay_seconds")
    if Check.DNSBL in config.checks and not config.dnsbl_zones:
        complain("checks", "it names dnsbl, and MXGW_DNSBL_ZONES is empty", "dnsbl_zones")
    if config.dnsbl_zones and Check.DNSBL not in config.checks:
        complain("dnsbl_zones", "nobody asks them: MXGW_CHECKS does not name dnsbl", "checks")
    if Check.DMARC in config.checks and config.checks.isdisjoint({Check.SPF, Check.DKIM}):
        complain("checks", "dmarc rests on spf and dkim, and neither is named")
    if config.null_mx is NullMxPolicy.REJECT and Check.SPF not in config.checks:
        complain("null_mx", "it is asked beside spf, which MXGW_CHECKS does not name", "checks")
    if config.received_spf is OnOff.ON and Check.SPF not in config.checks:
        complain("received_spf", "there is no result: MXGW_CHECKS does not name spf", "checks")
    if config.listen.port and config.listen == config.http_listen:
        complain("http_listen", "it is the same as MXGW_LISTEN", "listen")
    if "home" in said and Address(*config.home) == Address(*config.listen):
        complain("home", "it is our own MXGW_LISTEN: mail would go round for ever", "listen")
    return found


def _quoted(text: str) -> str:
    short = text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "..."
    return f'"{_printable(short)}"'


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
