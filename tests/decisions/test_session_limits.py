"""Sessions at once, in all and per client network."""

from ipaddress import ip_address

from mxgw.limits import Excess, SessionLimits


def limits(total=3, per_network=2):
    return SessionLimits(max_sessions=total, max_sessions_per_network=per_network)


def test_sessions_in_all_are_bounded():
    places = limits(total=2)

    assert places.enter(ip_address("192.0.2.1")) is None
    assert places.enter(ip_address("198.51.100.1")) is None
    assert places.enter(ip_address("203.0.113.1")) is Excess.TOO_MANY_SESSIONS
    assert places.open == 2


def test_addresses_of_one_24_share_their_places():
    places = limits()
    for address in ("192.0.2.1", "192.0.2.254"):
        assert places.enter(ip_address(address)) is None

    assert places.enter(ip_address("192.0.2.7")) is Excess.TOO_MANY_FROM_NETWORK
    assert places.enter(ip_address("192.0.3.7")) is None


def test_addresses_of_one_64_share_their_places():
    places = limits()
    for address in ("2001:db8::1", "2001:db8::ffff:1"):
        assert places.enter(ip_address(address)) is None

    assert places.enter(ip_address("2001:db8::2")) is Excess.TOO_MANY_FROM_NETWORK
    assert places.enter(ip_address("2001:db8:0:1::2")) is None


def test_low_ipv6_networks_do_not_share_with_ipv4_networks():
    places = limits(total=9, per_network=1)

    assert places.enter(ip_address("0.0.1.1")) is None
    assert places.enter(ip_address("0:0:0:1::1")) is None


def test_a_place_given_back_is_free_again():
    places = limits(total=1, per_network=1)
    address = ip_address("192.0.2.1")

    assert places.enter(address) is None
    places.leave(address)

    assert places.open == 0
    assert places.enter(address) is None
