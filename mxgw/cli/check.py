"""``mxgw check``: the effective configuration, and whether what it names works."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mxgw.cli.bilingual import Bilingual
from mxgw.cli.terminal import (
    FAILURE,
    MISTAKE,
    config_option,
    console,
    fail,
    from_aws,
    mistakes_text,
    on_terminal,
    plain,
)
from mxgw.config import SETTINGS, Config, Role, load, origins, show

if TYPE_CHECKING:
    from mxgw.cli.tries import Finding, Level


@click.command("check", cls=Bilingual)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as is done where stdout is no terminal.")
@config_option
def command(as_json: bool, toml: Path | None) -> None:
    """Show the effective configuration of the edge, secrets masked, and try what it names.

    Tries: listening at the addresses; certificate and key; the spool directory; home, directly or through
    the SOCKS5 proxy, what it offers, and whether it knows postmaster. What is kept at AWS is read from there.

    The exit code is 0 where all is well, 1 where a try failed, 2 on bad configuration.

    \b
    Examples:
      mxgw check --config mxgw.toml
      mxgw check --json | jq '.tries[] | select(.level != "ok")'
    """
    as_json = as_json or not on_terminal()
    with from_aws() as fetch:
        outcome = load(os.environ, toml=toml, role=Role.EDGE, fetch=fetch)
    if not isinstance(outcome, Config):
        if as_json:
            click.echo(json.dumps({"ok": False, "mistakes": [str(mistake) for mistake in outcome]}, indent=2))
        fail(mistakes_text([str(mistake) for mistake in outcome]), code=MISTAKE)
    # Imported here: a mistake in the configuration is told before anything slow is loaded.
    from mxgw.cli.tries import Level, try_all

    settings = _settings(outcome, origins(os.environ, toml=toml))
    if not as_json:
        _print_settings(settings)
    findings = try_all(outcome)
    failed = any(finding.level is Level.FAILED for finding in findings)
    if as_json:
        tries = [{"name": it.name, "level": it.level, "detail": it.detail} for it in findings]
        click.echo(json.dumps({"ok": not failed, "settings": settings, "tries": tries}, indent=2))
    else:
        _print_findings(findings)
    sys.exit(FAILURE if failed else 0)


def _settings(config: Config, said: dict[str, str]) -> dict[str, dict[str, str]]:
    return {
        setting.variable: {
            "value": show(getattr(config, setting.name)),
            "from": said.get(setting.variable, "default"),
            "default": setting.default_text or "none",
        }
        for setting in SETTINGS
    }


def _print_settings(settings: dict[str, dict[str, str]]) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("setting", style="cyan", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for variable, facts in settings.items():
        style = "dim" if facts["from"] == "default" else ""
        value = facts["value"] or f"({facts['default']})"
        table.add_row(variable, plain(value), plain(facts["from"]), style=style)
    console().print(table)


def _print_findings(findings: list[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    styles = {"ok": "green", "warning": "yellow", "failed": "bold red"}
    table = Table(box=None, header_style="bold")
    table.add_column("tried", style="cyan", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("detail", overflow="fold")
    for finding in findings:
        level: Level = finding.level
        table.add_row(finding.name, Text(level, style=styles[level]), plain(finding.detail))
    console().print()
    console().print(table)
