"""Every command that speaks both languages, as somebody meets it who has nothing but --help.

They are found by walking the program.
"""

# ruff: noqa: RUF001 - signs of Japanese

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner, Result

from mxgw.admin.words import Language, Words
from mxgw.cli import COMMANDS as PURPOSES_IN_ENGLISH
from mxgw.cli import group
from mxgw.cli.columns import MOST_COLUMNS, width
from mxgw.cli.in_japanese import PURPOSES
from tests.cli.support import PROGRAM, SECONDS, environment

PROGRAMS = ("admin", "deploy", "doctor", "trace")


Path = tuple[str, ...]


def tree(name: str, lang: str) -> Iterator[tuple[Path, click.Command]]:
    def below(path: Path, command: click.Command) -> Iterator[tuple[Path, click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            for part, inner in command.commands.items():
                yield from below((*path, part), inner)

    found = group.get_command(click.Context(group), name)
    assert found is not None
    # Becomes the command in this language.
    return below((name,), found.make_context(name, ["--lang", lang], resilient_parsing=True).command)


COMMANDS = {lang: dict(found for name in PROGRAMS for found in tree(name, lang)) for lang in ("en", "ja")}
EVERY = pytest.mark.parametrize("path", COMMANDS["en"], ids=" ".join)
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


def called(*arguments: str, lang: str, columns: int = MOST_COLUMNS) -> Result:
    """As somebody calls it whose locale is of that language; what it raises is raised here."""
    environ = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": f"{lang}_XX.UTF-8", "COLUMNS": str(columns)}
    result = CliRunner().invoke(group, arguments, env=environ, prog_name="mxgw")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def japanese(text: str) -> bool:
    return any("\u3040" <= character <= "\u9fff" for character in text)


def letters(text: str) -> str:
    """Without what a break of a line brings: blanks, and the backslash in an example."""
    return re.sub(r"\s|\\\n", "", text)


def texts(command: click.Command) -> dict[str, str]:
    """What --help says of the command, and of each of its options."""
    options = [option for option in command.params if isinstance(option, click.Option)]
    said = {" ".join(option.opts): option.help or "" for option in options}
    return {**said, "help": command.help or ""}


def test_there_are_many_commands() -> None:
    assert len(COMMANDS["en"]) > 50


def test_the_program_itself_speaks_japanese() -> None:
    told = called("--help", lang="ja")

    assert told.exit_code == 0
    assert max(map(width, told.stdout.splitlines())) <= MOST_COLUMNS
    assert PURPOSES.keys() == PURPOSES_IN_ENGLISH.keys()
    listed = told.stdout.partition("コマンド：")[2]
    assert [name for name, purpose in PURPOSES.items() if f"\n  {name} " not in listed] == []
    assert letters("".join(PURPOSES.values())) in letters(re.sub(r"\n  \S+", "", listed))


@LANGUAGES
@pytest.mark.parametrize(
    ("arguments", "key", "facts", "meant"),
    [
        (("user", "list"), "usage-no-command", {"name": "user"}, "mxgw admin user"),
        (("amdin",), "usage-no-command", {"name": "amdin"}, "mxgw admin"),
        (("ｈｅｌｐ",), "usage-no-command", {"name": "ｈｅｌｐ"}, ""),
        (("--versin",), "usage-no-option", {"name": "--versin"}, "mxgw --version"),
    ],
)
def test_the_program_says_what_may_have_been_meant(
    arguments: Path, key: str, facts: dict[str, str], meant: str, lang: str
) -> None:
    words = Words(Language(lang))

    told = called(*arguments, lang=lang)

    assert told.exit_code == 2
    assert told.stderr.splitlines() == [
        f"mxgw: {words(key, **facts)}",
        *([words("usage-did-you-mean", commands=meant)] if meant else []),
        words("usage-try-help", command="mxgw"),
    ]


@EVERY
def test_a_command_and_each_of_its_options_are_explained_in_both_languages(path: Path) -> None:
    english, in_japanese = (texts(COMMANDS[lang][path]) for lang in ("en", "ja"))

    assert english.keys() == in_japanese.keys()
    assert [name for name, text in english.items() if not text or japanese(text)] == []
    assert [name for name, text in in_japanese.items() if not japanese(text)] == []


@LANGUAGES
@EVERY
def test_help_fits_a_terminal_and_loses_nothing_on_a_narrow_one(path: Path, lang: str) -> None:
    whole, narrow = (called(*path, "--help", lang=lang, columns=columns) for columns in (80, 40))

    assert [line for line in whole.stdout.splitlines() if width(line) > MOST_COLUMNS] == []
    assert letters(narrow.stdout) == letters(whole.stdout)
    command = COMMANDS[lang][path]
    if isinstance(command, click.Group):
        assert [name for name in command.commands if f"\n  {name}" not in narrow.stdout] == []


@LANGUAGES
@EVERY
def test_an_option_that_is_not_there_is_a_mistake_that_names_help(path: Path, lang: str) -> None:
    words = Words(Language(lang))

    told = called(*path, "--nonsense", lang=lang)

    assert told.exit_code == 2
    assert told.stdout == ""
    place = " ".join(("mxgw", *path))
    assert told.stderr.splitlines() == [
        f"mxgw: {words('usage-no-option', name='--nonsense')}",
        words("usage-try-help", command=place),
    ]


@LANGUAGES
@EVERY
def test_a_language_that_is_not_spoken_is_refused_everywhere(path: Path, lang: str) -> None:
    told = called(*path, "--lang", "fr", lang=lang)

    assert told.exit_code == 2
    assert Words(Language(lang))("usage-choice", name="--lang", choices="en, ja") in told.stderr


def test_a_terminal_that_knows_no_japanese_shows_marks_instead(tmp_path: pathlib.Path) -> None:
    told = subprocess.run(
        [PROGRAM, "admin", "queue", "list", "--lang", "ja", "--stack", str(tmp_path)],
        env={**environment({"MXGW_DOCKER": str(tmp_path / "none"), "PYTHONIOENCODING": "latin-1"})},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )

    assert told.returncode == 1
    assert b"Traceback" not in told.stderr
    assert b"docker ?" in told.stderr
    assert json.loads(told.stdout)["error"] == "docker-missing"
