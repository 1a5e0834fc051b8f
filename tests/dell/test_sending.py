"""Sending from the Dell stack: who may, as whom, and what becomes of it at the relay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dell.sendgrid import USER
from tests.dell.sending_house import SendingHouse, letter


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SendingHouse]:
    directory = tmp_path_factory.mktemp("sending")
    with SendingHouse(directory) as running:
        yield running


def test_the_configuration_is_one_that_postfix_has_nothing_to_say_about(house: SendingHouse) -> None:
    assert house.postfix.check() == ""


@pytest.mark.parametrize("implicit", [False, True], ids=["587", "465"])
def test_a_users_mail_reaches_the_relay_under_tls_and_with_the_key(
    house: SendingHouse, implicit: bool
) -> None:
    recipient = f"friend-{implicit}@example.net"

    with house.login("taro", implicit=implicit) as client:
        client.sendmail("taro@example.jp", [recipient], letter())

    relayed = house.relay.wait_for(recipient)
    assert relayed.tls
    assert relayed.login == USER
    assert relayed.sender == "taro@example.jp"
