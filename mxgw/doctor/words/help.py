"""What --help says, and what is wrong with a request."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

HELP: Final = {
    "short-doctor": Text(
        "Look at everything, say what is wrong, mend it.", "全体を調べ、異常を説明し、直します。"
    ),
    "help-doctor": Text(
        """\
What is right, what is wrong, what was seen, and what to do. On the mail server at
home it needs no options, and offers to repair what it safely can, one by one, after
a yes. The exit code is 1 where something is wrong (after repairs: still wrong).

This house (where its .env is): containers, disks, mailboxes, queue, Tailscale,
certificates, backup, virus signatures, test mail, mail that waits, the watch.
The edge, from outside: port, banner, extensions, encryption and certificate, reverse
names, no relaying for others, postmaster taken, unknown mailboxes refused, home
reachable. Nothing is delivered unless --send asks for it.
A domain: MX, SPF, DKIM, DMARC, MTA-STS and TLS-RPT, asked of its own servers and
of two resolvers, so that an old answer in a cache raises no alarm.

Many providers block port 25: the edge is then seen from a rented server only.

A reply of the gateway ends with a code, such as #M34: name it, or the whole reply,
to be told what it means. "codes" lists them all.

Examples:
  mxgw doctor
  mxgw doctor --house
  mxgw doctor --edge mx.example.jp --domain example.jp
  mxgw doctor --domain example.jp --outbound sendgrid.net --selector s1
  mxgw doctor --edge mx.example.jp --send taro@example.jp --lang ja
  mxgw doctor --domain example.jp --json | jq '.checks[] | select(.level != "ok")'
  mxgw doctor M34
  mxgw doctor '550 5.1.1 No such mailbox here #M34'""",
        """\
正常か異常か、その根拠、直し方を表示します。自宅のサーバーでは何も指定せずに使えます。
安全に直せるものは、一つずつ確認してから修復します。異常があると終了コードは 1 になり
ます（修復した場合は、修復後の状態）。

このサーバー（.env がある場合）：コンテナ、ディスク、メールボックス、送信待ち、
Tailscale、証明書、バックアップ、ウイルス定義、試験メール、送信側で待つメール、見張り。
エッジ（受信口、外から）：ポート、名乗り、拡張機能、暗号化と証明書、逆引き、不正中継の
拒否、postmaster の受け付け、存在しない宛先の拒否、自宅サーバーへの到達。
--send を付けない限りメールは送りません。
ドメイン：MX、SPF、DKIM、DMARC、MTA-STS、TLS-RPT。ドメイン自身の DNS サーバーと
2 つのリゾルバーに聞くので、古いキャッシュを異常と間違えません。

家庭用回線の多くはポート 25 が塞がれています（OP25B）。その場合、エッジは VPS などから
調べてください。

受信口の返答は #M34 のようなコードで終わります。コードか返答全体を指定すると意味を説明
します。codes で一覧を表示します。

例：
  mxgw doctor
  mxgw doctor --house
  mxgw doctor --edge mx.example.jp --domain example.jp
  mxgw doctor --domain example.jp --outbound sendgrid.net --selector s1
  mxgw doctor --edge mx.example.jp --send taro@example.jp --lang ja
  mxgw doctor --domain example.jp --json | jq '.checks[] | select(.level != "ok")'
  mxgw doctor M34
  mxgw doctor '550 5.1.1 No such mailbox here #M34'""",
    ),
    "column-code": Text("code", "コード"),
    "column-meaning": Text("meaning", "意味"),
    "code-what": Text("What happened", "何が起きたか"),
    "code-sender": Text("The sender", "送信者は"),
    "code-admin": Text("You, the administrator", "管理者は"),
    "no-such-code": Text(
        "{text!r} holds no code of ours; a code looks like {example}, and mxgw doctor codes lists them.",
        "{text!r} にコードが見つかりません。コードは {example} のような形です。一覧は mxgw doctor codes で表示できます。",
    ),
    "option-edge": Text(
        "The edge, by its name or address. [default: $MXGW_ADMIN_MX, or that of .env]",
        "エッジの名前かアドレス。省略時は $MXGW_ADMIN_MX か .env の値。",
    ),
    "option-doctor-domain": Text(
        "A domain of ours, may be repeated. [default: $MXGW_DOMAINS, or those of this house]",
        "診断するドメイン（複数可）。省略時は $MXGW_DOMAINS かこのサーバーのドメイン。",
    ),
    "option-outbound": Text(
        "Who sends for us: a domain that SPF includes, or an address. [default: sendgrid.net]",
        "送信元。SPF の include 先ドメインか IP アドレス。省略時は sendgrid.net。",
    ),
    "option-doctor-selector": Text(
        "DKIM selector, may be repeated. [default: s1 and s2 for sendgrid.net]",
        "DKIM セレクター（複数可）。sendgrid.net なら省略時は s1 と s2。",
    ),
    "option-resolver": Text(
        "Resolver to ask, may be repeated. [default: 1.1.1.1 and 8.8.8.8]",
        "問い合わせるリゾルバー（複数可）。省略時は 1.1.1.1 と 8.8.8.8。",
    ),
    "option-authority": Text(
        "Server to ask as the domain's own, may be repeated. [default: where DNS delegates to]",
        "ドメイン自身の DNS サーバーとして聞く相手（複数可）。省略時は委任先。",
    ),
    "option-send": Text(
        "Really deliver a test message to this mailbox of ours.",
        "このアドレスへテストメールを実際に送ります。",
    ),
    "option-timeout": Text("Seconds to wait for each answer. [default: 20]", "応答を待つ秒数。省略時は 20。"),
    "doctor-nothing": Text(
        "say what to look at: mxgw doctor --edge mx.example.jp --domain example.jp",
        "診断する対象を指定してください：mxgw doctor --edge mx.example.jp --domain example.jp",
    ),
    "doctor-send-without-edge": Text(
        "--send needs the edge to send to: --edge mx.example.jp",
        "--send には送り先のエッジが必要です：--edge mx.example.jp",
    ),
    "bad-edge": Text(
        "{text!r} is no edge; write it like mx.example.jp, mx.example.jp:25 or 192.0.2.1.",
        "{text!r} はエッジとして使えません。mx.example.jp、mx.example.jp:25、192.0.2.1 のように指定してください。",
    ),
    "bad-timeout": Text(
        "{text!r} is no time to wait; give seconds from {least} to {most}.",
        "{text!r} は待ち時間として使えません。{least} から {most} までの秒数を指定してください。",
    ),
    "too-many-domains": Text(
        "{count} domains are too many for one run; give at most {most}.",
        "一度に診断できるドメインは {most} 個までです（指定：{count} 個）。",
    ),
    "doctor-looking": Text("Looking from outside ...", "外から調べています..."),
    "edge-title": Text("The edge {place}", "エッジ {place}"),
    "domain-title": Text("The domain {domain}", "ドメイン {domain}"),
    "evidence": Text("seen: {text}", "根拠：{text}"),
    "doctor-good": Text("All is well.", "すべて正常です。"),
    "doctor-warned": Text(
        "Mail works; {warnings} to look at.", "メールは使えます。確認したい点が {warnings} 件あります。"
    ),
    "doctor-failed": Text(
        "{failed} wrong, and {warnings} to look at.",
        "異常が {failed} 件、確認したい点が {warnings} 件あります。",
    ),
    "column-check": Text("check", "項目"),
}
