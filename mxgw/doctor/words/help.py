"""What --help says, and what is wrong with a request."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

HELP: Final = {
    "short-doctor": Text("Look at the edge and at domains as a sender does.", "エッジとドメインを外から診断"),
    "help-doctor": Text(
        """\
Look at the edge and at domains from outside, as a sending server does: what is
right, what is wrong, what was seen, and what to do. Nothing is delivered unless
--send asks for it. The exit code is 1 where something is wrong.

The edge: port, banner, extensions, encryption and certificate, reverse names, no
relaying for others, postmaster taken, unknown mailboxes refused, home reachable.
A domain: MX, SPF, DKIM, DMARC, MTA-STS and TLS-RPT, asked of its own servers and
of two resolvers, so that an old answer in a cache raises no alarm.

Many providers block port 25: then run it on a rented server, or where home is.

A reply of the gateway ends with a code, such as #M34: name it, or the whole reply,
to be told what it means. "codes" lists them all.

Examples:
  mxgw doctor --edge mx.example.jp --domain example.jp
  mxgw doctor --domain example.jp --outbound sendgrid.net --selector s1
  mxgw doctor --edge mx.example.jp --send taro@example.jp --lang ja
  mxgw doctor --domain example.jp --json | jq '.checks[] | select(.level != "ok")'
  mxgw doctor M34
  mxgw doctor '550 5.1.1 No such mailbox here #M34'""",
        """\
エッジ（受信口）とドメインを、送信サーバーと同じように外から調べます。正常か異常か、
その根拠、直し方を表示します。--send を付けない限りメールは送りません。異常があると
終了コードは 1 になります。

エッジ：ポート、名乗り、拡張機能、暗号化と証明書、逆引き、不正中継の拒否、postmaster
の受け付け、存在しない宛先の拒否、自宅サーバーへの到達。
ドメイン：MX、SPF、DKIM、DMARC、MTA-STS、TLS-RPT。ドメイン自身の DNS サーバーと
2 つのリゾルバーに聞くので、古いキャッシュを異常と間違えません。

家庭用回線の多くはポート 25 が塞がれています（OP25B）。その場合は VPS などから実行
してください。

受信口の返答は #M34 のようなコードで終わります。コードか返答全体を指定すると意味を説明
します。codes で一覧を表示します。

例：
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
        "The edge, by its name or address. [default: $MXGW_ADMIN_MX]",
        "エッジの名前かアドレス。省略時は $MXGW_ADMIN_MX。",
    ),
    "option-doctor-domain": Text(
        "A domain of ours, may be repeated. [default: $MXGW_DOMAINS]",
        "診断するドメイン（複数可）。省略時は $MXGW_DOMAINS。",
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
