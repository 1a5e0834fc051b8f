"""Mail programs ask nginx for their settings: Outlook by autodiscover, Thunderbird by autoconfig."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.dell.webmail_door import HOSTNAME, Answer, Nginx

TARO, HANAKO = "taro@example.jp", "hanako.yamada-1@shop.example"
OUTLOOK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
AUTODISCOVER = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
PATH = "/autodiscover/autodiscover.xml"
SPELLINGS = pytest.mark.parametrize(
    "path", [PATH, "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.xml"]
)
QUESTION = (
    '<?xml version="1.0" encoding="utf-8"?>\r\n<Autodiscover xmlns='
    '"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">\r\n<Request>'
    "<EMailAddress>{address}</EMailAddress>\r\n<AcceptableResponseSchema>"
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    "</AcceptableResponseSchema></Request></Autodiscover>"
)
CURL_NAME_NOT_IN_CERTIFICATE = 60
SERVERS = {"IMAP": "993", "POP3": "995", "SMTP": "465"}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Of a house where nobody runs the webmail: settings need none."""
    with Nginx(tmp_path_factory.mktemp("settings"), "127.0.0.1:9") as running:
        yield running


def post(door: Nginx, body: str | Path, *options: str, path: str = PATH) -> Answer:
    data = f"@{body}" if isinstance(body, Path) else body
    xml = ("--header", "Content-Type: text/xml; charset=utf-8")
    return door.get(path, *xml, *options, "--data-binary", data)


def settings(answer: Answer) -> dict[str, dict[str, str]]:
    """What Outlook reads, by the type of the server; "" is the user's name."""
    assert (answer.status, answer.header["content-type"]) == (200, "text/xml; charset=utf-8")
    root = ElementTree.fromstring(answer.body)  # noqa: S314 - our own nginx wrote it
    assert root.tag == f"{AUTODISCOVER}Autodiscover"
    response = root.find(f"{OUTLOOK}Response")
    assert response is not None
    account = response.find(f"{OUTLOOK}Account")
    assert account is not None
    assert account.findtext(f"{OUTLOOK}AccountType") == "email"
    assert account.findtext(f"{OUTLOOK}Action") == "settings"
    found = [
        {child.tag.removeprefix(OUTLOOK): child.text or "" for child in protocol}
        for protocol in account.iter(f"{OUTLOOK}Protocol")
    ]
    name = response.findtext(f"{OUTLOOK}User/{OUTLOOK}DisplayName") or ""
    return {"": {"DisplayName": name}} | {one["Type"]: one for one in found}


@SPELLINGS
@pytest.mark.parametrize("address", [TARO, HANAKO])
def test_outlook_is_told_the_servers_and_the_whole_address_as_user_name(
    door: Nginx, address: str, path: str
) -> None:
    found = settings(post(door, QUESTION.format(address=address), path=path))

    assert found.pop("") == {"DisplayName": address}
    assert {kind: one["Port"] for kind, one in found.items()} == SERVERS
    for one in found.values():
        assert (one["Server"], one["LoginName"]) == (HOSTNAME, address)
        assert (one["SSL"], one["AuthRequired"], one["SPA"]) == ("on", "on", "off")


def test_a_body_in_chunks_and_with_space_around_the_address_is_read(door: Nginx) -> None:
    chunked = post(door, QUESTION.format(address=f"\n  {TARO} "), "--header", "Transfer-Encoding: chunked")

    assert settings(chunked)["IMAP"]["LoginName"] == TARO


@SPELLINGS
def test_who_names_no_address_is_told_the_servers_alone(door: Nginx, path: str) -> None:
    found = settings(door.get(path))

    assert found.pop("") == {"DisplayName": HOSTNAME}
    assert {kind: (one["Server"], one["Port"]) for kind, one in found.items()} == {
        kind: (HOSTNAME, port) for kind, port in SERVERS.items()
    }
    assert not any("LoginName" in one for one in found.values())


