"""What becomes of a message for what Rspamd said: every action, every fault, each with every circumstance."""

from __future__ import annotations

from itertools import product

import pytest

from mxgw.config import Unscanned
from mxgw.scanner.answer import Action, Answer, Fault
from mxgw.scanner.judgement import NOT_NOW, NOT_SCANNED, SPAM, VIRUS, Handling, judge

ACCEPT, DEFER = Unscanned.ACCEPT, Unscanned.DEFER

# Rspamd's action | what a message gets | what it gets if the edge said Junk
TABLE = {
    Action.NO_ACTION: (Handling.DELIVER, Handling.JUNK),
    Action.GREYLIST: (Handling.DELIVER, Handling.JUNK),
    Action.ADD_HEADER: (Handling.JUNK, Handling.JUNK),
    Action.REWRITE_SUBJECT: (Handling.JUNK, Handling.JUNK),
    Action.QUARANTINE: (Handling.JUNK, Handling.JUNK),
    Action.SOFT_REJECT: (Handling.DEFER, Handling.DEFER),
    Action.REJECT: (Handling.REJECT, Handling.REJECT),
    Action.DISCARD: (Handling.REJECT, Handling.REJECT),
}
EVERY_CIRCUMSTANCE = list(product(Action, (False, True), (False, True), (False, True), Unscanned))


def test_the_table_has_every_action() -> None:
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("edge_says_junk", [False, True])
@pytest.mark.parametrize("unscanned", Unscanned)
def test_a_whole_answer_is_carried_out(action: Action, edge_says_junk: bool, unscanned: Unscanned) -> None:
    judgement = judge(Answer(action), edge_says_junk=edge_says_junk, unscanned=unscanned)

    assert judgement.handling is TABLE[action][edge_says_junk]
    assert judgement.word == action.value.replace(" ", "-")


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("edge_says_junk", [False, True])
def test_without_an_answer_the_administrators_word_counts(fault: Fault, edge_says_junk: bool) -> None:
    deferred = judge(fault, edge_says_junk=edge_says_junk, unscanned=DEFER)
    accepted = judge(fault, edge_says_junk=edge_says_junk, unscanned=ACCEPT)

    assert (deferred.handling, deferred.reply) == (Handling.DEFER, NOT_SCANNED)
    assert accepted.handling is (Handling.JUNK if edge_says_junk else Handling.DELIVER)
    assert deferred.word == accepted.word == fault.value


@pytest.mark.parametrize("action", Action)
def test_without_the_virus_scanner_only_a_refusal_stands(action: Action) -> None:
    said = Answer(action, virus_scan_failed=True)

    judgement = judge(said, edge_says_junk=False, unscanned=DEFER)

    refused = TABLE[action][0] is Handling.REJECT
    assert judgement.handling is (Handling.REJECT if refused else Handling.DEFER)


@pytest.mark.parametrize("action", Action)
def test_where_the_administrator_takes_mail_unscanned_the_action_still_counts(action: Action) -> None:
    said = Answer(action, virus_scan_failed=True)

    assert judge(said, edge_says_junk=False, unscanned=ACCEPT).handling is TABLE[action][0]


@pytest.mark.parametrize(("action", "virus", "failed", "junk", "unscanned"), EVERY_CIRCUMSTANCE)
def test_what_is_said_goes_with_what_is_done(
    action: Action, virus: bool, failed: bool, junk: bool, unscanned: Unscanned
) -> None:
    said = Answer(action, virus=virus, virus_scan_failed=failed)

    judgement = judge(said, edge_says_junk=junk, unscanned=unscanned)

    match judgement.handling:
        case Handling.REJECT:
            assert judgement.reply == (VIRUS if virus else SPAM)
        case Handling.DEFER:
            assert judgement.reply in {NOT_NOW, NOT_SCANNED}
        case _:
            assert judgement.reply is None


@pytest.mark.parametrize(("action", "virus", "failed", "junk", "unscanned"), EVERY_CIRCUMSTANCE)
def test_nothing_but_rspamds_refusal_is_a_5xx(
    action: Action, virus: bool, failed: bool, junk: bool, unscanned: Unscanned
) -> None:
    said = Answer(action, virus=virus, virus_scan_failed=failed)

    reply = judge(said, edge_says_junk=junk, unscanned=unscanned).reply

    assert (reply is not None and reply.permanent) == (action in {Action.REJECT, Action.DISCARD})
