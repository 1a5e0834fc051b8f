"""What the commands of a domain say to a newcomer: its name in DNS, whether it is here, what went with it."""

from __future__ import annotations

import pytest

from mxgw.admin.words import Language, Words
from tests.admin.admin_house import AdminHouse
from tests.admin.person import Person

WRITTEN, IN_DNS = "日本語.example", "xn--wgv71a119e.example"
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


def test_a_domain_in_japanese_is_shown_as_it_was_typed_and_as_dns_has_it(house: AdminHouse) -> None:
    words = Words(Language.JA)
    both = words("domain-spelled", written=WRITTEN, domain=IN_DNS)
    environ = house.environ(lang="ja") | {"POSTMASTER_ADDRESS": house.user("idn")}

    with Person(house.at_terminal("domain", "add", WRITTEN), environ) as someone:
        someone.sees(words("domain-added", domain=both))
        assert someone.ends() == 0
    with Person(house.at_terminal("domain", "list"), environ) as someone:
        someone.ends()
        assert both in someone.screen
    with Person(house.at_terminal("domain", "remove", WRITTEN, "--yes"), environ) as someone:
        someone.sees(words("domain-removed", domain=both))
        someone.sees(words("domain-aliases-went", aliases=f"postmaster@{IN_DNS}"))
        assert someone.ends() == 0


def test_a_program_is_told_names_as_dns_has_them_and_what_went(house: AdminHouse) -> None:
    added = house.admin("domain", "add", WRITTEN, "--postmaster", house.user("idn-json"))
    gone = house.admin("domain", "remove", WRITTEN, "--yes")

    assert (added.facts["domain"], gone.facts["domain"]) == (IN_DNS, IN_DNS)
    assert gone.facts["aliases"] == [f"postmaster@{IN_DNS}"]


@LANGUAGES
def test_who_asks_for_the_records_of_a_domain_that_is_not_here_is_told_so(
    house: AdminHouse, lang: str
) -> None:
    words = Words(Language(lang))

    stranger = house.admin("domain", "records", "stranger.example", lang=lang)
    own = house.admin("domain", "records", "example.jp", lang=lang)
    without = house.admin(
        *("domain", "records", "stranger.example"),
        settings={"MXGW_ADMIN_DB": "mysql://mailadmin@127.0.0.1:1/mail"},
    )

    assert words("warn-domain-not-here", domain="stranger.example") in stranger.err
    assert (stranger.code, own.code, without.code) == (0, 0, 0)
    assert (own.err, without.err) == ("", "")
