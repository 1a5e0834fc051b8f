"""``mxgw settings``: the table of settings, for people, for programs, and for the manual."""

from __future__ import annotations

import json

import click

from mxgw.cli.bilingual import Bilingual
from mxgw.cli.terminal import console, on_terminal
from mxgw.config import CONFIG_VARIABLE, SETTINGS, Role, Setting, show

_MANUAL_HEAD = f"""\
# Configuration

Made by `mxgw settings --markdown`; do not edit.

Settings come from environment variables and from a TOML file, which `--config FILE` or `{CONFIG_VARIABLE}`
names; its keys are the variables in lower case without `MXGW_`, its lists may be written as lists. The
environment wins over the file. Everything is checked at the start, and every mistake is named at once.
`mxgw check` shows what is in effect and tries it.

設定は環境変数と TOML ファイル (`--config FILE` または `{CONFIG_VARIABLE}`) から読みます。
TOML のキーは変数名から `MXGW_` を除いた小文字です。環境変数が優先されます。
誤りは起動時にまとめて表示されます。有効な設定は `mxgw check` で確認できます。

| variable | default | expected form | meaning | 意味 |
|---|---|---|---|---|
"""


@click.command("settings", cls=Bilingual)
@click.option("--markdown", "form", flag_value="markdown", help="Print the manual's table.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
def command(form: str | None) -> None:
    """List every setting: variable, default, expected form, meaning in English and Japanese.

    Example: mxgw settings | grep SESSIONS
    """
    match form:
        case "markdown":
            click.echo(markdown(), nl=False)
        case "json":
            click.echo(json.dumps([_facts(setting) for setting in SETTINGS], ensure_ascii=False, indent=2))
        case _ if on_terminal():
            _print_list()
        case _:
            for setting in SETTINGS:
                words = (setting.variable, default_text(setting), setting.expected, setting.meaning)
                click.echo("\t".join(words))


def markdown() -> str:
    """The manual, docs/configuration.md."""
    rows = (
        (
            f"`{setting.variable}`",
            default_text(setting),
            setting.expected,
            setting.meaning,
            setting.meaning_ja,
        )
        for setting in SETTINGS
    )
    return _MANUAL_HEAD + "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)


def default_text(setting: Setting) -> str:
    """The default, and that of other roles where it differs; "needed" where there can be none."""
    shown = setting.default_text
    if setting.needed:
        shown = f"needed ({', '.join(role for role in Role if role in setting.needed)})"
    others = [f"{role}: {show(setting.defaults[role])}" for role in Role if role in setting.defaults]
    return "; ".join([shown or "none", *others])


def _facts(setting: Setting) -> dict[str, object]:
    return {
        "variable": setting.variable,
        "key": setting.key,
        "default": default_text(setting),
        "expected": setting.expected,
        "meaning": setting.meaning,
        "meaning_ja": setting.meaning_ja,
        "secret": setting.secret,
    }


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _print_list() -> None:
    from rich.text import Text

    text = Text()
    for setting in SETTINGS:
        text.append(setting.variable, style="bold cyan").append("  default: ", style="dim")
        text.append(f"{default_text(setting)}\n", style="green")
        text.append(f"    {setting.meaning}\n    {setting.meaning_ja}\n")
        text.append(f"    expected: {setting.expected}\n\n", style="dim")
    console().print(text, end="")
