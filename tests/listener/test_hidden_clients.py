"""Clients whose own address a balancer hides: seen by an address that nobody on the internet has."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mxgw.listener.admission import is_hidden


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"]
)
def test_private_and_shared_addresses_are_hidden(address: str) -> None:
    assert is_hidden(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.1",
        "9.255.255.255",
        "11.0.0.0",
        "172.32.0.1",
        "100.128.0.1",
        "127.0.0.1",
        "2001:db8::1",
        "::1",
    ],
)
def test_others_are_not(address: str) -> None:
    assert not is_hidden(ip_address(address))
