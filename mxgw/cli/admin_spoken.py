"""Commands that speak the user's language: help, usage errors and sentences out of one catalogue."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

import click

from mxgw.admin.words import Language, Words, language_named, language_of
from mxgw.cli.columns import columns, folded, paragraphs, width
from mxgw.cli.terminal import MISTAKE, plain

INDENTATION = 2

LEAST_TEXT_COLUMNS = 30
"""Where less is left beside the names of options or commands, their texts stand below them."""

ALIKE = 0.65
"""How much a word must be like another (difflib) to have been meant: "amdin", "ad" for "add"."""


def words_for(arguments: Sequence[str]) -> Words:
    """The language that --lang names anywhere on the command line, else the environment's.

    Read before anything else, since --help and mistakes are to be in that language too.
    """
    for index, argument in enumerate(arguments):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if name == "--lang":
            value = value if equals else "".join(arguments[index + 1 : index + 2])
            return Words(language_named(value) or language_of(os.environ))
    return Words(language_of(os.environ))


class Spoken(click.Command):
    """A command with its texts in ``words``; ``help`` is set for the terminal, its examples as they stand."""

    def __init__(self, name: str, words: Words, **settings: Any) -> None:  # click's own settings
        super().__init__(name, context_settings={"help_option_names": ["-h", "--help"]}, **settings)
        self.words = words

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Usage, what it is for, options, commands."""
        formatter.write(self._help_text(ctx))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but what is wrong is said in the user's language."""
        if not args and self.no_args_is_help:
            click.echo(self.get_help(ctx), err=True)
            ctx.exit(MISTAKE)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            refuse_usage(self.words, error, ctx)

    def _help_text(self, ctx: click.Context) -> str:
        words = self.words
        pieces = (_IN_USAGE.get(piece, piece) for piece in self.collect_usage_pieces(ctx))
        usage = " ".join(
            [ctx.command_path, *(words(it) if it in _IN_USAGE.values() else it for it in pieces)]
        )
        parts = [f"{words('help-usage')} {usage}\n", _indented(self.help or "")]
        options = [self._option_line(option, ctx) for option in self.get_params(ctx)]
        parts.append(_listed(words("help-options"), [line for line in options if line]))
        parts.append(_listed(words("help-commands"), self._command_lines(ctx)))
        return "\n".join(part for part in parts if part)

    def _option_line(self, option: click.Parameter, ctx: click.Context) -> tuple[str, str] | None:
        record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
        if record is None:
            return None
        return record[0], self.words("option-help") if "--help" in option.opts else record[1]

    def _command_lines(self, ctx: click.Context) -> list[tuple[str, str]]:
        del ctx
        return []


class SpokenGroup(Spoken, click.Group):
    """A group of such commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but what is wrong is said in the user's language."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            refuse_command(self.words, args[0], ctx)

    def _command_lines(self, ctx: click.Context) -> list[tuple[str, str]]:
        found = ((name, self.get_command(ctx, name)) for name in self.commands)
        return [(name, command.short_help or "") for name, command in found if command is not None]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are needed."""
        return list(self.commands)


def refuse_usage(words: Words, error: click.UsageError, ctx: click.Context) -> NoReturn:
    """Say what is wrong with the command line, where help is, and end."""
    near: list[str] = []
    if isinstance(error, click.NoSuchOption):
        near = get_close_matches(error.option_name, error.possibilities or [], cutoff=ALIKE)
    _refuse(words, _sentence(words, error), ctx, [f"{ctx.command_path} {name}" for name in near])


def refuse_command(words: Words, name: str, ctx: click.Context, meant: Sequence[str] = ()) -> NoReturn:
    """The same for a command that is not there; ``meant`` is what it may have been, else what is like it."""
    known = ctx.command.list_commands(ctx) if isinstance(ctx.command, click.Group) else []
    near = meant or get_close_matches(name, known, cutoff=ALIKE)
    sentence = words("usage-no-command", name=plain(name))
    _refuse(words, sentence, ctx, [f"{ctx.command_path} {one}" for one in near])


def _refuse(words: Words, sentence: str, ctx: click.Context, near: Sequence[str]) -> NoReturn:
    click.echo(f"mxgw: {sentence}", err=True)
    if near:
        click.echo(words("usage-did-you-mean", commands=", ".join(near)), err=True)
    click.echo(words("usage-try-help", command=ctx.command_path), err=True)
    raise SystemExit(MISTAKE)


def _sentence(words: Words, error: click.UsageError) -> str:
    match error:
        case click.NoSuchOption():
            return words("usage-no-option", name=plain(error.option_name))
        case click.BadOptionUsage():
            return words("usage-bad-option", name=plain(error.option_name))
        case click.MissingParameter():
            return words("usage-missing", name=_name(error.param))
        case click.BadParameter() if isinstance(error.param, click.Option) and isinstance(
            error.param.type, click.Choice
        ):
            choices = ", ".join(map(str, error.param.type.choices))
            return words("usage-choice", name=_name(error.param), choices=choices)
        case click.BadParameter() if error.param and isinstance(error.param.type, click.File | click.Path):
            return words("usage-no-file", name=_name(error.param))
        case click.BadParameter() if form := _form(error.param):
            return words("usage-bad-form", name=_name(error.param), form=form)
        case click.BadParameter():
            return words("usage-bad-value", name=_name(error.param))
        case _:
            return words("usage-too-many")


def _name(parameter: click.Parameter | None) -> str:
    if isinstance(parameter, click.Option):
        return parameter.opts[-1]
    return parameter.make_metavar(click.Context(click.Command(""))) if parameter else ""


def _form(parameter: click.Parameter | None) -> str:
    """How the value of an option is written, where its name in --help says so ("HOST:PORT")."""
    if not isinstance(parameter, click.Option):
        return ""
    form = parameter.make_metavar(click.Context(click.Command("")))
    return form if ":" in form else ""


_IN_USAGE = {"[OPTIONS]": "help-any-options", "COMMAND [ARGS]...": "help-any-command"}
"""What click writes, and the catalogue's word for it."""


def _indented(text: str) -> str:
    lines = paragraphs(text, columns() - INDENTATION)
    return "".join(f"{' ' * INDENTATION}{line}".rstrip() + "\n" for line in lines)


def _listed(title: str, lines: Sequence[tuple[str, str]]) -> str:
    """A definition list; a text of several lines keeps its column."""
    if not lines:
        return ""
    names = INDENTATION + max(width(name) for name, _ in lines) + 2
    left = columns() - names
    beside = left >= LEAST_TEXT_COLUMNS
    at = names if beside else 3 * INDENTATION
    listed = [f"{title}\n"]
    for name, text in lines:
        head = f"{' ' * INDENTATION}{name}"
        rows = folded(text, columns() - at)
        if beside:
            head += " " * (names - width(head)) + rows.pop(0)
        listed += [f"{head.rstrip()}\n", *(f"{' ' * at}{row}\n" for row in rows)]
    return "".join(listed)


def language_option(words: Words) -> click.Option:
    """--lang: read by ``words_for`` already; here it is checked."""
    return click.Option(
        ["--lang"],
        type=click.Choice([language.value for language in Language]),
        expose_value=False,
        help=words("option-lang"),
    )
