"""``mxgw admin queue``: mail on its way out that has not left yet."""

from __future__ import annotations

import time
from pathlib import Path

import click

from mxgw.admin import forms
from mxgw.admin.queue import Queue, Waiting, age, queue_id
from mxgw.admin.stack import Stack, docker_command
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, spoken, spoken_group
from mxgw.cli.admin_stack_option import stack_option
from mxgw.cli.terminal import plain


def group(words: Words) -> click.Group:
    """The commands."""

    def one() -> click.Argument:
        return click.Argument(["name"], required=False, metavar="[ID]")

    yes = click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes"))
    made = spoken_group("queue", words)
    for command in (
        spoken("queue-list", words, show, [stack_option(words)]),
        spoken("queue-show", words, look, [one(), stack_option(words)]),
        spoken("queue-flush", words, flush, [one(), stack_option(words)]),
        spoken("queue-remove", words, remove, [one(), yes, stack_option(words)]),
    ):
        made.add_command(command)
    return made


def show(call: Call, stack: str) -> None:
    """Everything that waits, the oldest first, and why."""
    found = _queue(call, stack).waiting()
    if not found and not call.as_json:
        call.say("queue-empty")
        return
    now = time.time()
    call.show(
        ["mail", "age", "size", "mail-from", "mail-to", "reason"],
        [
            [
                one.id,
                age(now - one.since, call.words),
                forms.about(one.octets),
                one.sender or "<>",
                ", ".join(one.recipients),
                "; ".join(one.reasons) or call.words("queue-on-its-way"),
            ]
            for one in found
        ],
        [_facts(one, now) for one in found],
    )


def look(call: Call, name: str | None, stack: str) -> None:
    """One message: to whom, why it waits, and its header."""
    queue = _queue(call, stack)
    one = queue.message(call.asked(name, "queue-id", queue_id))
    header = queue.header(one.id)
    if call.as_json:
        call.print_json({**_facts(one, time.time()), "header": header})
        return
    facts = {"id": one.id, "sender": one.sender or "<>", "recipients": ", ".join(one.recipients)}
    call.say("queue-message", age=age(time.time() - one.since, call.words), **facts)
    for reason in one.reasons:
        call.say("queue-reason", reason=reason)
    click.echo("\n" + "\n".join(plain(line) for line in header.splitlines()))


def flush(call: Call, name: str | None, stack: str) -> None:
    """Try again now, instead of when Postfix would."""
    queue = _queue(call, stack)
    if name is None:
        queue.flush()
        call.done("queue-flushed")
        return
    one = queue.message(queue_id(name))
    queue.flush(one.id)
    call.done("queue-tried", id=one.id)


def remove(call: Call, name: str | None, yes: bool, stack: str) -> None:
    """A message less; asks, since nobody is told that it was not sent."""
    queue = _queue(call, stack)
    one = queue.message(call.asked(name, "queue-id", queue_id))
    to = ", ".join(one.recipients)
    call.confirmed("ask-remove-mail", yes=yes, id=one.id, sender=one.sender or "<>", recipients=to)
    queue.remove(one.id)
    call.done("queue-removed", id=one.id)


def _queue(call: Call, stack: str) -> Queue:
    return Queue(Stack(Path(stack), docker=docker_command(call.environ)))


def _facts(one: Waiting, now: float) -> dict[str, object]:
    return {
        "id": one.id,
        "queue": one.queue,
        "age_seconds": round(now - one.since),
        "octets": one.octets,
        "sender": one.sender,
        "recipients": list(one.recipients),
        "reasons": list(one.reasons),
    }
