"""Japanese of the commands that are Bilingual: their help, and each sentence by its English."""

# ruff: noqa: RUF001 - signs of Japanese

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Help(NamedTuple):
    """The text of --help, and those of its options."""

    text: str
    options: Mapping[str, str]


OPTIONS: Final = {
    "--json": "JSON で出力します（パイプでは自動）。",
    "--lang": "表示言語。省略すると LANG に従います。",
    "--config": "設定を書いた TOML ファイル。環境変数が優先されます。省略時は $MXGW_CONFIG。",
    "--mail-dir": "メールボックスを置くディレクトリ。省略時は var/mail。",
}
"""What several have."""

HELPS: Final = {
    "demo": Help(
        """\
ゲートウェイ、メールボックス、状態ページを、このコンピューターの中だけで動かします。

メールの送り方と読み方を表示します。Ctrl-C で終了し、メールは残ります。

例：
  mxgw demo
  mxgw demo --smtp 127.0.0.1:2525""",
        {
            "--smtp": "メールを受け付ける場所。省略時は 127.0.0.1:2525。",
            "--http": "状態ページの場所。省略時は 127.0.0.1:8080。",
        },
    ),
    "send": Help(
        """\
テストメールを 1 通送り、サーバーの応答を表示します。何も指定しなければ `mxgw demo` に送ります。

サーバーが対応していれば STARTTLS を使います。メールサーバー間では自己署名の証明書が
珍しくないため、証明書は検証しません（RFC 7435）。

すべての宛先が受け付けられると終了コードは 0、それ以外は 1 です。

例：
  mxgw send
  mxgw send --to taro@example.com --subject こんにちは --attach photo.jpg -v
  mxgw send --to refused@example.com --to taro@example.com
  mxgw send --size 30000000""",
        {
            "--to": "宛先（複数可）。省略時は taro@example.com。",
            "--from": '差出人。"" は空の差出人（<>）。省略時は hanako@example.org。',
            "--subject": "件名。",
            "--body": "本文。- なら標準入力から読みます。",
            "--attach": "添付するファイル（複数可）。",
            "--size": "全体がこの大きさ（オクテット）になるよう本文を補います。",
            "--server": "送信先のサーバー。省略時は 127.0.0.1:2525。",
            "--no-tls": "STARTTLS を使いません。",
            "--verbose": "SMTP のやりとりを表示します。",
        },
    ),
    "read": Help(
        """\
`mxgw demo` が受け取ったメールを一覧します。番号か last を指定すると、その 1 通を表示します。

例：
  mxgw read
  mxgw read last
  mxgw read 3 --raw | sha256sum""",
        {
            "--raw": "保存されたままの形で出力します。",
            "--json": "JSON で出力します。",
        },
    ),
    "verify": Help(
        """\
このメールは、なぜ「迷惑メール」に入ったのでしょうか。保存したメールのファイル（- なら標準入力）を
エッジと同じ方法で検査し、結果と理由を表示します。

SPF、DKIM、DMARC、ARC、接続元の名前、DNS リストを、今あらためて調べます。受信したあとに
送信元の鍵や方針が変わっていることもあります。メールは、ヘッダーを含む元の形
（「メッセージのソース」「.eml 形式」など）で保存してください。

検査ができれば、結果にかかわらず終了コードは 0 です。

例：
  mxgw verify letter.eml
  mxgw verify letter.eml --ip 192.0.2.1 --helo mx.example.org --mail-from bounce@example.org
  mxgw verify - --json < letter.eml | jq .handling""",
        {
            "--ip": "接続元のアドレス。省略時は、外部から届いたことを示す一番上の Received から。",
            "--helo": "接続元が名乗った名前。省略時は --ip と同じ Received から。",
            "--mail-from": "差出人アドレス（封筒）。'' は <>。省略時は Return-Path から。",
            "--dns": "問い合わせるリゾルバー（カンマ区切り）。省略時は $MXGW_DNS、なければこの機械の設定。",
            "--dmarc": "DMARC に失敗したメールへの最も厳しい扱い。省略時は quarantine。",
            "--arc-trusted": "ARC の署名を信用するドメイン（カンマ区切り）。省略時は $MXGW_ARC_TRUSTED。",
            "--null-mx": "差出人のドメインがメールを受け取らない場合の扱い。省略時は report。",
            "--dnsbl-zones": "接続元を照会する DNS リスト（カンマ区切り）。省略時は $MXGW_DNSBL_ZONES。",
            "--dnsbl": "DNS リストに載っている接続元の扱い。省略時は report。",
        },
    ),
    "check": Help(
        """\
エッジの有効な設定を表示し（秘密情報は伏せます）、設定された相手につながるか試します。

試すもの：待ち受けるアドレス、証明書と鍵、スプールのディレクトリ、自宅のサーバー（直接、または
SOCKS5 プロキシー経由）とその機能、postmaster の受け付け。AWS にある値は AWS から読みます。
試した結果の説明は英語です。

すべて正常なら終了コードは 0、失敗があれば 1、設定に誤りがあれば 2 です。

例：
  mxgw check --config mxgw.toml
  mxgw check --json | jq '.tries[] | select(.level != "ok")'""",
        {},
    ),
    "settings": Help(
        """\
すべての設定を、変数名、既定値、書式、意味（英語と日本語）とともに一覧します。

例：
  mxgw settings | grep SESSIONS""",
        {"--markdown": "説明書の表を出力します。", "--json": "JSON で出力します。"},
    ),
}

