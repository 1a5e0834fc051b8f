"""The guide shows aliases and the catch-all as they are on the screen, and mail goes where it says."""

from __future__ import annotations

from collections.abc import Sequence

from tests.admin.admin_house import AdminHouse
from tests.admin.alias_transcript import ADDED, NAME, SECOND, prepared, screens, withdrawn
from tests.dell.household import letter
from tests.guides.guide_text import LANGUAGES, Guide


def readers(house: AdminHouse, addresses: Sequence[str]) -> list[str]:
    """Who gets a message to each address."""
    for address in addresses:
        assert house.deliver(letter(to=address), address)[0].code == 250
    mail = {name: b"".join(house.messages(name)) for name in ("taro", "hanako")}
    return [next(name for name in mail if f"To: {address}".encode() in mail[name]) for address in addresses]


def test_the_guide_shows_what_is_on_the_screen_and_mail_goes_there(house: AdminHouse) -> None:
    """If not: python -m tests.admin.alias_transcript"""
    with prepared(house):
        for language in LANGUAGES:
            withdrawn(house)
            said = screens(house, language)
            shown = Guide(language, "daily.md").transcripts[NAME]
            assert shown == f"```text\n{said.strip()}\n```\n"
        found = readers(house, (*ADDED[:2], f"anything@{SECOND}", ADDED[3]))

    assert found == ["taro", "taro", "taro", "hanako"]
