"""Reports follow the schema of RFC 9990, say all, and cannot be broken out of by whoever is in them."""

from __future__ import annotations

import gzip
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mxgw.reports.events import Disposition, EventError, Override, parse_event
from mxgw.reports.feedback_xml import write_gzip
from mxgw.reports.identity import MAX_FILE_NAME, Reporter, report_name
from tests.reports.events import DAY, OLD_SCHEMA, REPORTER, aggregated, event, parsed, records, tree, xml


def test_a_report_says_who_reports_about_what_and_when() -> None:
    root = tree(xml(aggregated(parsed())))

    assert [child.tag for child in root] == ["version", "report_metadata", "policy_published", "record"]
    assert root.findtext("version") == "1.0"
    assert root.findtext("report_metadata/org_name") == "Example Org"
    assert root.findtext("report_metadata/email") == "dmarc@example.org"
    assert root.findtext("report_metadata/extra_contact_info") == "https://example.org/dmarc"
    assert root.findtext("report_metadata/date_range/begin") == "1795392000"
    assert root.findtext("report_metadata/date_range/end") == "1795478399"
    assert str(root.findtext("report_metadata/generator")).startswith("mxgw ")
    assert root.find("report_metadata/error") is None


def test_every_default_of_the_policy_is_written_out() -> None:
    fields = event(p="quarantine", sp="", np="", adkim="", aspf="", testing="", discovery="")

    root = tree(xml(aggregated(parse_event(fields))))

    assert {child.tag: child.text for child in root.find("policy_published")} == {
        "domain": "example.com",
        "adkim": "r",
        "aspf": "r",
        "p": "quarantine",
        "sp": "quarantine",
        "np": "quarantine",
        "testing": "n",
    }


def test_a_record_says_what_was_found_and_done() -> None:
    report = xml(
        aggregated(
            parsed(
                source_ip="2001:db8:0:0::1",
                disposition="none",
                dkim_aligned="fail",
                spf_aligned="fail",
                override="trusted_forwarder",
                override_comment="ARC of lists.example.net",
                dkim=[
                    {"domain": "lists.example.net", "selector": "a", "result": "pass"},
                    {"domain": "example.com", "selector": "b", "result": "fail", "human_result": "body"},
                ],
            ),
        )
    )

    (record,) = records(report)
    assert record.findtext("row/source_ip") == "2001:db8::1"
    assert record.findtext("row/count") == "1"
    evaluated = record.find("row/policy_evaluated")
    assert [evaluated.findtext(name) for name in ("disposition", "dkim", "spf")] == ["none", "fail", "fail"]
    assert evaluated.findtext("reason/type") == "trusted_forwarder"
    assert evaluated.findtext("reason/comment") == "ARC of lists.example.net"
    assert record.findtext("identifiers/envelope_to") == "example.org"
    assert record.findtext("identifiers/envelope_from") == "bounce.example.com"
    assert record.findtext("identifiers/header_from") == "example.com"
    assert [dkim.findtext("domain") for dkim in record.iterfind("auth_results/dkim")] == [
        "lists.example.net",
        "example.com",
    ]
    assert record.findtext("auth_results/dkim[2]/human_result") == "body"
    assert [child.text for child in record.find("auth_results/spf")] == [
        "bounce.example.com",
        "mfrom",
        "pass",
    ]


@pytest.mark.parametrize("disposition", Disposition)
@pytest.mark.parametrize("override", ["", *Override])
def test_every_word_of_the_rfc_is_in_its_schema(disposition: str, override: str) -> None:
    xml(aggregated(parsed(disposition=disposition, override=override)))


def test_the_null_reverse_path_is_an_empty_element_and_its_spf_one_of_mail_from() -> None:
    report = xml(
        aggregated(parsed(envelope_from="", spf={"domain": "mx.example", "scope": "helo", "result": "pass"}))
    )

    (record,) = records(report)
    assert record.find("identifiers/envelope_from").text is None
    assert record.findtext("auth_results/spf/domain") == "mx.example"
    assert record.findtext("auth_results/spf/scope") == "mfrom"


def test_a_check_of_helo_beside_mail_from_has_no_place() -> None:
    report = xml(aggregated(parsed(spf={"domain": "mx.example", "scope": "helo", "result": "pass"})))

    assert records(report)[0].find("auth_results/spf") is None


def test_a_report_says_when_the_policy_changed_and_when_rows_are_missing() -> None:
    aggregate = aggregated(
        parsed(),
        parsed(time="2026-11-23T12:00:00Z", p="none", source_ip="192.0.2.2"),
        parsed(time="2026-11-23T11:00:00Z", p="quarantine", source_ip="192.0.2.3"),
        max_rows=2,
    )

    root = tree(xml(aggregate))

    assert root.findtext("policy_published/p") == "none"
    assert root.findtext("report_metadata/error") == (
        "1 messages are not listed: the limit on rows was reached; "
        "the policy changed during the period; the last one seen is stated"
    )


