"""What SendGrid thinks of keys, domains and the plan."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

SENDGRID: Final = {
    "option-stack": Text(
        "Directory of compose.yaml and .env. [default: /opt/mxgw/dell-stack]",
        "compose.yaml と .env のディレクトリ。省略時 /opt/mxgw/dell-stack。",
    ),
    "env-file-missing": Text(
        "There is no {path}. Run this on the machine of the mail server, after install.sh; or name the directory of "
        ".env: export MXGW_STACK=DIRECTORY",
        "{path} がありません。install.sh でセットアップしたメールサーバーの機械で実行するか、.env のあるディレクトリを"
        "指定してください：export MXGW_STACK=ディレクトリ",
    ),
    "env-file-forbidden": Text(
        "{path} cannot be read; run this as root (sudo).",
        "{path} を読めません。root（sudo）で実行してください。",
    ),
    "env-file-unreadable": Text(
        "{path} is no readable text file: {why}. Correct it, or bring it back from a backup: "
        "mxgw admin restore --configuration only",
        "{path} をテキストとして読めません：{why}。直すか、バックアップから戻してください："
        "mxgw admin restore --configuration only",
    ),
    "short-sendgrid": Text("Keys, signatures and allowance at SendGrid.", "SendGrid のキー、署名、送信数"),
    "help-sendgrid": Text(
        """\
SendGrid, which delivers the mail that is sent from here: are the keys good, does
it sign for our domains, how much of the plan is used?

Example:
  mxgw admin sendgrid status""",
        """\
送信メールを届ける SendGrid の状態（キー、ドメインの署名、送信数）を確認します。

例：
  mxgw admin sendgrid status""",
    ),
    "short-sendgrid-status": Text(
        "Show keys, domains, and what is sent.", "キー、ドメイン、送信数を表示します。"
    ),
    "help-sendgrid-status": Text(
        """\
Show whether the keys SENDGRID_API_KEY (sends mail) and SENDGRID_ADMIN_KEY
(domains, counts) are good, which domains SendGrid signs for, and how much of
the plan is used. The exit code is 1 where something is wrong.

Examples:
  mxgw admin sendgrid status
  mxgw admin sendgrid status --json | jq '.findings[] | select(.level != "ok")'""",
        """\
キー SENDGRID_API_KEY（送信用）と SENDGRID_ADMIN_KEY（管理用）、署名の対象の
ドメイン、プランの使用量を表示します。異常があると終了コードは 1 になります。

例：
  mxgw admin sendgrid status
  mxgw admin sendgrid status --json | jq '.findings[] | select(.level != "ok")'""",
    ),
    "short-sendgrid-domain": Text(
        "Have SendGrid check a domain's records now.", "ドメインのレコードを SendGrid に確認させます。"
    ),
    "help-sendgrid-domain": Text(
        """\
Have SendGrid look at the DNS records of a domain now. Where it does not find
them, the records are shown as it wants them.

Example:
  mxgw admin sendgrid domain example.jp""",
        """\
ドメインの DNS レコードを SendGrid に確認させます。見つからないときは、
必要なレコードを表示します。

例：
  mxgw admin sendgrid domain example.jp""",
    ),
    "column-about": Text("about", "対象"),
    "bad-limit-setting": Text(
        "{variable} in .env is no limit: {text}; expected for example 100/day or 50000/month",
        ".env の {variable} の値 {text} が正しくありません（例：100/day、50000/month）。",
    ),
    "sendgrid-needs-key": Text(
        "This needs SENDGRID_ADMIN_KEY in .env; make one at https://app.sendgrid.com/settings/api_keys with"
        " Sender Authentication and Stats.",
        ".env に SENDGRID_ADMIN_KEY が必要です。https://app.sendgrid.com/settings/api_keys で権限"
        " Sender Authentication と Stats のキーを作ってください。",
    ),
    "sendgrid-unknown-domain": Text(
        "SendGrid does not know {domain} yet: mxgw admin domain add {domain}",
        "SendGrid に {domain} は未登録です：mxgw admin domain add {domain}",
    ),
    "sendgrid-records": Text("SendGrid looks for these records:", "SendGrid が確認するレコード："),
    "sendgrid-key-missing": Text(
        "not set; make a key at https://app.sendgrid.com/settings/api_keys and put it into .env as {variable}.",
        "設定されていません。https://app.sendgrid.com/settings/api_keys でキーを作り、.env の {variable} に設定してください。",
    ),
    "sendgrid-key-invalid": Text(
        "SendGrid does not accept it: wrong, expired or deleted. Make a new one at"
        " https://app.sendgrid.com/settings/api_keys, put it into .env as {variable}, then: docker compose up -d",
        "SendGrid が受け付けません（誤り、期限切れ、削除済み）。https://app.sendgrid.com/settings/api_keys で"
        "新しいキーを作り、.env の {variable} に設定して docker compose up -d を実行してください。",
    ),
    "sendgrid-key-lacks": Text(
        "{variable} is good, but lacks {scopes}; add it at https://app.sendgrid.com/settings/api_keys > Edit.",
        "{variable} は有効ですが権限 {scopes} がありません。https://app.sendgrid.com/settings/api_keys の編集で追加してください。",
    ),
    "sendgrid-key-broad": Text(
        "{variable} is good, but may do more than send mail; give it Mail Send only.",
        "{variable} は有効ですが、送信以外の権限もあります。Mail Send だけにしてください。",
    ),
    "sendgrid-key-good": Text(
        "{variable} is good, and may do what it is for.", "{variable} は有効で、必要な権限があります。"
    ),
    "sendgrid-no-domain": Text(
        "SendGrid signs for no domain, so mail is taken for spam: mxgw admin domain add DOMAIN",
        "署名の対象のドメインがなく、送信メールが迷惑メール扱いされます：mxgw admin domain add ドメイン",
    ),
    "sendgrid-sent": Text("sent", "送信数"),
    "sendgrid-counts": Text(
        "{today} today, {month} this month: {delivered} delivered, {bounced} bounced, {spam} called spam.",
        "今日 {today} 通、今月 {month} 通（配達 {delivered}、エラー {bounced}、迷惑メール報告 {spam}）。",
    ),
    "sendgrid-plan": Text("plan", "プラン"),
    "sendgrid-limit-unknown": Text(
        "SendGrid does not tell this key the plan's limit; set SENDGRID_LIMIT in .env, for example 100/day.",
        "プランの上限が分かりません。.env に SENDGRID_LIMIT を設定してください（例：100/day）。",
    ),
    "sendgrid-limit-day": Text(
        "{used} of {total} a day ({percent} %).", "1 日 {total} 通のうち {used} 通（{percent} %）。"
    ),
    "sendgrid-limit-month": Text(
        "{used} of {total} a month ({percent} %).", "1 か月 {total} 通のうち {used} 通（{percent} %）。"
    ),
    "sendgrid-limit-near": Text(
        "More than {percent} % is used: a larger plan at https://app.sendgrid.com/account/billing, or send less.",
        "{percent} % を超えました。https://app.sendgrid.com/account/billing でプランを上げるか、送信を控えてください。",
    ),
    "sendgrid-limit-reached": Text(
        "Nothing more is delivered until the count begins anew. A larger plan:"
        " https://app.sendgrid.com/account/billing; or the second relay: RELAY=second in .env",
        "上限に達したため、次の期間まで配達されません。プランを上げる（https://app.sendgrid.com/account/billing）か、"
        ".env の RELAY=second で予備リレーに切り替えてください。",
    ),
}
