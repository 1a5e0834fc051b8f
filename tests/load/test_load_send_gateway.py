"""The sender against the gateway, with our sink as home: what it was promised is stored."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from mxgw.load.signing import Algorithm, SigningKey
from tests.load.senders import Report, send, verify
from tests.load.sinks import RunningSink
from tests.rig import clients
from tests.rig.gateway import Gateway
from tests.rig.zone import Zone, ZoneServer

STAGES = ("connect", "helo", "mail", "rcpt", "data", "middle", "content", "quit")


def promised_is_stored(sent: Path, sink: RunningSink) -> dict[str, int]:
    sink.stop()
    values = verify(sent, sink.ledger)
    assert values["lost"] == values["altered"] == values["duplicated"] == 0, values
    assert values["stored-though-refused"] == 0, values
    return values


def well_after(gateway: Gateway) -> Report:
    """It takes mail as before, and ends as it should."""
    report = send(gateway.smtp, "-n", "5", "-s", "1", "--to", clients.TARO)
    assert gateway.terminate() == 0
    assert gateway.tracebacks() == []
    return report


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--bdat", "--per-connection", "0"],
        ["--no-pipelining", "--per-connection", "5"],
        ["--tls", "--bdat"],
        ["--smtputf8", "--dkim", "example.org"],
        ["--to", "u{1..20}@example.jp", "--recipients", "7", "--size", "1K..300K"],
        ["--rate", "100", "--processes", "2", "--from", ""],
    ],
    ids=" ".join,
)
def test_all_that_the_gateway_acknowledges_is_stored(options: list[str], tmp_path: Path) -> None:
    sent = tmp_path / "sent.jsonl"
    with RunningSink(lmtp=True) as sink, Gateway(sink.url) as gateway:
        report = send(
            gateway.smtp, "-n", "100", "-s", "10", "--to", clients.TARO, "--ledger", str(sent), *options
        )

        assert report.code == 0, report.errors
        assert report.messages == {"begun": 100, "acknowledged": 100}
        assert well_after(gateway).code == 0
        values = promised_is_stored(sent, sink)
        assert values["acknowledged"] == report.values["recipients"]["acknowledged"]


def test_the_gateway_relays_as_many_as_it_does_for_smtp_source() -> None:
    with RunningSink(lmtp=True) as sink, Gateway(sink.url) as gateway:
        report = send(
            gateway.smtp, "-n", "300", "-s", "10", "--to", clients.TARO, "--watch-pid", str(gateway.pid)
        )
        ours = len(gateway.wait_for("transaction", count=300))
        theirs = clients.smtp_source(gateway.smtp, messages=300, sessions=10, octets=10240)

        assert theirs.accepted, theirs.words
        assert report.messages == {"begun": 300, "acknowledged": 300}
        assert len(gateway.wait_for("transaction", count=600)) - ours == pytest.approx(ours, rel=0.1)
        assert report.values["watched"][0]["cpu_seconds"] > 0


@pytest.mark.parametrize("options", [[], ["--bdat"], ["--tls", "--no-pipelining"]], ids=" ".join)
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_the_gateway_is_well_after_clients_hung_up_at_every_stage(
    options: list[str], reset: bool, tmp_path: Path
) -> None:
    sent = tmp_path / "sent.jsonl"
    hang_ups = [word for stage in STAGES for word in ("--hang-up", f"{stage}=0.11")]
    with RunningSink(lmtp=True) as sink, Gateway(sink.url) as gateway:
        report = send(
            gateway.smtp, "-n", "150", "-s", "6", "--per-connection", "3", "--size", "100K", "--to",
            clients.TARO, "--ledger", str(sent), *hang_ups, *options, *["--reset"] * reset,
        )  # fmt: skip

        assert report.code == 0, report.errors
        assert report.messages["acknowledged"] + report.messages["hung_up"] == 150
        assert report.messages["hung_up"] > 75
        assert well_after(gateway).code == 0
        promised_is_stored(sent, sink)


def test_clients_behind_a_proxy_come_from_all_over_the_network() -> None:
    network = ip_network("198.51.100.0/24")
    with RunningSink(lmtp=True) as sink, Gateway(sink.url, proxy_from="127.0.0.0/8") as gateway:
        report = send(gateway.smtp, "-n", "60", "--to", clients.TARO, "--proxy", str(network), "--tls")

        assert report.code == 0, report.errors
        told = gateway.wait_for("transaction", count=60)
        addresses = {ip_address(event["client"]) for event in told}
        assert all(address in network for address in addresses)
        assert len(addresses) > 30


async def test_the_gateway_verifies_what_was_signed(tmp_path: Path) -> None:
    key = SigningKey.kept("example.org", Algorithm.RSA, tmp_path / "key.pem")
    zone = Zone(
        {
            key.record_name: {"TXT": [key.record_text]},
            "example.org": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
            "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
        }
    )
    async with ZoneServer(zone) as names:
        checks = {"checks": "spf,dkim,dmarc,recipient", "dns": names.address, "dmarc": "reject"}
        with RunningSink(lmtp=True) as sink, Gateway(sink.url, proxy_from="127.0.0.0/8", **checks) as gateway:
            report = await asyncio.to_thread(
                send, gateway.smtp, "-n", "40", "--to", clients.TARO, "--proxy", "198.51.100.0/24", "--from",
                "a@example.org", "--dkim", "example.org", "--dkim-key", str(tmp_path / "key.pem"),
                "--size", "1K..90K",
            )  # fmt: skip

            assert report.code == 0, report.errors
            told = await asyncio.to_thread(gateway.wait_for, "transaction", count=40)
            assert {event["checks"]["dkim"] for event in told} == {"pass"}
            assert {event["checks"]["dmarc"] for event in told} == {"pass"}


def test_a_session_that_the_gateway_ends_with_421_goes_on_in_another() -> None:
    with RunningSink(lmtp=True) as sink, Gateway(sink.url, max_messages_per_session="7") as gateway:
        report = send(gateway.smtp, "-n", "100", "-s", "2", "--per-connection", "0", "--to", clients.TARO)

        assert report.code == 0, report.errors
        assert report.messages["acknowledged"] == report.messages["begun"] == 100
        assert report.messages["retried"] == report.values["connections"] - 2 >= 10


def test_what_home_puts_off_is_deferred_and_counted_by_its_code(tmp_path: Path) -> None:
    sent = tmp_path / "sent.jsonl"
    rules = ["content reply='452 4.2.2 Full' every=5", "content lose every=7"]
    with RunningSink(lmtp=True, rules=rules) as sink, Gateway(sink.url) as gateway:
        report = send(gateway.smtp, "-n", "100", "-s", "5", "--to", clients.TARO, "--ledger", str(sent))

        assert report.code == 1
        assert report.messages["deferred"] > 20
        codes = report.values["replies"]["content"]
        assert sum(codes.values()) == 100
        assert all(code[0] in "24" for code in codes)
        assert well_after(gateway).code in (0, 1)
        promised_is_stored(sent, sink)


def test_the_harness_and_the_gateway_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    with RunningSink("--no-tls", lmtp=True) as sink, Gateway(sink.url) as gateway:
        for keep in ("1", "0"):
            report = send(
                gateway.smtp, "-n", "1500", "-s", "20", "--per-connection", keep, "--to", clients.TARO,
                "--watch-pid", str(gateway.pid), "--watch-pid", str(sink.pid),
            )  # fmt: skip

            assert report.code == 0, report.errors
            costs = [one["cpu_ms_per_message"] for one in report.values["watched"]]
            assert all(costs)
            lines.append(
                f"{'new' if keep == '1' else 'kept'} connections, CPU-ms/message: harness "
                f"{report.values['harness']['cpu_ms_per_message']:.3f}, gateway {costs[0]:.3f}, "
                f"home {costs[1]:.3f}; {report.values['messages_per_second']:.0f} messages/s"
            )
    with capsys.disabled():
        print("\n" + "\n".join(lines))
