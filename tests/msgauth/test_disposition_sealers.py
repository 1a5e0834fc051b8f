"""What a trusted sealer's results say of the author."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.msgauth.arc_word import MAX_WORD_CHARACTERS, vouches

AUTHOR = "news.example.com"
ORGANIZATION = "example.com"

GOOGLE = (
    "mx.google.com;        dkim=pass header.i=@news.example.com header.s=sel header.b=abcdefgh;        "
    "spf=pass (google.com: domain of a@news.example.com designates 192.0.2.1 as permitted sender) "
    "smtp.mailfrom=a@news.example.com;        dmarc=pass (p=REJECT sp=REJECT dis=NONE) "
    "header.from=news.example.com"
)
MICROSOFT = (
    "mx.microsoft.com 1; spf=pass smtp.mailfrom=news.example.com; dmarc=pass action=none "
    "header.from=news.example.com; dkim=pass header.d=news.example.com; arc=none"
)


@pytest.mark.parametrize(
    "results",
    [
        GOOGLE,
        MICROSOFT,
        "list.example; dmarc=pass header.from=news.example.com",
        "list.example; DMARC=PASS (x) Header.From=NEWS.Example.COM",
        'list.example 1; dmarc/1 = pass reason="x; y" header . from = joe@news.example.com',
        'list.example; dmarc=pass header.from="news.example.com"',
        "list.example (a (b) \\) c); dmarc=pass header.from=news.example.com",
        "list.example; spf=fail smtp.mailfrom=x.example; dmarc=pass header.from=news.example.com",
        # Where it does not speak of DMARC: what would have made it pass.
        "list.example; dkim=pass header.d=news.example.com",
        "list.example; dkim=pass header.d=example.com",
        "list.example; dkim=pass header.i=@mail.example.com",
        "list.example; dkim=fail header.d=x.example; dkim=pass header.d=example.com",
        "list.example; spf=pass smtp.mailfrom=bounce@news.example.com",
        'list.example; spf=pass smtp.mailfrom="a b"@news.example.com',
    ],
)
def test_a_sealer_that_saw_the_author_authenticated_vouches(results: str) -> None:
    assert vouches(results, AUTHOR, ORGANIZATION)


@pytest.mark.parametrize(
    "results",
    [
        "",
        "list.example; none",
        "dmarc=pass header.from=news.example.com",
        "list.example; dmarc=fail header.from=news.example.com; dkim=pass header.d=example.com",
        "list.example; dmarc=none header.from=news.example.com; spf=pass smtp.mailfrom=example.com",
        "list.example; dmarc=pass",
        "list.example; dmarc=pass header.from=example.com",
        "list.example; dmarc=pass header.from=x.example",
        "list.example; dmarc=passed header.from=news.example.com",
        "list.example; dmarc=pass/x header.from=news.example.com",
        "list.example; dmarc/2=pass header.from=news.example.com",
        "list.example; dmarc=pass header.from=x.example; dmarc=pass header.from=news.example.com",
        "list.example; dmarc=pass header.from=x.example header.from=news.example.com",
        "list.example; x-dmarc=pass header.from=news.example.com",
        "list.example; arc=pass; spf=fail smtp.mailfrom=example.com",
        "list.example; spf=pass smtp.helo=news.example.com",
        "list.example; spf=softfail smtp.mailfrom=example.com",
        "list.example; dkim=pass header.d=notexample.com",
        "list.example; dkim=pass header.d=x.example header.i=@example.com",
        # What a stranger got the sealer to write.
        'list.example; spf=pass smtp.mailfrom="x; dmarc=pass header.from=news.example.com"@evil.example',
        'list.example; spf=pass smtp.mailfrom="x@news.example.com"@evil.example',
        "list.example; spf=pass (x; dmarc=pass header.from=news.example.com) smtp.mailfrom=evil.example",
        "list.example (; dmarc=pass header.from=news.example.com",
        'list.example; spf=pass smtp.mailfrom=" ; dmarc=pass header.from=news.example.com',
        "list.example; x=y) ; dmarc=pass header.from=news.example.com",
        "list.example; spf=pass smtp.mailfrom=x.smtp.mailfrom=news.example.com",
        "list.example; dmarc=pass header.from=news.example.com" + ";" * MAX_WORD_CHARACTERS,
    ],
)
def test_any_other_word_vouches_for_nobody(results: str) -> None:
    assert not vouches(results, AUTHOR, ORGANIZATION)


def test_without_an_organizational_domain_only_the_author_domain_itself_aligns() -> None:
    assert vouches("list.example; dkim=pass header.d=news.example.com", AUTHOR, "")
    assert not vouches("list.example; dkim=pass header.d=example.com", AUTHOR, "")


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from([*'();"\\= .', "dmarc", "pass", "header", "from", AUTHOR])).map("".join)
)
def test_any_text_vouches_or_does_not(text: str) -> None:
    assert vouches(text, AUTHOR, ORGANIZATION) in {True, False}


@pytest.mark.parametrize("unit", ["(", '"', "\\", "a", "a ", "a. ", "a.b=", ";", " ", '"a" ', "()", "a=b "])
def test_the_longest_text_is_read_in_one_go(unit: str) -> None:
    assert not vouches((unit * MAX_WORD_CHARACTERS)[:MAX_WORD_CHARACTERS], AUTHOR, ORGANIZATION)
