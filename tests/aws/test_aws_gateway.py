"""A running gateway whose domains and certificate are kept at AWS, and change there."""

from __future__ import annotations

import smtplib
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.aws.certificates import make_pair
from tests.aws.cloud import Cloud
from tests.rig.gateway import Gateway
from tests.rig.process import ROOT

PATIENCE_SECONDS = 60.0
"""Far beyond what any of this takes; only a test that fails waits so long."""


@contextmanager
def running(home: str, aws: Mapping[str, str], **settings: str) -> Iterator[Gateway]:
    """A gateway that looks at AWS many times a second."""
    variables = [f"{name}={value}" for name, value in {**aws, "PYTHONPATH": str(ROOT)}.items()]
    with Gateway(
        home,
        wrapper=["env", *variables, sys.executable, "-m", "tests.aws.hasty"],
        checks="none",
        **settings,
    ) as gateway:
        yield gateway
        assert gateway.terminate() == 0
        assert gateway.tracebacks() == []


def in_time(found: Callable[[], bool]) -> bool:
    """Whether it becomes true; asked over the network each time, which is pause enough."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found():
            return True
    return False


def reply_for(gateway: Gateway, recipient: str) -> int:
    """The code of RCPT."""
    with smtplib.SMTP(*gateway.smtp, timeout=20) as client:
        client.ehlo()
        client.mail("a@example.net")
        return client.rcpt(recipient)[0]


def certificate_of(gateway: Gateway) -> x509.Certificate:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with smtplib.SMTP(*gateway.smtp, timeout=20) as client:
        client.ehlo()
        client.starttls(context=context)
        client.ehlo()
        der = client.sock.getpeercert(binary_form=True)
    assert der
    return x509.load_der_x509_certificate(der)


def name_shown_by(gateway: Gateway) -> str:
    (name,) = certificate_of(gateway).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_domain_added_to_the_parameter_is_accepted_without_a_restart(
    cloud: Cloud, home: str, workers: str
) -> None:
    cloud.put_parameter("/mxgw/domains", "example.jp")
    with running(home, cloud.environment(), domains="ssm:/mxgw/domains", workers=workers) as gateway:
        assert reply_for(gateway, "taro@example.jp") == 250
        assert reply_for(gateway, "taro@new.example") == 550

        cloud.put_parameter("/mxgw/domains", "example.jp,new.example")

        # Each worker looks for itself, so several sessions have to see it.
        for _ in range(8):
            assert in_time(lambda: reply_for(gateway, "taro@new.example") == 250)
        [told] = gateway.wait_for("config")
        assert told["change"] == "MXGW_DOMAINS ssm:/mxgw/domains: added new.example"


def test_a_parameter_that_becomes_wrong_or_vanishes_changes_nothing_and_is_told_once(
    cloud: Cloud, home: str
) -> None:
    cloud.put_parameter("/mxgw/fragile", "example.jp")
    with running(home, cloud.environment(), domains="ssm:/mxgw/fragile") as gateway:
        cloud.put_parameter("/mxgw/fragile", "exa mple.jp")
        gateway.wait_for("config")
        cloud.client("ssm").delete_parameter(Name="/mxgw/fragile")
        gateway.wait_for("config", count=2)

        assert reply_for(gateway, "taro@example.jp") == 250

        cloud.put_parameter("/mxgw/fragile", "mended.example")
        told = gateway.wait_for("config", count=4)
        assert reply_for(gateway, "taro@example.jp") == 550
        assert reply_for(gateway, "taro@mended.example") == 250

    first, second, third, fourth = told
    assert "domain 1: it is not a domain name; what was read before stays in use" in first["problem"]
    assert "there is no such parameter" in second["problem"]
    assert "it can be read again" in third["change"]
    assert "added mended.example; removed example.jp" in fourth["change"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_renewed_certificate_is_shown_without_a_restart(cloud: Cloud, home: str, workers: str) -> None:
    arn = cloud.put_secret("mxgw/tls", make_pair("first.example").plain())
    renewed = make_pair("second.example")
    with running(
        home,
        cloud.environment(),
        tls_cert=f"secret:{arn}#certificate",
        tls_key=f"secret:{arn}#key",
        workers=workers,
    ) as gateway:
        assert name_shown_by(gateway) == "first.example"

        cloud.put_secret("mxgw/tls", renewed.plain())

        for _ in range(8):
            assert in_time(lambda: name_shown_by(gateway) == "second.example")
        [told] = gateway.wait_for("tls")
        _, metrics = gateway.get("/metrics")
        words = gateway.words()

    assert told["change"] == (
        f"MXGW_TLS_CERT, MXGW_TLS_KEY: a new TLS certificate is in use, valid until {renewed.ends:%Y-%m-%d}"
    )
    [days] = [
        line.split()[1] for line in metrics.decode().splitlines() if line.startswith("mxgw_certificate_days")
    ]
    assert 59 < float(days) <= 60
    assert "PRIVATE KEY" not in words


def test_a_renewal_that_is_half_done_keeps_the_old_pair_until_it_is_whole(cloud: Cloud, home: str) -> None:
    first, second = make_pair("first.example"), make_pair("second.example")
    cloud.put_secret("mxgw/cert", first.certificate)
    cloud.put_secret("mxgw/privkey", first.key)
    with running(
        home, cloud.environment(), tls_cert="secret:mxgw/cert", tls_key="secret:mxgw/privkey"
    ) as gateway:
        cloud.put_secret("mxgw/cert", second.certificate)
        [told] = gateway.wait_for("tls")
        assert name_shown_by(gateway) == "first.example"

        cloud.put_secret("mxgw/privkey", second.key)
        assert in_time(lambda: name_shown_by(gateway) == "second.example")

    assert told["problem"] == (
        "MXGW_TLS_CERT, MXGW_TLS_KEY: the new TLS certificate cannot be used: certificate and key do not "
        "belong together; what was read before stays in use"
    )


def test_pem_text_in_the_environment_serves_as_ecs_hands_it_over(home: str) -> None:
    pair = make_pair("mx.example.jp")
    with running(home, {}, tls_cert=pair.certificate, tls_key=pair.key) as gateway:
        assert name_shown_by(gateway) == "mx.example.jp"