hostile = st.text(
    st.one_of(
        st.sampled_from("<>&\"'\0\x01\x1b\x7f\x85\u2028\u202e\ufffe\uffff\ud800\U0001f4a9"),
        st.characters(),
    ),
    max_size=300,
)


@given(
    domain=hostile.filter(lambda text: text != ""),
    selector=hostile,
    remark=hostile,
    contact=hostile,
)
def test_no_text_breaks_out_of_its_element(domain: str, selector: str, remark: str, contact: str) -> None:
    signature = {"domain": domain, "selector": selector, "result": "fail", "human_result": remark}
    counted = aggregated(
        parsed(
            header_from=domain,
            envelope_from=domain,
            envelope_to=[domain],
            override="other",
            override_comment=remark,
            dkim=[signature],
            spf={"domain": domain, "scope": "mfrom", "result": "none"},
        )
    )

    report = xml(counted, reporter=Reporter(contact, contact, "mx.example.org", contact))

    assert report.isascii()
    (record,) = records(report)
    shown = record.findtext("identifiers/header_from")
    assert len(shown) == len(record.findtext("auth_results/dkim/domain"))
    assert shown.isprintable()
    assert len(list(record.iter())) == 23 + 2 * bool(remark)


@pytest.mark.parametrize(
    "domain",
    [
        "../../etc/passwd",
        "a/b.example",
        "a b.example",
        "x\r\nBcc: y@example",
        "<x>.example",
        "a" * 64,
        "",
        ".",
    ],
)
def test_a_policy_domain_that_is_no_domain_makes_no_report(domain: str) -> None:
    if not domain:
        assert parsed(policy_domain=domain).published is None
    else:
        with pytest.raises(EventError, match="policy_domain"):
            parsed(policy_domain=domain)


def test_a_domain_of_another_script_is_reported_by_its_a_labels() -> None:
    aggregate = aggregated(parsed(policy_domain="BÜCHER.example"))

    assert list(aggregate.domains) == ["xn--bcher-kva.example"]


def test_the_same_events_make_the_same_octets_in_whatever_order_they_come() -> None:
    events = [
        parsed(source_ip=f"192.0.2.{host}", override=override)
        for host in range(20)
        for override in ("", "other")
    ]
    packed = []
    for order in (events, events[::-1]):
        counts = aggregated(*order).domains["example.com"]
        file = io.BytesIO()
        write_gzip(file, counts, REPORTER, report_name(REPORTER, "example.com", DAY))
        packed.append(file.getvalue())

    assert packed[0] == packed[1]
    assert gzip.decompress(packed[0]) == xml(aggregated(*events))


def test_a_report_has_the_file_name_of_the_rfc_and_an_id_that_follows_from_it() -> None:
    name = report_name(REPORTER, "example.com", DAY)

    assert re.fullmatch(
        r"mx\.example\.org!example\.com!1795392000!1795478399![0-9a-z]{32}\.xml\.gz", name.file_name
    )
    assert name.report_id in name.file_name
    assert name == report_name(REPORTER, "example.com", DAY)
    assert name.report_id != report_name(REPORTER, "example.net", DAY).report_id
    assert report_name(REPORTER, "example.com", DAY, report_id="again2").file_name.endswith("!again2.xml.gz")


def test_a_file_name_that_no_file_system_takes_is_shortened_on_disk_only() -> None:
    domain = ".".join(["a" * 60] * 4)
    name = report_name(REPORTER, domain, DAY)

    assert domain in name.file_name
    assert name.stored_as == f"{name.report_id}.xml.gz"
    assert len(name.stored_as) <= MAX_FILE_NAME


def test_only_what_rfc_9990_added_or_dropped_stands_between_a_report_and_a_reader_of_rfc_7489() -> None:
    counted = aggregated(
        parsed(),
        parsed(envelope_from="", disposition="reject", override="local_policy", dkim=[]),
        parsed(source_ip="2001:db8::1", disposition="none", override="trusted_forwarder"),
    )
    root: Any = tree(xml(counted))
    assert not OLD_SCHEMA.validate(root)

    for gone in ("report_metadata/generator", *(f"policy_published/{it}" for it in NEW_IN_THE_POLICY)):
        element = root.find(gone)
        element.getparent().remove(element)
    for name, value in (("pct", "100"), ("fo", "0")):
        etree.SubElement(root.find("policy_published"), name).text = value
    for disposition in root.iter("disposition"):
        disposition.text = disposition.text.replace("pass", "none")

    OLD_SCHEMA.assertValid(root)


NEW_IN_THE_POLICY = ("np", "testing", "discovery_method")
