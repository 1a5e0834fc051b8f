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
        "Records that nobody said yes to: {records}. To write them: {command} --yes",
        "確認が得られなかったレコード：{records}。書き込むには：{command} --yes",
    ),
    "cloudflare-needs-replace": Text(
        "Records of others stand in the way of: {records}. To replace them: {command} --yes --replace",
        "他者のレコードがあるため設定していないもの：{records}。置き換えるには：{command} --yes --replace",
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
        "Take {domain} out of MAIL_DOMAINS in .env, and its MX, _autodiscover._tcp and autoconfig out of DNS.",
        ".env の MAIL_DOMAINS から {domain} を外し、DNS の MX、_autodiscover._tcp、autoconfig を削除してください。",
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
    "check-looking-again": Text("Looking again ...", "もう一度確認しています..."),
    "check-again": Text(
        "What was just written may need a minute. Then: mxgw admin domain check {domain}",
        "書き込んだ内容の反映には 1 分ほどかかることがあります。その後：mxgw admin domain check {domain}",
    ),
}
