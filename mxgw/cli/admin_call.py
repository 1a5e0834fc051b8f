"""One call of an admin command: what it prints, on a terminal or as JSON, and what it asks."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from mxgw.admin import forms
from mxgw.admin.access import DatabaseAccess, database_access, doveadm_access
from mxgw.admin.mailstore import MailStore
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_spoken import Spoken, SpokenGroup, language_option
from mxgw.cli.terminal import FAILURE, MISTAKE, console, on_terminal, plain

MAX_TRIES = 5
"""A wrong answer is asked for again so often; then whoever types is no person."""

MAX_PASSWORD_FILE_OCTETS = 4096

Parsed = TypeVar("Parsed")
Json = Mapping[str, object]
Cell = str | tuple[str, str]
"""Text of a table, or text with a style."""


class Call:
    """What a command needs beside its arguments."""

    def __init__(self, words: Words, *, as_json: bool, environ: Mapping[str, str]) -> None:
        self.words = words
        self.as_json = as_json
        self.environ = environ
        self.incomplete = False
        """Something is left to be done by hand: exit code 1."""
        self._did = False
        self._warnings: list[str] = []

    # -- where things are ---------------------------------------------------------------------------------

    @property
    def database(self) -> DatabaseAccess:
        """Of the environment; raises Refused."""
        return database_access(self.environ)

    @property
    def store(self) -> MailStore | None:
        """Dovecot's administration, where the environment names it; raises Refused."""
        access = doveadm_access(self.environ)
        return MailStore(access) if access else None

    # -- telling ------------------------------------------------------------------------------------------

    def done(
        self,
        key: str,
        *,
        shown: Mapping[str, str] | None = None,
        more: Json | None = None,
        **facts: str | int,
    ) -> None:
        """The one line that says what has happened; ``shown`` are facts in the form that people read,
        ``more`` are for programs alone."""
        self._did = True
        if self.as_json:
            result = {"ok": not self.incomplete, "did": key, **facts, **(more or {})}
            self.print_json({**result, "warnings": self._warnings} if self._warnings else result)
        else:
            text = self.words(key, **_plain({**facts, **(shown or {})}))
            console().print(f"{self.words('sign-done')} {text}", style="green", soft_wrap=True)

    def say(self, key: str, **facts: str | int) -> None:
        """A line for people."""
        if not self.as_json:
            click.echo(self.words(key, **_plain(facts)))

    def warn(self, key: str, **facts: str | int) -> None:
        """What is done, but not wholly; call it before ``done``."""
        text = self.words(key, **_plain(facts))
        self._warnings.append(key)
        console(stderr=True).print(f"mxgw: {text}", style="yellow", soft_wrap=True)

    def show(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], facts: Sequence[Json]) -> None:
        """A list: ``rows`` under the catalogue's ``column-...``, or ``facts`` as JSON."""
        if self.as_json:
            self.print_json(list(facts))
            return
        # Imported here: only people pay for it.
        from mxgw.cli.listing import print_list

        labels = [self.words(f"column-{column}") for column in columns]
        print_list(console(), labels, [[_styled(cell) for cell in row] for row in rows])

    def refuse(self, refused: Refused) -> NoReturn:
        """Say why, and end: 1 where something broke, 2 where the request is the mistake."""
        sentence = self.words(refused.key, **_plain(refused.facts))
        if self.as_json:
            self.print_json({"ok": False, "error": refused.key, "message": sentence})
        click.echo(f"mxgw: {sentence}", err=True)
        raise SystemExit(FAILURE if refused.failure else MISTAKE)

    def stopped(self) -> NoReturn:
        """Whoever called has gone away in the middle, or at a question before anything was done."""
        click.echo(err=True)
        self.refuse(Refused("interrupted" if self._did else "nothing-changed", failure=True))

    def print_json(self, facts: object) -> None:
        """Facts for a program."""
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))

    # -- asking -------------------------------------------------------------------------------------------

    def asked(self, given: str | None, name: str, parse: Callable[[str], Parsed]) -> Parsed:
        """An argument, or the answer to ``ask-NAME`` on a terminal, again until it can be used."""
        if given is not None:
            return parse(given)
        if not sys.stdin.isatty():
            raise Refused("missing-argument", name=name.upper())
        return self._until(self.words(f"ask-{name}"), parse)

    def confirmed(self, key: str, *, yes: bool, **facts: str | int) -> None:
        """Goes on where the answer is yes; ends without any change where it is no."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise Refused("needs-yes")
        question = self.words(key, **_plain(facts))
        if not self._until(f"{question} {self.words('ask-yes-no')}", _yes_or_no):
            raise Refused("nothing-changed", failure=True)

    def agreed(self, key: str, *, yes: bool, **facts: str | int) -> bool:
        """Whether the answer is yes; without a terminal, whether ``yes`` was said beforehand."""
        if yes or not sys.stdin.isatty() or self.as_json:
            return yes
        question = self.words(key, **_plain(facts))
        return self._until(f"{question} {self.words('ask-yes-no')}", _yes_or_no)

    def password(self, mailbox: str, file: str | None) -> str:
        """A new password: from a file, from a pipe ("-"), or asked for twice without being shown."""
        if file is not None:
            return forms.password(_first_line(file), mailbox=mailbox)
        if not sys.stdin.isatty():
            raise Refused("password-needs-terminal")
        for _ in range(MAX_TRIES):
            try:
                first = forms.password(self._hidden(self.words("ask-password")), mailbox=mailbox)
                if self._hidden(self.words("ask-password-again")) == first:
                    return first
                raise Refused("passwords-differ")
            except Refused as why:
                self._tell_again(why)
        raise Refused("too-many-tries")

    def secret(self, key: str, file: str | None, **facts: str) -> str:
        """A password of elsewhere, as it is: from a file, from a pipe ("-"), or asked for unseen."""
        if file is None and not sys.stdin.isatty():
            raise Refused("password-needs-terminal")
        text = self._hidden(self.words(key, **_plain(facts))) if file is None else _first_line(file)
        if not text:
            raise Refused("import-secret-empty")
        return text

    def _until(self, question: str, parse: Callable[[str], Parsed]) -> Parsed:
        for _ in range(MAX_TRIES):
            answer = click.prompt(question, default="", show_default=False, prompt_suffix=" ", err=True)
            try:
                return parse(answer)
            except Refused as why:
                self._tell_again(why if forms.typed(answer) else Refused("nothing-typed"))
        raise Refused("too-many-tries")

    def _hidden(self, question: str) -> str:
        try:
            return getpass.getpass(f"{question} ")
        except (EOFError, KeyboardInterrupt):
            raise click.Abort from None

    def _tell_again(self, why: Refused) -> None:
        click.echo(self.words(why.key, **_plain(why.facts)), err=True)


def spoken(
    name: str, words: Words, act: Callable[..., None], parameters: Sequence[click.Parameter] = ()
) -> Spoken:
    """A command that calls ``act(call, **parameters)``; its texts are ``help-NAME`` and ``short-NAME``.

    ``name`` has its group in front: "user-add".
    """

    def callback(as_json: bool, **given: Any) -> None:
        call = Call(words, as_json=as_json or not on_terminal(), environ=os.environ)
        try:
            act(call, **given)
            if call.incomplete:
                raise SystemExit(FAILURE)
        except Refused as refused:
            call.refuse(refused)
        except click.Abort:
            call.stopped()
        except KeyboardInterrupt:
            click.echo(err=True)
            call.refuse(Refused("interrupted", failure=True))

    return Spoken(
        name.rpartition("-")[2],
        words,
        callback=callback,
        params=[
            *parameters,
            click.Option(["--json", "as_json"], is_flag=True, help=words("option-json")),
            language_option(words),
        ],
        help=words(f"help-{name}"),
        short_help=words(f"short-{name}"),
    )


def spoken_group(name: str, words: Words) -> SpokenGroup:
    """A group of such commands; its texts are ``help-NAME`` and ``short-NAME``."""
    return SpokenGroup(
        name,
        words,
        params=[language_option(words)],
        help=words(f"help-{name}"),
        short_help=words(f"short-{name}"),
    )


def _styled(cell: Cell) -> tuple[str, str]:
    text, style = (cell, "") if isinstance(cell, str) else cell
    return plain(text), style


def _yes_or_no(answer: str) -> bool:
    meant = forms.typed(answer).lower()
    if meant in {"y", "yes", "はい"}:
        return True
    if meant in {"n", "no", "いいえ", ""}:
        return False
    raise Refused("answer-yes-or-no")


def _first_line(file: str) -> str:
    """The password in a file of one line, or on standard input."""
    try:
        if file == "-":
            if sys.stdin.isatty():
                raise Refused("password-needs-pipe")
            octets = sys.stdin.buffer.read(MAX_PASSWORD_FILE_OCTETS + 1)
        else:
            with Path(file).open("rb") as opened:
                octets = opened.read(MAX_PASSWORD_FILE_OCTETS + 1)
        text = octets.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError):
        raise Refused("password-file-unreadable", path=forms.shown(file)) from None
    if "\n" in text or len(octets) > MAX_PASSWORD_FILE_OCTETS:
        raise Refused("password-file-many-lines", path=forms.shown(file))
    return text


def _plain(facts: Mapping[str, str | int]) -> dict[str, str | int]:
    """Nothing that came from elsewhere steers the terminal."""
    return {name: plain(value) if isinstance(value, str) else value for name, value in facts.items()}
