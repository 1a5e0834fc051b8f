"""What lies outside the house: the edge's list, SendGrid, Cloudflare; what is left to people."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

CLOUD: Final = {
    # -- options
    "option-yes-records": Text(
        "Write new records without asking; never those of others.",
        "新しいレコードを確認せずに書き込みます（他者のレコードは除く）。",
    ),
    "option-replace": Text(
        "Replace records of others, too (such as another provider's MX), without asking.",
        "他者のレコード（別の会社の MX など）も確認せずに置き換えます。",
    ),
    "option-postmaster": Text(
        "Mailbox that reads postmaster@DOMAIN. [default: $POSTMASTER_ADDRESS]",
        "postmaster@ドメイン を読むメールボックス。省略時は $POSTMASTER_ADDRESS。",
    ),
    "option-repair": Text(
        "Show what to change at Cloudflare, and change it after a yes.",
        "Cloudflare で直す内容を表示し、確認のうえ変更します。",
    ),
    # -- settings
    "no-region": Text(
        "{other} is set, but not where it is: set {variable} in .env, for example {variable}=ap-northeast-1",
        "{other} の場所が分かりません。.env に {variable} を設定してください（例：{variable}=ap-northeast-1）。",
    ),
    "bad-key-setting": Text(
        "{variable} holds blanks or letters that no key has; copy the key again into .env",
        "{variable} に空白や使えない文字が入っています。キーを .env に貼り直してください。",
    ),
    "bad-url-setting": Text(
        "{variable} is no address of a web service: {text}; expected https://host/path",
        "{variable} の値 {text} は URL ではありません。https://ホスト名/パス の形にしてください。",
    ),
    # -- a service says no
    "api-unreachable": Text(
        "{service} cannot be reached ({why}). Is this machine connected to the internet? Try again in a minute.",
        "{service} に接続できません（{why}）。インターネット接続を確認し、少し待って再実行してください。",
    ),
    "api-unauthorised": Text(
        "{service} does not accept the key in {variable}: it is wrong, expired or deleted ({why})."
        " Make a new one at {keys_at} and put it into .env",
        "{service} が {variable} のキーを受け付けません。誤り、期限切れ、削除済みのいずれかです（{why}）。"
        "{keys_at} で新しいキーを作り、.env に設定してください。",
    ),
    "api-forbidden": Text(
        "{service} knows the key in {variable}, but it may not do this ({why})."
        " Give it the permission {permission} at {keys_at}",
        "{variable} のキーには {service} での権限が足りません（{why}）。"
        "{keys_at} で権限 {permission} を付けてください。",
    ),
    "api-limited": Text(
        "{service} has had too many requests from us ({why}); run the same command again in {seconds} seconds.",
        "{service} への要求が多すぎます（{why}）。{seconds} 秒後に同じコマンドを再実行してください。",
    ),
    "api-refused": Text("{service} does not do it: {why}", "{service} に断られました：{why}"),
    "api-not-found": Text("{service} does not know of it: {why}", "{service} に対象が見つかりません：{why}"),
    "api-broken": Text(
        "{service} gave an answer that makes no sense ({why}); it may have trouble itself. Try again in some minutes.",
        "{service} の応答が正しくありません（{why}）。障害の可能性があります。数分後に再実行してください。",
    ),
    "cloudflare-no-zone": Text(
        "The token in CLOUDFLARE_API_TOKEN sees no zone that {domain} is in. Add the domain to Cloudflare, or let"
        " the token see it: Zone Resources > Include > All zones.",
        "CLOUDFLARE_API_TOKEN のトークンから {domain} のゾーンが見えません。Cloudflare にドメインを追加するか、"
        "トークンの「ゾーン リソース」に含めてください。",
    ),
    "cloudflare-many-records": Text(
        "The zone {zone} has more than {most} records; set those of the mail server by hand.",
        "ゾーン {zone} のレコードが {most} 件を超えています。メールのレコードは手動で設定してください。",
    ),
    # -- AWS
    "aws-not-installed": Text(
        "boto3 is not installed: pip install 'mxgw[aws]'",
        "boto3 がインストールされていません：pip install 'mxgw[aws]'",
    ),
    "aws-no-credentials": Text(
        "There is no key for AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in .env",
        "AWS のキーがありません。.env に AWS_ACCESS_KEY_ID と AWS_SECRET_ACCESS_KEY を設定してください。",
    ),
    "aws-bad-credentials": Text(
        "AWS does not accept the key in AWS_ACCESS_KEY_ID ({why}); make a new one in IAM and put it into .env",
        "AWS が AWS_ACCESS_KEY_ID のキーを受け付けません（{why}）。IAM で新しいキーを作り .env に設定してください。",
    ),
    "aws-denied": Text(
        "AWS denies access to {name} in {region}; allow {permissions} on it in IAM.",
        "AWS（{region}）の {name} への権限がありません。IAM で {permissions} を許可してください。",
    ),
    "aws-missing": Text(
        "There is no {name} at AWS in {region}; the outputs of the stack mxgw-base show its name.",
        "AWS（{region}）に {name} がありません。mxgw-base スタックの出力で名前を確認してください。",
    ),
    "aws-unreachable": Text(
        "AWS in {region} does not answer; is AWS_REGION right, and this machine connected to the internet?",
        "AWS（{region}）が応答しません。AWS_REGION とインターネット接続を確認してください。",
    ),
    "aws-refuses": Text("AWS in {region} does not do it: {why}", "AWS（{region}）に断られました：{why}"),
    # -- how a part went
    "level-done": Text("done", "完了"),
    "level-there": Text("as it should be", "設定済み"),
    "level-off": Text("by hand", "手動"),
    "level-left": Text("NOT DONE", "未完了"),
    "domain-there": Text(
        "{domain} is a domain of this server already; what was missing is added.",
        "{domain} は登録済みです。不足していた設定を追加します。",
    ),
    "edge-off": Text(
        "The edge's list of domains: no access to AWS is set (EDGE_DOMAINS_PARAMETER in .env).",
        "エッジのドメイン一覧：AWS の設定（.env の EDGE_DOMAINS_PARAMETER）がありません。",
    ),
    "edge-added": Text(
        "The edge takes mail for {domain} in a minute or two ({parameter}).",
        "1～2 分後にエッジが {domain} 宛のメールを受け取ります（{parameter}）。",
    ),
    "edge-there": Text(
        "The edge takes mail for {domain} ({parameter}).",
        "エッジは {domain} 宛のメールを受け取ります（{parameter}）。",
    ),
    "edge-removed": Text(
        "The edge no longer takes mail for {domain} in a minute or two ({parameter}).",
        "1～2 分後にエッジは {domain} 宛のメールを受け取らなくなります（{parameter}）。",
    ),
    "edge-gone": Text(
        "{domain} is not in the edge's list ({parameter}).",
        "{domain} はエッジの一覧にありません（{parameter}）。",
    ),
    "edge-last-domain": Text(
        "{domain} is the last domain of the edge, which does not run without one: it stays in its list.",
        "{domain} はエッジの最後のドメインです。一覧が空だとエッジが動かないため残します。",
    ),
    "edge-add-by-hand": Text(
        "Add {domain} to the edge's list of domains ({parameter}).",
        "エッジのドメイン一覧（{parameter}）に {domain} を追加してください。",
    ),
    "edge-remove-by-hand": Text(
        "Take {domain} out of the edge's list of domains ({parameter}).",
        "エッジのドメイン一覧（{parameter}）から {domain} を外してください。",
    ),
    "sendgrid-off": Text(
        "SendGrid: no key is set (SENDGRID_ADMIN_KEY in .env).",
        "SendGrid：キー（.env の SENDGRID_ADMIN_KEY）がありません。",
    ),
    "sendgrid-made": Text(
        "SendGrid will sign for {domain} once its records stand in DNS.",
        "SendGrid に {domain} を登録しました。DNS レコードの設定後に署名が始まります。",
    ),
    "sendgrid-there": Text(
        "SendGrid knows {domain}, and waits for its records in DNS.",
        "{domain} は SendGrid に登録済みで、DNS レコードの確認待ちです。",
    ),
    "sendgrid-valid": Text("SendGrid signs for {domain}.", "SendGrid は {domain} の署名を行っています。"),
    "sendgrid-invalid": Text(
        "SendGrid does not yet find its records of {domain}: {reasons}",
        "SendGrid が {domain} のレコードをまだ確認できません：{reasons}",
    ),
    "sendgrid-by-hand": Text(
        "Set up {domain} in SendGrid: Settings > Sender Authentication > Authenticate Your Domain.",
        "SendGrid の Settings > Sender Authentication > Authenticate Your Domain で {domain} を登録してください。",
    ),
    "sendgrid-validate-later": Text(
        "When the records are in DNS (some minutes): mxgw admin sendgrid domain {domain}",
        "DNS に反映されたら（数分後）確認します：mxgw admin sendgrid domain {domain}",
    ),
    "cloudflare-off": Text(
        "Cloudflare: no token is set (CLOUDFLARE_API_TOKEN in .env).",
        "Cloudflare：トークン（.env の CLOUDFLARE_API_TOKEN）がありません。",
    ),
    "cloudflare-by-hand": Text(
        "Set the DNS records of {domain} by hand, or mend the above and run the same command again.",
        "{domain} の DNS レコードを手動で設定するか、上の問題を直して同じコマンドを再実行してください。",
    ),
    "cloudflare-left": Text(
        "Cloudflare: {written} records written, {count} not.",
        "Cloudflare：{written} 件を書き込み、{count} 件は未変更です。",
    ),
    "cloudflare-needs-yes": Text(
        "Records that nobody said yes to: {records}. To write them: mxgw admin domain add {domain} --yes",
        "確認が得られなかったレコード：{records}。書き込むには：mxgw admin domain add {domain} --yes",
    ),
    "cloudflare-needs-replace": Text(
        "Records of others stand in the way of: {records}. To replace them:"
        " mxgw admin domain add {domain} --yes --replace",
        "他者のレコードがあるため設定していないもの：{records}。置き換えるには："
        "mxgw admin domain add {domain} --yes --replace",
    ),
    "cloudflare-there": Text(
        "Cloudflare: the records of {zone} are as they should be.",
        "Cloudflare：{zone} のレコードは設定済みです。",
    ),
    "cloudflare-written": Text(
        "Cloudflare: {count} records of {zone} written.", "Cloudflare：{zone} に {count} 件を書き込みました。"
    ),
    "cloudflare-rest-by-hand": Text(
        "To be set by hand: {record} ({why})", "手動で設定してください：{record}（{why}）"
    ),
    # -- what changes in a zone
    "plan-intro": Text(
        "Records in the Cloudflare zone {zone}:  + new   ~ changed   ! in place of somebody else's   = stays   ? by hand",
        "Cloudflare ゾーン {zone} のレコード：  + 追加   ~ 変更   ! 他者のものを置き換え   = そのまま   ? 手動",
    ),
    "plan-missing": Text("there is none", "まだありません"),
    "plan-there": Text("there already", "設定済みです"),
    "plan-proxied": Text(
        "the proxy (orange cloud) is switched off: it carries no mail",
        "プロキシ（オレンジ色の雲）をオフにします。メールは通らないためです",
    ),
    "plan-spf-merged": Text(
        "SendGrid is added; who may send already, still may",
        "SendGrid を追加します。既存の送信元はそのままです",
    ),
    "plan-other": Text("something else stands here", "別の値が設定されています"),
    "plan-other-exchanger": Text(
        "MAIL GOES TO ANOTHER PROVIDER NOW; afterwards it comes here",
        "現在は別の会社がメールを受けています。変更後はこちらに届きます",
    ),
    "plan-alias-in-the-way": Text(
        "a CNAME stands here, beside which nothing else can",
        "CNAME があるため、ほかのレコードを置けません",
    ),
    "plan-several-spf": Text(
        "there are several SPF records, so none counts; put them into one",
        "SPF レコードが複数あり無効です。1 つにまとめてください",
    ),
    "plan-unknown": Text("what stands in <brackets> is not known here", "< > の値がここでは分かりません"),
    "plan-policy-host-first": Text(
        "only when mta-sts.DOMAIN serves the policy: without it the record says what is not so",
        "mta-sts.ドメイン でポリシーを公開してから設定します",
    ),
    "ask-write-records": Text(
        "Write these {count} records (+ and ~)?", "+ と ~ の {count} 件を書き込みますか？"
    ),
    "ask-replace-record": Text(
        "Replace what others have put (in red) by: {record} ?",
        "赤字の他者のレコードを次の内容に置き換えますか？ {record}",
    ),
    # -- postmaster
    "ask-postmaster": Text(
        "Who reads mail to the postmaster of the domain? A mailbox here (Enter: decide later):",
        "このドメインの postmaster 宛のメールを読むメールボックス（あとで決めるなら Enter）：",
    ),
    "postmaster-there": Text(
        "Mail to {address} reaches {user}.", "{address} 宛のメールは {user} に届きます。"
    ),
    "postmaster-nobody": Text(
        "Nobody reads {address} yet, which every mail domain must have.",
        "{address} を読む人がまだいません（メールのドメインには必須です）。",
    ),
    "postmaster-by-hand": Text(
        "Say who reads it: mxgw admin alias add {address} MAILBOX",
        "読む人を決めてください：mxgw admin alias add {address} メールボックス",
    ),
    # -- what is left
    "left-intro": Text("Left to do:", "残りの作業："),
    "left-records": Text(
        "Set the records above in Cloudflare for {domain}.",
        "上のレコードを Cloudflare の {domain} に設定してください。",
    ),
    "left-home-domains": Text(
        "At home: add {domain} to MAIL_DOMAINS in .env, then: docker compose up -d home",
        "自宅側：.env の MAIL_DOMAINS に {domain} を追加し、docker compose up -d home を実行してください。",
    ),
    "left-check": Text(
        "After some minutes: mxgw admin domain check {domain}",
        "数分後に確認します：mxgw admin domain check {domain}",
    ),
    "left-after-removing": Text(
        "Take {domain} out of MAIL_DOMAINS in .env, and its MX out of DNS.",
        ".env の MAIL_DOMAINS から {domain} を外し、DNS の MX を削除してください。",
    ),
    # -- repair
    "repair-needs-token": Text(
        "--repair changes records at Cloudflare, which needs CLOUDFLARE_API_TOKEN in .env"
        " (https://dash.cloudflare.com/profile/api-tokens, permission Zone > DNS > Edit)",
        "--repair には .env の CLOUDFLARE_API_TOKEN が必要です"
        "（https://dash.cloudflare.com/profile/api-tokens、権限は Zone > DNS > Edit）。",
    ),
    "check-repair": Text(
        "To mend it here: mxgw admin domain check {domain} --repair",
        "ここで直すには：mxgw admin domain check {domain} --repair",
    ),
    "check-again": Text(
        "Servers need a minute; then: mxgw admin domain check {domain}",
        "反映に 1 分ほどかかります。その後：mxgw admin domain check {domain}",
    ),
    # -- mxgw admin sendgrid
    "option-stack": Text(
        "Directory of compose.yaml and .env. [default: /opt/mxgw/dell-stack]",
        "compose.yaml と .env のディレクトリ。省略時 /opt/mxgw/dell-stack。",
    ),
    "env-file-missing": Text(
        "There is no {path}; make it from .env.example, or say where the stack is: --stack DIRECTORY",
        "{path} がありません。.env.example から作るか、--stack でディレクトリを指定してください。",
    ),
    "env-file-unreadable": Text(
        "{path} cannot be read; run this as root (sudo).",
        "{path} を読めません。root（sudo）で実行してください。",
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
    # -- mxgw admin certificate
    "option-state": Text(
        "Where results and the ACME account are kept. [default: /var/lib/mxgw]",
        "結果と ACME アカウントの置き場所。省略時 /var/lib/mxgw。",
    ),
    "option-force": Text(
        "Also those that last longer than a month.", "期限まで 1 か月以上あっても更新します。"
    ),
    "short-certificate": Text("Certificates, and their renewal.", "TLS 証明書の確認と更新"),
    "help-certificate": Text(
        """\