@pytest.mark.parametrize(
    "address",
    [
        "",
        "taro",
        "taro@",
        "a@b@c",
        "<!--# echo var=document_root --><x/>taro@example.jp",
        "taro&lt;b@example.jp",
        '"><script>@example.jp',
        "taro@example.jp\r\nOutlook-User: eve@evil.example",
        f"{'a' * 65}@example.jp",
        f"taro@{'a' * 254}",
        "太郎@example.jp",
    ],
)
def test_what_is_no_address_is_not_said_back(door: Nginx, address: str) -> None:
    answer = post(door, QUESTION.format(address=address))

    assert settings(answer)[""] == {"DisplayName": HOSTNAME}
    assert "LoginName>" not in answer.body.partition("<Autodiscover")[2]


def test_a_user_name_cannot_be_claimed_by_a_field_of_the_request(door: Nginx) -> None:
    answer = door.get(PATH, "--header", "Outlook-User: eve@evil.example")

    assert "eve" not in answer.body


@pytest.mark.parametrize("framing", [(), ("--header", "Transfer-Encoding: chunked")])
def test_a_question_is_short(door: Nginx, tmp_path: Path, framing: tuple[str, ...]) -> None:
    long, longer = tmp_path / "long", tmp_path / "longer"
    long.write_text(QUESTION.format(address=TARO).ljust(16 * 1024))
    longer.write_text(QUESTION.format(address=TARO).ljust(16 * 1024 + 1))

    assert settings(post(door, long, *framing))["IMAP"]["LoginName"] == TARO
    assert post(door, longer, *framing).status == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PROPFIND"])
def test_other_methods_are_refused(door: Nginx, method: str) -> None:
    assert door.get(PATH, "--request", method).status == 403


@pytest.mark.parametrize("path", ["/autodiscover/", "/autodiscover/autodiscover.xml/x", "/outlook.sock"])
def test_nothing_lies_beside_it(door: Nginx, path: str) -> None:
    assert door.get(path).status == 404


@pytest.mark.parametrize("path", ["/.well-known/autoconfig/mail/config-v1.1.xml", "/mail/config-v1.1.xml"])
def test_thunderbird_is_told_the_same_servers(door: Nginx, path: str) -> None:
    answer = door.get(f"{path}?emailaddress=taro%40example.jp")

    assert (answer.status, answer.header["content-type"]) == (200, "text/xml")
    root = ElementTree.fromstring(answer.body)  # noqa: S314 - our own nginx wrote it
    servers = [*root.iter("incomingServer"), *root.iter("outgoingServer")]
    assert {(one.get("type") or "").upper(): one.findtext("port") for one in servers} == SERVERS
    for one in servers:
        assert one.findtext("hostname") == HOSTNAME
        assert one.findtext("username") == "%EMAILADDRESS%"


def test_thunderbird_that_asks_by_plain_http_is_led_to_the_name_of_the_certificate(door: Nginx) -> None:
    asked = "/mail/config-v1.1.xml?emailaddress=taro%40example.jp"

    answer = door.get(asked, "--header", "Host: autoconfig.example.jp", scheme="http")

    assert answer.status == 301
    assert answer.header["location"] == f"https://{HOSTNAME}{asked}"


def test_under_the_name_of_the_domain_https_has_no_certificate_and_http_ends_at_the_settings(
    door: Nginx,
) -> None:
    """What Thunderbird asks one after the other (autoconfig.DOMAIN has an A record to this machine)."""
    asked, name = "/mail/config-v1.1.xml?emailaddress=taro%40example.jp", "autoconfig.example.jp"

    with pytest.raises(subprocess.CalledProcessError) as refused:
        door.get(asked, host=name)
    led = door.get(
        *(asked, "--location", "--connect-to", f"{HOSTNAME}:443:127.0.0.1:{door.https}"),
        scheme="http",
        host=name,
    )

    assert refused.value.returncode == CURL_NAME_NOT_IN_CERTIFICATE
    assert led.status == 301
    assert led.body.startswith("HTTP/1.1 200 ")
    assert "<clientConfig" in led.body


def test_the_log_names_nobody_who_asked(door: Nginx) -> None:
    post(door, QUESTION.format(address="secret@example.jp"))

    assert f'"POST {PATH}" 200' in door.log()
    assert "secret@" not in door.log()
