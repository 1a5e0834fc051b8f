"""Right values, where they come from, and which wins."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.config import (
    SETTINGS,
    Address,
    Check,
    Config,
    ConfigMistake,
    DmarcPolicy,
    DomainList,
    HomeAddress,
    LogFormat,
    Role,
    default_hostname,
    load,
    show,
)
from mxgw.config.forms import domain_name
from mxgw.envelope import ForwardPath

EDGE = {"MXGW_DOMAINS": "example.jp", "MXGW_HOME": "lmtp://mail.example", "MXGW_HOSTNAME": "mx.example.jp"}


def config_of(environ: dict[str, str], *, toml: Path | None = None, role: Role = Role.EDGE) -> Config:
    outcome = load(environ, toml=toml, role=role, hostname=lambda: "machine.example")
    assert isinstance(outcome, Config), [str(mistake) for mistake in outcome]
    return outcome


def test_defaults_of_the_edge() -> None:
    config = config_of(EDGE)

    assert config.listen == Address("0.0.0.0", 8025)
    assert config.http_listen == Address("0.0.0.0", 8080)
    assert config.home == HomeAddress("mail.example", 2525)
    assert config.max_message_octets == 37748736
    assert config.checks == frozenset(Check) - {Check.DNSBL}
    assert config.dmarc is DmarcPolicy.QUARANTINE
    assert (config.tls_cert, config.tls_key, config.seal_key, config.socks5, config.log) == (None,) * 5


def test_defaults_of_home_and_demo() -> None:
    assert config_of({"MXGW_HOME": "lmtp://dovecot:24"}, role=Role.HOME).listen == Address("0.0.0.0", 2525)
    demo = config_of({}, role=Role.DEMO)
    assert demo.listen == Address("127.0.0.1", 2525)
    assert demo.http_listen == Address("127.0.0.1", 8080)
    assert demo.domains.names == ("example.com", "example.jp")


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("MXGW_LISTEN", "[::1]:8025", Address("::1", 8025)),
        ("MXGW_LISTEN", "127.0.0.1:0", Address("127.0.0.1", 0)),
        ("MXGW_LISTEN", " localhost:25 ", Address("localhost", 25)),
        ("MXGW_HOSTNAME", "MX.Example.JP.", "mx.example.jp"),
        ("MXGW_HOSTNAME", "", "machine.example"),
        ("MXGW_DOMAINS", "Example.JP, example.com ,EXAMPLE.jp.", DomainList(("example.jp", "example.com"))),
        ("MXGW_DOMAINS", "例え.jp,xn--r8jz45g.jp", DomainList(("xn--r8jz45g.jp",))),
        ("MXGW_HOME", "lmtp://[fd7a::1]", HomeAddress("fd7a::1", 2525)),
        ("MXGW_HOME", "LMTP://mail_home:24/", HomeAddress("mail_home", 24)),
        ("MXGW_SOCKS5", "", None),
        ("MXGW_SOCKS5", "localhost:1055", Address("localhost", 1055)),
        ("MXGW_PROXY_FROM", "", ()),
        ("MXGW_PROXY_FROM", "10.0.0.0/16, fd00::/8", (ip_network("10.0.0.0/16"), ip_network("fd00::/8"))),
        ("MXGW_PROXY_FROM", "10.0.0.1", (ip_network("10.0.0.1/32"),)),
        ("MXGW_DNS", "", ()),
        (
            "MXGW_DNS",
            "127.0.0.1,::1,[::2],[::3]:54,127.0.0.2:55",
            tuple(
                Address(host, port)
                for host, port in [
                    ("127.0.0.1", 53),
                    ("::1", 53),
                    ("::2", 53),
                    ("::3", 54),
                    ("127.0.0.2", 55),
                ]
            ),
        ),
        ("MXGW_MAX_MESSAGE_OCTETS", "1 MiB", 1048576),
        ("MXGW_MAX_SPOOL_OCTETS", "1GiB", 1073741824),
        ("MXGW_CHECKS", "none", frozenset()),
        ("MXGW_CHECKS", "spf, recipient", frozenset({Check.SPF, Check.RECIPIENT})),
        ("MXGW_DMARC", "reject", DmarcPolicy.REJECT),
        ("MXGW_SEAL_KEY", "correct horse battery", b"correct horse battery"),
        ("MXGW_MAX_SESSIONS_PER_CLIENT", "2000", 2000),
        ("MXGW_PREGREET_SECONDS", "0", 0.0),
        ("MXGW_DRAIN_SECONDS", "1.25", 1.25),
        ("MXGW_POSTMASTER", "admin@example.jp", ForwardPath("admin", "example.jp")),
        ("MXGW_LOG", "text", LogFormat.TEXT),
        ("MXGW_SPOOL_DIR", "/", Path("/")),
    ],
)
def test_a_right_value_is_understood(variable: str, text: str, value: object) -> None:
    assert getattr(config_of({**EDGE, variable: text}), variable.removeprefix("MXGW_").lower()) == value


@pytest.mark.parametrize(("sessions", "per_client"), [("1", 1), ("100", 100), ("9000", 1500)])
def test_a_client_gets_no_more_than_all_sessions_unless_said_otherwise(
    sessions: str, per_client: int
) -> None:
    assert config_of({**EDGE, "MXGW_MAX_SESSIONS": sessions}).max_sessions_per_client == per_client


def test_the_file_gives_values_and_the_environment_wins(tmp_path: Path) -> None:
    toml = tmp_path / "mxgw.toml"
    toml.write_text(
        'domains = ["example.jp", "例え.jp"]\nhome = "lmtp://filed:24"\nsocks5 = "127.0.0.1:1055"\n'
        'workers = 2\npregreet_seconds = 0.5\nchecks = ["spf"]\nlisten = "127.0.0.1:1"\n'
    )

    config = config_of({"MXGW_CONFIG": str(toml), "MXGW_WORKERS": "3", "MXGW_SOCKS5": ""})

    assert config.domains.names == ("example.jp", "xn--r8jz45g.jp")
    assert config.home == HomeAddress("filed", 24)
    assert (config.workers, config.pregreet_seconds, config.socks5) == (3, 0.5, None)
    assert config.checks == {Check.SPF}


def test_the_option_wins_over_the_variable_that_names_a_file(tmp_path: Path) -> None:
    toml = tmp_path / "mxgw.toml"
    toml.write_text("workers = 2")

    assert config_of({**EDGE, "MXGW_CONFIG": "/nowhere"}, toml=toml).workers == 2
    assert config_of({**EDGE, "MXGW_CONFIG": ""}).workers == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"workers = \n", "line 1"),
        (b"\xff\xfe", "UTF-8"),
        (b"[listen]\nport = 1\n", "it is neither a text nor a number"),
        (b"workers = true\n", "it is a boolean"),
        (b"dns = [1, 2]\n", "a list of something else"),
        (b'dns = ["127.0.0.1,127.0.0.2"]\n', "a list of something else"),
        (b"listn = 1\n", "did you mean listen?"),
        (b"x = " + b"[" * 5000, ""),
        (b"#" * 1024 * 1024 + b"#", "larger"),
        (b"seal_key = 'hush hush'\n", "too short"),
        (b"seal_key = ['hush', 'hush', 'a,b']\n", "a list of something else"),
    ],
)
def test_a_broken_file_is_a_mistake(tmp_path: Path, content: bytes, expected: str) -> None:
    toml = tmp_path / "mxgw.toml"
    toml.write_bytes(content)

    outcome = load(EDGE, toml=toml)

    assert isinstance(outcome, list)
    assert len(outcome) == 1
    assert expected in str(outcome[0])
    assert str(toml) in str(outcome[0])
    assert "hush" not in str(outcome[0])


@pytest.mark.parametrize("path", ["/nowhere/mxgw.toml", "/", "/dev/zero"])
def test_a_file_that_is_not_there_is_a_mistake(path: str) -> None:
    outcome = load({**EDGE, "MXGW_CONFIG": path})

    assert isinstance(outcome, list)
    assert [mistake.setting for mistake in outcome] == ["MXGW_CONFIG"]


def test_mistakes_of_the_file_and_of_the_environment_come_together(tmp_path: Path) -> None:
    toml = tmp_path / "mxgw.toml"
    toml.write_text("workers = 0\nfoo = 1\n")

    outcome = load({"MXGW_CONFIG": str(toml), "MXGW_HOME": "x", "MXGW_BAR": "", "MXGW_DOMAINS": "a.example"})

    assert isinstance(outcome, list)
    assert {mistake.setting for mistake in outcome} == {"MXGW_WORKERS", "foo", "MXGW_HOME", "MXGW_BAR"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_every_row_explains_itself_in_two_languages(setting: object) -> None:
    row = next(row for row in SETTINGS if row is setting)

    assert row.expected
    assert row.meaning.endswith(".")
    assert row.meaning_ja.endswith("。")
    assert re.search("[ぁ-ん]", row.meaning_ja)


def test_secrets_are_never_shown() -> None:
    config = config_of({**EDGE, "MXGW_SEAL_KEY": "correct horse battery"})

    assert show(config.seal_key) == "(hidden)"
    assert "horse" not in repr(config)


def test_what_is_shown_is_what_may_be_said(tmp_path: Path) -> None:
    domains = tmp_path / "domains.txt"
    domains.write_text("example.jp\n")
    config = config_of(
        {**EDGE, "MXGW_DNS": "[::1]:54", "MXGW_PROXY_FROM": "10.0.0.0/8", "MXGW_CHECKS": "none"}
    )

    said = {
        setting.variable: show(getattr(config, setting.name))
        for setting in SETTINGS
        if getattr(config, setting.name) is not None
    }

    assert config_of(said) == config


def test_the_default_hostname_is_a_domain_name() -> None:
    assert domain_name(default_hostname())


names = st.sampled_from(
    [setting.variable for setting in SETTINGS] + ["MXGW_CONFIG", "MXGW_", "MXGW_X", "HOME"]
)
pieces = st.sampled_from(
    [
        "lmtp://",
        "file:",
        "ssm:",
        "secret:",
        "[",
        "]",
        ":",
        ",",
        "/",
        ".",
        "xn--",
        "127.0.0.1",
        "::1",
        "25",
        "@",
        "\0",
    ]
)
texts = st.one_of(
    st.text(max_size=80),
    st.text(st.sampled_from("a:/.\udc80\ud800\x00\x85\u2028"), max_size=20),
    st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=8).map("".join),
)


@given(environ=st.dictionaries(names, texts, max_size=8), role=st.sampled_from(Role))
def test_any_environment_gives_a_config_or_printable_mistakes(environ: dict[str, str], role: Role) -> None:
    outcome = load(environ, role=role, hostname=lambda: "mx.example")

    if isinstance(outcome, Config):
        return
    assert outcome
    for mistake in outcome:
        assert isinstance(mistake, ConfigMistake)
        assert str(mistake).isprintable()


@given(
    text=st.one_of(
        st.text(max_size=300), st.text(st.sampled_from("abxn-.0例え。\u200d\u0301ßİ"), max_size=40)
    )
)
def test_a_domain_name_is_normalised_once_or_refused(text: str) -> None:
    try:
        name = domain_name(text)
    except ValueError:
        return

    assert name.isascii()
    assert name == name.lower()
    assert domain_name(name) == name


@pytest.mark.parametrize(
    ("environ", "variable", "problem"),
    [
        ({"MXGW_CHECKS": "spf,dnsbl"}, "MXGW_CHECKS", "MXGW_DNSBL_ZONES is empty"),
        ({"MXGW_DNSBL_ZONES": "zen.example.org"}, "MXGW_DNSBL_ZONES", "MXGW_CHECKS does not name dnsbl"),
        ({"MXGW_NULL_MX": "reject", "MXGW_CHECKS": "dkim"}, "MXGW_NULL_MX", "beside spf"),
        ({"MXGW_RECEIVED_SPF": "on", "MXGW_CHECKS": "dkim"}, "MXGW_RECEIVED_SPF", "does not name spf"),
        ({"MXGW_CHECKS": "dmarc,arc"}, "MXGW_CHECKS", "dmarc rests on spf and dkim"),
    ],
)
def test_checks_that_cannot_do_anything_are_a_mistake(
    environ: dict[str, str], variable: str, problem: str
) -> None:
    found = load({"MXGW_DOMAINS": "example.jp", "MXGW_HOME": "lmtp://home", **environ})
    assert isinstance(found, list)
    assert [variable] == [mistake.setting for mistake in found]
    assert problem in str(found[0])


def test_domains_in_a_list_are_read_as_a_labels_without_repeats() -> None:
    config = load(
        {
            "MXGW_DOMAINS": "example.jp",
            "MXGW_HOME": "lmtp://home",
            "MXGW_ARC_TRUSTED": "Google.com, 例え.jp ,google.com.",
        }
    )
    assert not isinstance(config, list)
    assert config.arc_trusted == ("google.com", "xn--r8jz45g.jp")


def test_what_the_admins_commands_read_is_no_unknown_setting() -> None:
    config = load(
        {
            "MXGW_DOMAINS": "example.jp",
            "MXGW_HOME": "lmtp://home",
            "MXGW_ADMIN_DB": "mysql://mailadmin@mariadb/mail",
        }
    )
    assert not isinstance(config, list)