SENTENCES: Final = {
    # -- send
    "{text!r} is not a mail address; expected local@domain, for example taro@example.com": (
        "{text!r} はメールアドレスの形式ではありません。taro@example.com のように指定してください。"
    ),
    "{server} closed the connection without an answer": "{server} が応答せずに接続を切りました。",
    "{server} does not talk SMTP: {why}": "{server} は SMTP を話しません：{why}",
    "cannot talk to {server}: {why} (is `mxgw demo` running?)": (
        "{server} につながりません：{why}（`mxgw demo` は動いていますか？）"
    ),
    "{recipient}: not accepted: {answer}": "{recipient}：受け付けられませんでした：{answer}",
    "accepted: {answer} ({octets:,} octets)": "受け付けられました：{answer}（{octets:,} オクテット）",
    "not accepted, answer to {stage}: {answer} ({octets:,} octets)": (
        "受け付けられませんでした（{stage} への応答）：{answer}（{octets:,} オクテット）"
    ),
    # -- read
    "--raw shows one message: give its number, for example: mxgw read 1 --raw": (
        "--raw では番号を指定してください。例：mxgw read 1 --raw"
    ),
    "message {number} cannot be read: {why}": "{number} 番のメールを読めません：{why}",
    "there is no message in {place}; send one with: mxgw send": (
        "{place} にメールがありません。mxgw send で送ってみてください。"
    ),
    "There is no message in {place} yet; send one with: mxgw send": (
        "{place} にはまだメールがありません。mxgw send で送ってみてください。"
    ),
    "there is no message {number!r}; there are 1 to {count}, or say: last": (
        "{number!r} というメールはありません。1 から {count} の番号か last を指定してください。"
    ),
    "time": "日時",
    "to": "宛先",
    "from": "差出人",
    "subject": "件名",
    "octets": "大きさ",
    "without a name": "名前なし",
    "attachment": "添付",
    # -- demo
    "mxgw demo is running": "mxgw demo が動いています",
    "; Ctrl-C ends it, the mail stays": "（Ctrl-C で終了、メールは残ります）",
    "Doors": "待ち受け",
    "Send a mail": "送ってみる",
    "Read it": "読んでみる",
    "Addresses that force an answer": "決まった応答を返すアドレス",
    "for {domains}": "{domains} 宛て",
    "mailbox": "保存先",
    "LMTP, stores in {place}": "LMTP、{place} に保存",
    "status": "状態",
    "list": "一覧",
    "show": "表示",
}

MAGIC: Final = {
    "unknown mailbox: 550 at RCPT": "メールボックスがない：RCPT に 550",
    "mailbox full: 552 at RCPT": "容量がいっぱい：RCPT に 552",
    "not just now: 451 at RCPT": "あとで：RCPT に 451",
    "refused after the content: 550": "本文のあとで拒否：550",
    "put off after the content: 451": "本文のあとで延期：451",
    "answers after 5 seconds": "5 秒後に応答",
}
"""What the demo's addresses do."""
