"""The table of settings: one row per field of ``Config``, from which everything else about it is made.

The environment variable is ``MXGW_`` and the field's name in capitals; the TOML key is the field's name.
A setting is added by adding a field here, and nowhere else; ``mxgw settings --markdown`` writes the manual.
"""

# ruff: noqa: RUF001, RUF009
# RUF001: Japanese has full-width brackets.
# RUF009: row() is dataclasses.field with our row in its metadata, not a default shared by instances.

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from mxgw.config import forms, remote
from mxgw.config.domains import DomainList, domain_list, parameter_domains
from mxgw.config.forms import Address, HomeAddress, Pem, ScannerAddress
from mxgw.config.remote import Kept
from mxgw.config.rows import (
    ROW,
    Check,
    DmarcPolicy,
    DnsblPolicy,
    LogFormat,
    NullMxPolicy,
    OnOff,
    Role,
    Setting,
    Unscanned,
    checks,
    one_of,
    row,
)
from mxgw.envelope import ForwardPath

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


OWN_NETWORKS = tuple(
    ip_network(text) for text in ("127.0.0.0/8", "::1", "100.64.0.0/10", "fd7a:115c:a1e0::/48")
)
"""Loopback, where a sidecar forwards from, and the addresses of a tailnet."""

MAX_SESSIONS_PER_CLIENT = 1500
"""Half of the sessions: one network of clients cannot shut the others out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The effective configuration: every setting parsed and checked, nothing left to interpret."""

    listen: Address = row(
        forms.listen_address,
        default=Address("0.0.0.0", 8025),
        defaults={Role.HOME: Address("0.0.0.0", 2525), Role.DEMO: Address("127.0.0.1", 2525)},
        expected="host:port, for example 0.0.0.0:8025 or [::]:8025; port 0 picks a free one",
        en="Where the mail door listens: SMTP at the edge, LMTP at home.",
        ja="メールの受付口（edge は SMTP、home は LMTP）が待ち受けるアドレス。",
    )
    http_listen: Address = row(
        forms.listen_address,
        default=Address("0.0.0.0", 8080),
        defaults={Role.DEMO: Address("127.0.0.1", 8080)},
        expected="host:port, for example 0.0.0.0:8080 or [::]:8080; port 0 picks a free one",
        en="Where /livez, /readyz, /metrics, /status and the status page are served.",
        ja="/livez、/readyz、/metrics、/status と状態ページを提供するアドレス。",
    )
    hostname: str = row(
        forms.domain_name,
        default="localhost",
        default_text="the full name of this machine",
        blank=True,
        expected="a domain name, for example mx.example.jp",
        en="Our name in the banner, in replies and in trace fields.",
        ja="バナー、応答、追跡ヘッダーに書く自分の名前。",
    )
    domains: DomainList = row(
        domain_list,
        default=DomainList(()),
        defaults={Role.DEMO: DomainList(("example.com", "example.jp"))},
        needed=frozenset({Role.EDGE}),
        kept=Kept(remote.parameter, parameter_domains),
        expected="domains separated by commas, for example example.jp,example.com; "
        "or file:/path of a file with one domain a line; or ssm:/path of a parameter at AWS",
        en="Domains that mail is accepted for. A file and a parameter are watched for changes. "
        "The first one's postmaster gets mail for <postmaster>.",
        ja="メールを受け取るドメイン。ファイルと AWS のパラメーターの変更は自動で反映。"
        "<postmaster> 宛ては最初のドメインの postmaster に届く。",
    )
    home: HomeAddress = row(
        forms.home_address,
        default=HomeAddress("127.0.0.1", 2525),
        default_text="",
        needed=frozenset({Role.EDGE, Role.HOME}),
        expected="lmtp://host[:port], for example lmtp://mail.tailnet.ts.net:2525",
        en="Where messages go: the LMTP door of the next hop.",
        ja="メールの配送先（次の LMTP サーバー）。",
    )
    socks5: Address | None = row(
        forms.peer_address,
        default=None,
        blank=True,
        expected="host:port, for example 127.0.0.1:1055; empty = connect directly",
        en="SOCKS5 proxy on the way to home; the proxy resolves home's name.",
        ja="home へ接続するときの SOCKS5 プロキシ。home の名前解決もプロキシが行う。空なら直接接続。",
    )
    proxy_from: tuple[IPv4Network | IPv6Network, ...] = row(
        forms.networks,
        default=(),
        blank=True,
        expected="networks separated by commas, for example 10.0.0.0/16,fd00::/8; empty = PROXY protocol off",
        en="Networks that must send a PROXY header (v1 or v2); nobody else may.",
        ja="PROXY ヘッダー（v1 / v2）を必ず送る側のネットワーク。それ以外からは受け付けない。",
    )
    edge_from: tuple[IPv4Network | IPv6Network, ...] = row(
        forms.networks,
        default=OWN_NETWORKS,
        blank=True,
        expected="networks separated by commas, for example 100.64.0.0/10,fd7a:115c:a1e0::/48",
        en="Networks that may talk to the door at home, and are believed whose mail they pass on (XCLIENT).",
        ja="home の受付口に接続でき、送信元の申告（XCLIENT）を信じる相手のネットワーク。",
    )
    rspamd: ScannerAddress = row(
        forms.scanner_address,
        default=ScannerAddress("127.0.0.1", forms.SCANNER_PORT),
        expected="http://host[:port], for example http://rspamd:11333",
        en="Rspamd's normal worker, which home asks about the content of each message.",
        ja="home がメールの内容を問い合わせる Rspamd（normal worker）。",
    )
    unscanned: Unscanned = row(
        one_of(Unscanned),
        default=Unscanned.DEFER,
        expected=f"one of {', '.join(Unscanned)}",
        en="What home does with a message when Rspamd gives no verdict: 451, or deliver it unscanned.",
        ja="Rspamd が判定できないときの扱い：451 で再送を待つか、検査なしで配送するか。",
    )
    scan_seconds: float = row(
        forms.seconds(1, 300),
        default=30.0,
        expected="seconds within 1 and 300",
        en="How long Rspamd may take over a message, waiting for its turn included.",
        ja="Rspamd の検査にかけてよい秒数（順番待ちを含む）。",
    )
    max_scans: int = row(
        forms.whole(1, 1000),
        default=8,
        expected="a whole number within 1 and 1000",
        en="Messages that Rspamd is asked about at a time; it holds each in memory.",
        ja="Rspamd に同時に検査させるメール数。検査中のメールは Rspamd のメモリーに載る。",
    )
    dns: tuple[Address, ...] = row(
        forms.resolvers,
        default=(),
        default_text="the system's",
        blank=True,
        expected="address[:port] of resolvers separated by commas, for example 127.0.0.1,[::1]:5353",
        en="DNS resolvers to ask.",
        ja="問い合わせる DNS リゾルバー。空ならシステムの設定。",
    )
    tls_cert: Path | Pem | None = row(
        forms.pem,
        default=None,
        default_text="self-signed, made at the start",
        blank=True,
        kept=Kept(remote.secret, forms.kept_pem),
        expected="path of a readable PEM file, for example /etc/mxgw/fullchain.pem; or secret:NAME#KEY, "
        "secret:ARN#KEY at AWS; or PEM text",
        en="Certificate chain for STARTTLS; goes with MXGW_TLS_KEY. Files and secrets are watched for "
        "a renewal.",
        ja="STARTTLS の証明書チェーン。MXGW_TLS_KEY と組で指定。"
        "ファイルと AWS の秘密情報の更新は自動で反映。",
    )
    tls_key: Path | Pem | None = row(
        forms.pem,
        default=None,
        blank=True,
        kept=Kept(remote.secret, forms.kept_pem),
        expected="path of a readable PEM file, for example /etc/mxgw/privkey.pem; or secret:NAME#KEY, "
        "secret:ARN#KEY at AWS; or PEM text",
        en="Private key of the certificate; goes with MXGW_TLS_CERT.",
        ja="証明書の秘密鍵。MXGW_TLS_CERT と組で指定。",
    )
    max_message_octets: int = row(
        forms.octets(1, GIB),
        default=36 * MIB,
        expected="octets within 1 and 1GiB, for example 37748736 or 36MiB",
        en="Largest message; announced as SIZE. 36 MiB carry 25 MB of attachments. "
        "Less than 64 KiB breaks RFC 5321.",
        ja="受け取るメールの最大サイズ（SIZE で通知）。36 MiB で添付 25 MB 相当。"
        "64 KiB 未満は RFC 5321 に反する。",
    )
    checks: frozenset[Check] = row(
        checks,
        default=frozenset(Check) - {Check.DNSBL},
        # The demo must run where there is no DNS.
        defaults={Role.DEMO: frozenset({Check.RECIPIENT, Check.PREGREET})},
        expected=f"none, or words separated by commas out of {','.join(Check)}",
        en="Which checks are made.",
        ja="行う検査。",
    )
    dmarc: DmarcPolicy = row(
        one_of(DmarcPolicy),
        default=DmarcPolicy.QUARANTINE,
        expected=f"one of {', '.join(DmarcPolicy)}",
        en="The most that is done with a message that fails DMARC.",
        ja="DMARC に失敗したメールへの最も厳しい扱い。",
    )
    authserv_id: str | None = row(
        forms.domain_name,
        default=None,
        default_text="MXGW_HOSTNAME",
        blank=True,
        expected="a domain name, for example mx.example.jp",
        en="Our name in Authentication-Results; fields of strangers that bear it are removed.",
        ja="Authentication-Results に書く自分の名前。これを名乗る他者のヘッダーは取り除く。",
    )
    arc_trusted: tuple[str, ...] = row(
        forms.domain_names,
        default=(),
        blank=True,
        expected="domains separated by commas, for example google.com,example.org; empty = nobody",
        en="Sealers of ARC chains whose word excuses a message that fails DMARC (lists, forwarders).",
        ja="DMARC に失敗したメールでも、ARC で保証すれば信じる転送元のドメイン（メーリングリストなど）。",
    )
    dnsbl_zones: tuple[str, ...] = row(
        forms.domain_names,
        default=(),
        blank=True,
        expected="DNS zones separated by commas, for example zen.spamhaus.org; empty = none",
        en="DNS lists of bad clients to ask; needs dnsbl in MXGW_CHECKS.",
        ja="問い合わせる DNS ブラックリスト。MXGW_CHECKS に dnsbl が必要。",
    )
    dnsbl: DnsblPolicy = row(
        one_of(DnsblPolicy),
        default=DnsblPolicy.REPORT,
        expected=f"one of {', '.join(DnsblPolicy)}",
        en="What is done with mail of a client that a list names: only stated, or refused with 550.",
        ja="ブラックリストに載った送信元の扱い：記録だけ、または 550 で拒否。",
    )
    null_mx: NullMxPolicy = row(
        one_of(NullMxPolicy),
        # Not refused: some newsletters come from domains that take no mail, and are wanted all the same.
        default=NullMxPolicy.REPORT,
        expected=f"one of {', '.join(NullMxPolicy)}",
        en="What is done with mail whose sender's domain takes no mail itself (null MX): not looked at, only "
        "stated, or refused with 550. Asked beside spf in MXGW_CHECKS.",
        ja="送信者のドメインが自らメールを受け取らない（null MX）場合の扱い：調べない、記録だけ、"
        "または 550 で拒否。MXGW_CHECKS の spf と一緒に調べる。",
    )
    received_spf: OnOff = row(
        one_of(OnOff),
        default=OnOff.OFF,
        expected=f"one of {', '.join(OnOff)}",
        en="Whether the result of SPF is written into a Received-SPF field as well, for programs that do not "
        "read Authentication-Results.",
        ja="SPF の結果を Received-SPF ヘッダーにも書くか"
        "（Authentication-Results を読まないプログラムのため）。",
    )
    seal_key: bytes | None = row(
        forms.secret,
        default=None,
        secret=True,
        kept=Kept(remote.secret, forms.kept_secret),
        expected=f"text of at least {forms.MIN_SECRET_CHARACTERS} characters, "
        "for example from: openssl rand -base64 32; or secret:NAME, secret:ARN at AWS",
        en="Key shared by edge and home for the fingerprint and the seal.",
        ja="edge と home が共有する鍵（指紋と封印に使う）。",
    )
    workers: int = row(
        forms.whole(1, 64),
        default=1,
        expected="a whole number within 1 and 64",
        en="Processes that share the mail door; one per core is enough.",
        ja="受付口を分担するプロセス数。コア数までで十分。",
    )
    max_sessions: int = row(
        forms.whole(1, 100_000),
        default=3000,  # About 45 KB each under TLS: 135 MB of the task's 256.
        expected="a whole number within 1 and 100000",
        en="Sessions at a time, per worker; more are answered 421.",
        ja="同時セッション数の上限（ワーカーごと）。超えると 421。",
    )
    max_sessions_per_client: int = row(
        forms.whole(1, 100_000),
        default=MAX_SESSIONS_PER_CLIENT,
        default_text="1500, or MXGW_MAX_SESSIONS where that is less",
        expected="a whole number within 1 and 100000, at most MXGW_MAX_SESSIONS",
        en="Sessions at a time from one network of clients (IPv4 /24, IPv6 /64), per worker.",
        ja="同じ送信元ネットワーク（IPv4 は /24、IPv6 は /64）からの同時セッション数（ワーカーごと）。",
    )
    max_recipients: int = row(
        forms.whole(1, 10_000),
        default=100,  # RFC 5321 section 4.5.3.1.8: at least 100.
        expected="a whole number within 1 and 10000",
        en="Recipients per message; more are answered 452. Fewer than 100 break RFC 5321.",
        ja="1 通あたりの宛先数。超えると 452。100 未満は RFC 5321 に反する。",
    )
    max_messages_per_session: int = row(
        forms.whole(1, 1_000_000),
        default=10_000,
        expected="a whole number within 1 and 1000000",
        en="Messages in one session, then 421.",
        ja="1 セッションで受け取るメール数。超えると 421。",
    )
    max_commands: int = row(
        forms.whole(1, 1_000_000),
        default=1000,
        expected="a whole number within 1 and 1000000",
        en="Commands in a session without a message being accepted, then 421.",
        ja="1 通も受理されないまま送れるコマンド数。超えると 421。",
    )
    max_errors: int = row(
        forms.whole(1, 10_000),
        default=20,
        expected="a whole number within 1 and 10000",
        en="Mistaken commands in a session, then 421.",
        ja="1 セッションの誤ったコマンド数。超えると 421。",
    )
    max_received: int = row(
        forms.whole(1, 1000),
        default=50,
        expected="a whole number within 1 and 1000",
        en="Received fields in a message; more mean that it goes in a loop.",
        ja="Received ヘッダーの数の上限。超えるとループとみなす。",
    )
    max_spool_octets: int = row(
        forms.octets(1, 1024 * GIB),
        default=4 * GIB,
        default_text="4294967296",
        expected="octets within 1 and 1024GiB, for example 4GiB; at least MXGW_MAX_MESSAGE_OCTETS",
        en="Content in transit at a time, in memory and on disk, per worker; more is answered 452.",
        ja="中継中の本文の合計（メモリーとディスク、ワーカーごと）。超えると 452。",
    )
    spool_dir: Path | None = row(
        forms.directory,
        default=None,
        default_text="the system's directory for temporary files",
        blank=True,
        expected="path of a directory, for example /var/spool/mxgw",
        en="Where content in transit that does not fit into memory is kept, in nameless files.",
        ja="メモリーに収まらない中継中の本文を名前のない一時ファイルとして置く場所。",
    )
    spool_memory_octets: int = row(
        forms.octets(0, 64 * MIB),
        default=256 * KIB,
        expected="octets within 0 and 64MiB, for example 256KiB",
        en="How much of each message stays in memory before it goes to a file.",
        ja="1 通あたりメモリーに置く量。超えた分はファイルへ。",
    )
    home_connections: int = row(
        forms.whole(1, 1000),
        default=8,
        expected="a whole number within 1 and 1000",
        en="LMTP connections to home at a time, per worker.",
        ja="home への LMTP 接続数の上限（ワーカーごと）。",
    )
    home_waiters: int = row(
        forms.whole(0, 100_000),
        default=1000,
        expected="a whole number within 0 and 100000",
        en="Messages that may wait for a connection to home; more are answered 451.",
        ja="home への接続を待てるメール数。超えると 451。",
    )
    connect_seconds: float = row(
        forms.seconds(0.1, 120),
        default=10.0,
        expected="seconds within 0.1 and 120, less than MXGW_RELAY_SECONDS",
        en="How long a connection to home may take to be made.",
        ja="home への接続確立を待つ秒数。",
    )
    relay_seconds: float = row(
        forms.seconds(1, 590),  # RFC 5321 section 4.5.3.2.6: clients wait 10 minutes for the answer.
        default=240.0,
        # With scan and turn (as long again) it ends before the edge stops waiting.
        defaults={Role.HOME: 100.0},
        expected="seconds within 1 and 590",
        en="How long a delivery to home may take in all; then 451. The question about recipients has 80 s.",
        ja="home への配送全体にかけてよい秒数。超えると 451。宛先の問い合わせは別に 80 秒まで。",
    )
    drain_seconds: float = row(
        forms.seconds(0, 3600),
        default=110.0,
        expected="seconds within 0 and 3600, less than what the platform gives before it kills",
        en="How long messages in flight may take to finish after SIGTERM.",
        ja="SIGTERM のあと処理中のメールの完了を待つ秒数。",
    )
    pregreet_seconds: float = row(
        forms.seconds(0, 10),
        default=0.3,
        expected="seconds within 0 and 10",
        en="How long the banner is held back to see who talks too early.",
        ja="先に話し出すクライアントを見分けるためバナーを遅らせる秒数。",
    )
    recipient_cache_seconds: float = row(
        forms.seconds(0, 30),
        default=30.0,
        expected="seconds within 0 and 30",
        en="How long home's answer about a recipient is remembered.",
        ja="宛先についての home の回答を覚えておく秒数。",
    )
    postmaster: ForwardPath | None = row(
        forms.mailbox,
        default=None,
        default_text="postmaster at the first of MXGW_DOMAINS",
        blank=True,
        expected="a mailbox, for example admin@example.jp",
        en="The mailbox that mail for <postmaster> without a domain goes to.",
        ja="ドメインなしの <postmaster> 宛てを届けるメールボックス。",
    )
    log: LogFormat | None = row(
        one_of(LogFormat),
        default=None,
        default_text="text on a terminal, else json",
        blank=True,
        expected=f"one of {', '.join(LogFormat)}",
        en="How log lines look.",
        ja="ログの形式。",
    )
    emf_service: str | None = row(
        forms.label,
        default=None,
        blank=True,
        expected="letters, digits and -_. , at most 64, for example mxgw-edge; empty = none",
        en="Writes a line of metrics a minute for CloudWatch (EMF), each with this as dimension Service.",
        ja="CloudWatch 用のメトリクス（EMF）を 1 分ごとに出力。値はディメンション Service になる。",
    )


SETTINGS: Final[tuple[Setting, ...]] = tuple(
    replace(field.metadata[ROW], name=field.name) for field in fields(Config)
)