The certificate of this machine (phones, webmail; from Tailscale), and that of
the MX name at the edge (from Let's Encrypt). A timer renews both.

Example:
  mxgw admin certificate show""",
        """\
この機械の証明書（端末・ウェブメール用、Tailscale が発行）と、エッジの MX の証明書
（Let's Encrypt が発行）を管理します。更新はタイマーが自動で行います。

例：
  mxgw admin certificate show""",
    ),
    "short-certificate-show": Text("Show until when they are good.", "有効期限を表示します。"),
    "help-certificate-show": Text(
        """\
Show until when the certificates are good. The exit code is 1 where one is
missing or has ended.

Example:
  mxgw admin certificate show""",
        """\
証明書の有効期限を表示します。ない場合や期限切れの場合、終了コードは 1 になります。

例：
  mxgw admin certificate show""",
    ),
    "short-certificate-renew": Text("Renew what ends within a month.", "期限が近い証明書を更新します。"),
    "help-certificate-renew": Text(
        """\
Renew the certificates that end within 30 days. Services take up the new one
without dropping anybody; what cannot be renewed stays in use as it is.

Examples:
  mxgw admin certificate renew
  mxgw admin certificate renew --force""",
        """\
期限まで 30 日を切った証明書を更新します。接続中の端末は切断されません。
更新できないときは、今の証明書を使い続けます。

例：
  mxgw admin certificate renew
  mxgw admin certificate renew --force""",
    ),
    "column-until": Text("good until", "有効期限"),
    "certificate-host": Text("this machine", "この機械"),
    "certificate-edge": Text("MX (edge)", "MX（エッジ）"),
    "certificate-missing": Text(
        "There is none that can be used: mxgw admin certificate renew",
        "使える証明書がありません：mxgw admin certificate renew",
    ),
    "certificate-days": Text("{days} days left.", "残り {days} 日です。"),
    "certificate-edge-off": Text(
        "The certificate of the MX name is not ours to renew: EDGE_TLS_SECRET is not set in .env",
        ".env に EDGE_TLS_SECRET がないため、MX の証明書は対象外です。",
    ),
    "certificate-renewed": Text("renewed; services have taken it up.", "更新し、各サービスに反映しました。"),
    "certificate-pushed": Text(
        "renewed; the edge takes it up within an hour.", "更新しました。1 時間以内にエッジに反映されます。"
    ),
    "certificate-same": Text(
        "Tailscale has no newer one yet.", "Tailscale にはまだ新しい証明書がありません。"
    ),
    "certificate-not-due": Text("good for more than a month.", "期限まで 1 か月以上あります。"),
    "certificate-not-reloaded": Text(
        "The new certificate is there, but not every service has taken it up ({why}); the next run tries again."
        " To do it now: docker compose restart SERVICE",
        "新しい証明書を置きましたが、反映できないサービスがあります（{why}）。次回の実行で再試行します。"
        "すぐに反映するには：docker compose restart サービス名",
    ),
    "certificate-needs-token": Text(
        "The certificate of the MX name needs CLOUDFLARE_API_TOKEN in .env (permission Zone > DNS > Edit).",
        "MX の証明書の取得には .env の CLOUDFLARE_API_TOKEN（権限 Zone > DNS > Edit）が必要です。",
    ),
    "certificate-unreadable": Text("What came is no certificate.", "証明書として読めません。"),
    "certificate-key-unreadable": Text(
        "The key that came with the certificate cannot be read.", "証明書の秘密鍵を読めません。"
    ),
    "certificate-key-differs": Text(
        "Certificate and key do not belong together; the old pair stays in use.",
        "証明書と秘密鍵が対になっていません。今の証明書を使い続けます。",
    ),
    "certificate-other-name": Text(
        "The certificate is for {names}, not for {name}; the old one stays in use.",
        "証明書の名前が {name} ではなく {names} です。今の証明書を使い続けます。",
    ),
    "certificate-ended": Text(
        "The certificate for {name} that came has ended already; is the clock right? timedatectl",
        "取得した {name} の証明書は期限切れです。時計を確認してください：timedatectl",
    ),
    "bad-host-name-setting": Text(
        "{variable} in .env is not a full host name such as mail.tail1234.ts.net",
        ".env の {variable} がホスト名になっていません（例：mail.tail1234.ts.net）。",
    ),
    "tls-directory-missing": Text(
        "There is no directory {path}; make it: ./prepare.sh in the stack's directory",
        "ディレクトリ {path} がありません。スタックのディレクトリで ./prepare.sh を実行してください。",
    ),
    "tls-directory-unwritable": Text(
        "The certificate cannot be written ({why}); run this as root, and look for space: df -h",
        "証明書を書き込めません（{why}）。root で実行し、空き容量（df -h）を確認してください。",
    ),
    "state-unwritable": Text(
        "The result cannot be written ({why}); run this as root.",
        "結果を書き込めません（{why}）。root で実行してください。",
    ),
    "tailscale-missing": Text(
        "There is no tailscale command here; run this on the machine with the mail server, as root.",
        "tailscale コマンドがありません。メールサーバーのある機械で root として実行してください。",
    ),
    "tailscale-silent": Text(
        "Tailscale gave no certificate within {seconds} seconds; is it connected? tailscale status",
        "Tailscale から {seconds} 秒以内に証明書を取得できません。接続を確認してください：tailscale status",
    ),
    "tailscale-no-https": Text(
        "Certificates are not switched on in your tailnet: https://login.tailscale.com/admin/dns > HTTPS"
        " Certificates > Enable",
        "tailnet で証明書が有効になっていません。https://login.tailscale.com/admin/dns の HTTPS Certificates で"
        " Enable を押してください。",
    ),
    "tailscale-other-name": Text(
        "{name} (MAIL_HOSTNAME in .env) is not this machine's name in the tailnet; tailscale status shows it ({why}).",
        ".env の MAIL_HOSTNAME（{name}）がこの機械の Tailscale 上の名前と違います（{why}）。tailscale status で確認してください。",
    ),
    "tailscale-logged-out": Text(
        "This machine is logged out of Tailscale: tailscale up",
        "Tailscale からログアウトしています：tailscale up",
    ),
    "tailscale-refuses": Text(
        "Tailscale gave no certificate: {why}", "Tailscale から証明書を取得できません：{why}"
    ),
    "acme-not-installed": Text(
        "The ACME library is not installed: pip install 'mxgw[admin]'",
        "ACME ライブラリがありません：pip install 'mxgw[admin]'",
    ),
    "acme-no-dns-challenge": Text(
        "The authority offers no challenge by DNS for this name.",
        "認証局が DNS による確認に対応していません。",
    ),
    "acme-account-unreadable": Text(
        "The account in {path} cannot be read; run this as root, or move the file away for a new account.",
        "アカウントのファイル {path} を読めません。root で実行するか、ファイルを移動して新しく作り直してください。",
    ),
    "acme-invalid": Text(
        "The authority does not find the challenge in DNS: {why}",
        "認証局が DNS の確認用レコードを確認できません：{why}",
    ),
    "acme-limited": Text(
        "The authority has given out too many certificates for this name; try again next week ({why}).",
        "この名前の証明書の発行数が上限に達しました。来週もう一度試してください（{why}）。",
    ),
    "acme-refuses": Text("The authority gives no certificate: {why}", "認証局に断られました：{why}"),
    "acme-unreachable": Text(
        "The authority at {directory} does not answer; the next run tries again.",
        "認証局 {directory} が応答しません。次回の実行で再試行します。",
    ),
    "acme-not-visible": Text(
        "The record {name} is written, but the servers of {zone} do not show it; are its name servers Cloudflare's?",
        "レコード {name} を書き込みましたが、{zone} のサーバーに現れません。ネームサーバーが Cloudflare か確認してください。",
    ),
}
