"""What is done with a message, as a table that an administrator can read, and as laws over all cases."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from mxgw.config.rows import DmarcPolicy, DnsblPolicy
from mxgw.msgauth.arc import ArcVerdict
from mxgw.msgauth.author import Author
from mxgw.msgauth.disposition import (
    DMARC_REFUSED,
    NO_ANSWER,
    NO_AUTHOR_REFUSED,
    SEAL_UNKNOWN,
    Disposition,
    DispositionReason,
    Handling,
    Override,
    dispose,
    refusing_list,
)
from mxgw.msgauth.dmarc import DmarcVerdict, Policy
from mxgw.msgauth.dmarc_record import Alignment, DmarcRecord, Psd
from mxgw.msgauth.dnsbl import DnsblResult, Listing
from mxgw.msgauth.results import Result

TRUSTED = frozenset({"lists.example", "forwarder.example"})
CLEAR = Author(("example.com",), "")
TWO_DOMAINS = Author(("example.com", "example.org"), "")
UNCLEAR = Author((), "2 From fields")
VOUCHING = "lists.example; dmarc=pass header.from=example.com"
DENYING = "lists.example; dmarc=fail header.from=example.com"


def dmarc(
    result: Result, policy: Policy = Policy.NONE, published: Policy | None = None, *, known: bool = True
) -> DmarcVerdict:
    record = DmarcRecord(
        p=published or policy,
        sp=None,
        np=None,
        psd=Psd.UNKNOWN,
        t=published is not None,
        adkim=Alignment.RELAXED,
        aspf=Alignment.RELAXED,
        rua=(),
        text="",
    )
    return DmarcVerdict(
        result,
        "example.com",
        "example.com",
        policy=policy,
        published=published or policy,
        record=record if known else None,
    )


def arc(
    result: Result, sealer: str = "lists.example", results: str = VOUCHING, *, temporary: bool = False
) -> ArcVerdict:
    sealers = (sealer, "first.example") if result is not Result.NONE else ()
    return ArcVerdict(result, "", temporary, sealers, 0 if result is Result.PASS else None, True, results, ())


DMARC = {
    "not checked": None,
    "pass": dmarc(Result.PASS, Policy.REJECT),
    "no record": dmarc(Result.NONE, known=False),
    "bad record": dmarc(Result.PERMERROR),
    "fail, none": dmarc(Result.FAIL, Policy.NONE),
    "fail, quarantine": dmarc(Result.FAIL, Policy.QUARANTINE),
    "fail, reject": dmarc(Result.FAIL, Policy.REJECT),
    "fail, quarantine in test": dmarc(Result.FAIL, Policy.NONE, Policy.QUARANTINE),
    "fail, reject in test": dmarc(Result.FAIL, Policy.QUARANTINE, Policy.REJECT),
    "unknown policy": dmarc(Result.TEMPERROR, known=False),
    "unsure, none": dmarc(Result.TEMPERROR, Policy.NONE),
    "unsure, quarantine": dmarc(Result.TEMPERROR, Policy.QUARANTINE),
    "unsure, reject": dmarc(Result.TEMPERROR, Policy.REJECT),
}
ARC = {
    "not checked": None,
    "none": arc(Result.NONE),
    "trusted, vouches": arc(Result.PASS),
    "trusted, does not vouch": arc(Result.PASS, results=DENYING),
    "stranger vouches": arc(Result.PASS, "stranger.example"),
    "broken": arc(Result.FAIL),
    "unsure, trusted, vouches": arc(Result.FAIL, temporary=True),
    "unsure, trusted, does not vouch": arc(Result.FAIL, results=DENYING, temporary=True),
    "unsure, stranger vouches": arc(Result.FAIL, "stranger.example", temporary=True),
}

# What is done in the three modes. Where no row has the state of ARC, the row with "*" holds.
TABLE = """
DMARC                     | ARC                      | report  | quarantine | reject  | reason
not checked               | *                        | deliver | deliver    | deliver | none
pass                      | *                        | deliver | deliver    | deliver | none
no record                 | *                        | deliver | deliver    | deliver | none
bad record                | *                        | deliver | deliver    | deliver | none
fail, none                | *                        | deliver | deliver    | deliver | dmarc-fail
fail, none                | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
fail, quarantine          | *                        | deliver | junk       | junk    | dmarc-fail
fail, quarantine          | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
fail, reject              | *                        | deliver | junk       | reject  | dmarc-fail
fail, reject              | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
fail, reject              | unsure, trusted, vouches | deliver | junk       | defer   | dmarc-fail
fail, quarantine in test  | *                        | deliver | deliver    | deliver | dmarc-fail
fail, quarantine in test  | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
fail, reject in test      | *                        | deliver | junk       | junk    | dmarc-fail
fail, reject in test      | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
unknown policy            | *                        | deliver | deliver    | defer   | dmarc-temperror
unknown policy            | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
unsure, none              | *                        | deliver | deliver    | deliver | dmarc-temperror
unsure, none              | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
unsure, quarantine        | *                        | deliver | junk       | junk    | dmarc-temperror
unsure, quarantine        | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
unsure, reject            | *                        | deliver | junk       | junk    | dmarc-temperror
unsure, reject            | trusted, vouches         | deliver | deliver    | deliver | trusted-arc
"""


def table() -> dict[tuple[str, str, DmarcPolicy], tuple[Handling, DispositionReason]]:
    """Every cell: for each state of DMARC, of ARC, and each mode."""
    lines = TABLE.strip().splitlines()[1:]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    named = {(row[0], row[1]): row[2:] for row in rows}
    assert len(named) == len(rows)
    cells = {}
    for dmarc_state, arc_state in product(DMARC, ARC):
        *handlings, reason = named.get((dmarc_state, arc_state)) or named[dmarc_state, "*"]
        for mode, handling in zip(DmarcPolicy, handlings, strict=True):
            because = "arc-temperror" if handling == "defer" and reason == "dmarc-fail" else reason
            cells[dmarc_state, arc_state, mode] = (Handling(handling), DispositionReason(because))
    return cells


def disposed(
    mode: DmarcPolicy,
    verdict: DmarcVerdict | None,
    chain: ArcVerdict | None = None,
    *,
    author: Author | None = CLEAR,
    trusted: frozenset[str] = TRUSTED,
) -> Disposition:
    return dispose(mode=mode, author=author, dmarc=verdict, arc=chain, trusted_sealers=trusted)


@pytest.mark.parametrize(("case", "expected"), table().items(), ids=lambda value: ", ".join(value))
def test_the_table(case: tuple[str, str, DmarcPolicy], expected: tuple[Handling, DispositionReason]) -> None:
    dmarc_state, arc_state, mode = case

    done = disposed(mode, DMARC[dmarc_state], ARC[arc_state])

    assert (done.handling, done.reason) == expected


LISTS = {
    "none asked": (),
    "listed": (DnsblResult("a.example", Listing.NOT_LISTED), DnsblResult("b.example", Listing.LISTED)),
    "ill": (DnsblResult("a.example", Listing.BROKEN), DnsblResult("b.example", Listing.UNAVAILABLE)),
}
EVERYTHING = list(
    product(
        DmarcPolicy,
        (None, CLEAR, TWO_DOMAINS, UNCLEAR),
        DMARC,
        ARC,
        (frozenset(), TRUSTED),
        LISTS,
        DnsblPolicy,
    )
)


def test_laws_that_hold_in_every_case() -> None:
    for mode, author, dmarc_state, arc_state, trusted, lists, dnsbl_policy in EVERYTHING:
        verdict, chain = DMARC[dmarc_state], ARC[arc_state]
        done = dispose(
            mode=mode,
            author=author,
            dmarc=verdict,
            arc=chain,
            trusted_sealers=trusted,
            dnsbl=LISTS[lists],
            dnsbl_policy=dnsbl_policy,
        )
        case = (mode, author, dmarc_state, arc_state, trusted, lists, dnsbl_policy, done)

        listed = lists == "listed" and dnsbl_policy is DnsblPolicy.REJECT
        assert (done.reason is DispositionReason.DNSBL) == listed, case
        match done.handling:
            case Handling.REJECT:
                assert done.reply is not None, case
                assert done.reply.permanent, case
                assert listed or mode is DmarcPolicy.REJECT, case
            case Handling.DEFER:
                assert done.reply is not None, case
                assert done.reply.transient, case
                assert mode is DmarcPolicy.REJECT, case
            case Handling.JUNK:
                assert done.reply is None, case
                assert mode is not DmarcPolicy.REPORT, case
            case Handling.DELIVER:
                assert done.reply is None, case
        if listed:
            continue
        unclear = author is UNCLEAR
        if done.handling is Handling.REJECT and not unclear:
            # Never for trouble with DNS, only for a failure, and only where the domain asks for it.
            assert verdict is not None, case
            assert (verdict.result, verdict.policy) == (Result.FAIL, Policy.REJECT), case
        if done.reason is DispositionReason.TRUSTED_ARC:
            assert trusted, case
            assert (arc_state, done.handling) == ("trusted, vouches", Handling.DELIVER), case
            assert author is not TWO_DOMAINS, case
        assert (done.reason is DispositionReason.NO_AUTHOR) == unclear, case


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (DmarcPolicy.REPORT, Disposition(Handling.DELIVER, DispositionReason.NO_AUTHOR)),
        (DmarcPolicy.QUARANTINE, Disposition(Handling.JUNK, DispositionReason.NO_AUTHOR)),
        (
            DmarcPolicy.REJECT,
            Disposition(Handling.REJECT, DispositionReason.NO_AUTHOR, reply=NO_AUTHOR_REFUSED),
        ),
    ],
)
def test_a_from_that_names_nobody_is_never_a_message_without_policy(
    mode: DmarcPolicy, expected: Disposition
) -> None:
    for verdict, chain in product(DMARC.values(), ARC.values()):
        assert disposed(mode, verdict, chain, author=UNCLEAR) == expected


@pytest.mark.parametrize(
    ("state", "mode", "override"),
    [
        ("pass", DmarcPolicy.REJECT, Override.NONE),
        ("fail, none", DmarcPolicy.REPORT, Override.NONE),
        ("fail, none", DmarcPolicy.REJECT, Override.NONE),
        ("fail, quarantine", DmarcPolicy.REPORT, Override.LOCAL_POLICY),
        ("fail, quarantine", DmarcPolicy.QUARANTINE, Override.NONE),
        ("fail, reject", DmarcPolicy.REPORT, Override.LOCAL_POLICY),
        ("fail, reject", DmarcPolicy.QUARANTINE, Override.LOCAL_POLICY),
        ("fail, reject", DmarcPolicy.REJECT, Override.NONE),
        ("fail, quarantine in test", DmarcPolicy.QUARANTINE, Override.POLICY_TEST_MODE),
        ("fail, quarantine in test", DmarcPolicy.REPORT, Override.POLICY_TEST_MODE),
        ("fail, reject in test", DmarcPolicy.REJECT, Override.POLICY_TEST_MODE),
        ("fail, reject in test", DmarcPolicy.REPORT, Override.LOCAL_POLICY),
        ("unsure, reject", DmarcPolicy.QUARANTINE, Override.NONE),
        ("unknown policy", DmarcPolicy.REPORT, Override.NONE),
    ],
)
def test_a_report_says_why_the_policy_was_not_carried_out(
    state: str, mode: DmarcPolicy, override: Override
) -> None:
    done = disposed(mode, DMARC[state])

    assert (done.override, done.override_comment) == (override, "")


def test_a_trusted_chain_is_told_as_the_rfc_has_it() -> None:
    """RFC 8617 section 7.2.2."""
    done = disposed(DmarcPolicy.REJECT, DMARC["fail, reject"], ARC["trusted, vouches"])

    assert (done.override, done.override_comment) == (
        "local_policy",
        "arc=pass as[2].d=lists.example as[1].d=first.example",
    )


def test_a_long_chain_makes_a_short_comment() -> None:
    chain = replace(arc(Result.PASS), sealers=("lists.example", *(f"s{n}.example" for n in range(49))))

    done = disposed(DmarcPolicy.REJECT, DMARC["fail, reject"], chain)

    assert done.override_comment.startswith("arc=pass as[50].d=lists.example as[49].d=s0.example ")
    assert done.override_comment.count(".d=") == 5


@pytest.mark.parametrize(
    ("state", "chain", "reply"),
    [
        ("fail, reject", "none", DMARC_REFUSED),
        ("fail, reject", "unsure, stranger vouches", DMARC_REFUSED),
        ("fail, reject", "unsure, trusted, does not vouch", DMARC_REFUSED),
        ("fail, reject", "unsure, trusted, vouches", SEAL_UNKNOWN),
        ("unknown policy", "none", NO_ANSWER),
        ("unsure, reject", "none", None),
    ],
)
def test_what_the_client_is_told(state: str, chain: str, reply: object) -> None:
    assert disposed(DmarcPolicy.REJECT, DMARC[state], ARC[chain]).reply is reply


def test_replies_are_short_and_of_their_class() -> None:
    assert str(DMARC_REFUSED).startswith("550 5.7.26 ")
    assert str(NO_AUTHOR_REFUSED).startswith("550 5.6.0 ")
    assert str(NO_ANSWER).startswith("451 4.7.0 ")
    assert str(SEAL_UNKNOWN).startswith("451 4.7.0 ")
    for reply in (DMARC_REFUSED, NO_AUTHOR_REFUSED, NO_ANSWER, SEAL_UNKNOWN):
        assert len(reply.encode()) < 120


def test_a_chain_that_does_not_cover_the_author_excuses_nobody() -> None:
    """Whoever gets such a message can put another From on it, and the chain still passes."""
    chain = replace(arc(Result.PASS), author_sealed=False)
    done = dispose(
        mode=DmarcPolicy.REJECT,
        author=None,
        dmarc=dmarc(Result.FAIL, Policy.REJECT),
        arc=chain,
        trusted_sealers=TRUSTED,
    )

    assert done.handling is Handling.REJECT


def test_only_the_newest_sealer_is_asked_and_only_by_its_whole_name() -> None:
    failing = DMARC["fail, reject"]
    second = replace(arc(Result.PASS, "stranger.example"), sealers=("stranger.example", "lists.example"))

    for chain in (second, arc(Result.PASS, "sub.lists.example"), arc(Result.PASS, "ists.example")):
        assert disposed(DmarcPolicy.REJECT, failing, chain).handling is Handling.REJECT


def test_a_client_on_a_list_is_refused_by_the_name_of_the_list() -> None:
    done = dispose(
        mode=DmarcPolicy.REPORT,
        author=None,
        dmarc=None,
        arc=None,
        trusted_sealers=frozenset(),
        dnsbl=LISTS["listed"],
        dnsbl_policy=DnsblPolicy.REJECT,
    )

    assert (
        str(done.reply)
        == "550 5.7.1 Your address is on the DNS list b.example; ask there to be taken off #M54"
    )


def test_the_first_list_with_the_client_refuses_it() -> None:
    assert refusing_list(LISTS["listed"], DnsblPolicy.REJECT) == LISTS["listed"][1]
    assert refusing_list(LISTS["listed"], DnsblPolicy.REPORT) is None
    assert refusing_list(LISTS["ill"], DnsblPolicy.REJECT) is None
    assert refusing_list((), DnsblPolicy.REJECT) is None
