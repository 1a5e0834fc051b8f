"""What is told while it goes on, and what is asked."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

TALK: Final = {
    "step-account": Text("account", "アカウント"),
    "step-permissions": Text("permissions", "権限"),
    "step-base": Text("base stack", "base スタック"),
    "step-secrets": Text("secrets", "秘密情報"),
    "step-domains": Text("domains", "ドメイン"),
    "step-image": Text("image", "イメージ"),
    "step-service": Text("service stack", "service スタック"),
    "step-records": Text("DNS", "DNS"),
    "step-verification": Text("look from outside", "動作確認"),
    # -- 1
    "account-asking": Text("asking AWS who you are", "AWS に確認しています"),
    "account-there": Text("account {account}, {arn}, in {region}", "アカウント {account}、{arn}、{region}"),
    "account-root": Text(
        "you use the root user, who may do everything; AWS advises to make a user for this (IAM Identity Center).",
        "root ユーザーを使用しています。専用のユーザーの作成が推奨されています（IAM Identity Center）。",
    ),
    "permissions-there": Text(
        "{count} permissions looked at, all are there", "{count} 個の権限を確認しました"
    ),
    "permissions-unknown": Text(
        "the permissions cannot be looked at beforehand ({code}); what is missing shows at the step that needs it.",
        "権限を事前に確認できません（{code}）。不足があれば、必要になった時点で表示します。",
    ),
    "permissions-missing": Text(
        "{arn} seems to lack permissions: {actions}. A policy for particular resources may be enough; otherwise ask the "
        "administrator of the account before you go on.",
        "{arn} に次の権限がないようです：{actions}。特定のリソースだけを許可するポリシーなら問題ない場合があります。"
        "そうでなければ、続ける前にアカウントの管理者に依頼してください。",
    ),
    # -- stacks
    "stack-busy": Text(
        "{stack} is in {status}: something else is under way, waiting for it",
        "{stack} は {status} です。ほかの処理の完了を待っています",
    ),
    "stack-event": Text("{resource} {status}", "{resource} {status}"),
    "stack-same": Text("{stack}: no changes", "{stack}：変更はありません"),
    "stack-deleting": Text("{stack} is being deleted", "{stack} を削除しています"),
    "stack-gone": Text("{stack} is gone", "{stack} を削除しました"),
    "base-there": Text("{stack} is as it should be", "{stack} は設定どおりです"),
    "service-there": Text("{stack} runs the image {tag}", "{stack} でイメージ {tag} が動いています"),
    "confirm-mail": Text(
        "AWS has sent a mail to {address}: click its link, or no alarm will ever arrive.",
        "AWS から {address} に確認メールが届きます。リンクを開かないと警報は届きません。",
    ),
    "changes-title": Text("Changes of {stack}", "{stack} の変更内容"),
    "changes-none": Text(
        "{stack}: AWS names no resource (parameters only)",
        "{stack}：リソースの変更はありません（パラメーターのみ）",
    ),
    "column-change": Text("change", "変更"),
    "column-resource": Text("resource", "リソース"),
    "column-type": Text("type", "種類"),
    "change-add": Text("+ add", "+ 追加"),
    "change-modify": Text("~ modify", "~ 変更"),
    "change-import": Text("+ import", "+ 取り込み"),
    "change-replace": Text("! replace", "! 置換"),
    "change-perhaps-replace": Text("? perhaps replace", "? 置換の可能性"),
    "change-remove": Text("- remove", "- 削除"),
    "ask-change-stack": Text("Change the stack {stack} so?", "スタック {stack} をこのとおり変更しますか？"),
    "ask-lose": Text(
        "IN RED: {names} would be replaced or removed; what is in it CANNOT BE BROUGHT BACK. Go on?",
        "赤字の {names} は置換または削除され、内容は元に戻せません。続けますか？",
    ),
    "ask-delete-useless": Text(
        "{stack} is in {status}: it was never complete, and AWS lets nothing be done with it but deletion. "
        "(It began with {why}) Delete it and go on?",
        "{stack} は {status} です。作成に失敗しており、削除以外の操作はできません（最初の失敗：{why}）。"
        "削除して続けますか？",
    ),
    # -- secrets and domains
    "secret-there": Text("{name}: has a value", "{name}：設定済み"),
    "secret-put": Text("{name}: put into Secrets Manager", "{name}：Secrets Manager に登録しました"),
    "seal-key-made": Text(
        "{name}: was empty, a new one is made; copy it to home (MXGW_SEAL_KEY)",
        "{name}：空だったため新しく作成しました。自宅の MXGW_SEAL_KEY にも設定してください",
    ),
    "secrets-there": Text("all secrets have a value", "秘密情報はすべて設定済みです"),
    "tailscale-expires": Text(
        "the Tailscale secret is an auth key: it ends after 90 days at most, and the edge with its next restart. "
        "An OAuth client secret (tskey-client-) does not end.",
        "Tailscale の秘密情報が auth key です。最長 90 日で切れ、次の再起動でエッジが止まります。"
        "期限のない OAuth クライアントの秘密情報（tskey-client-）を使ってください。",
    ),
    "ask-tailscale_secret": Text(
        "Tailscale OAuth client secret (tskey-client-..., not shown):",
        "Tailscale の OAuth クライアントの秘密情報（tskey-client-...、表示されません）：",
    ),
    "ask-chat_secret": Text(
        "Webhook of {service} (for LINE: token, space, recipient's id; not shown):",
        "{service} の Webhook（LINE はトークン、空白、送信先 ID。表示されません）：",
    ),
    "domains-put": Text("{name} = {domains}", "{name} = {domains}"),
    "domains-there": Text("mail is taken in for {domains}", "受信するドメイン：{domains}"),
    "domains-missing": Text(
        "{domains}: in ecs/deploy.toml, but no mail is taken in for it. At home: mxgw admin domain add; "
        "or here: aws ssm put-parameter --overwrite --name {name} --value ALL,DOMAINS",
        "{domains} は ecs/deploy.toml にありますが、受信対象ではありません。自宅で mxgw admin domain add を実行するか、"
        "aws ssm put-parameter --overwrite --name {name} --value 全ドメイン で追加してください。",
    ),
    # -- image
    "image-there": Text("{tag} is in ECR already", "{tag} は ECR にあります"),
    "image-building": Text(
        "building {tag} (some minutes the first time)", "{tag} を作成しています（初回は数分）"
    ),
    "image-pushing": Text("pushing {tag}", "{tag} を送信しています"),
    "image-pushed": Text("{tag} is in ECR", "{tag} を ECR に登録しました"),
    # -- plan
    "plan-stack": Text("{stack}: {count} changes would be made", "{stack}：{count} 件の変更を行います"),
    "plan-secret": Text(
        "{name}: has no value; you would be asked for it", "{name}：未設定です（実行時に入力します）"
    ),
    "plan-image": Text("{tag} would be built and pushed", "{tag} を作成して送信します"),
    "plan-service-later": Text(
        "would be made ({count} resources); its preview needs the base stack first",
        "作成します（リソース {count} 個）。内容の表示には base スタックが必要です",
    ),
    "plan-done": Text(
        "Nothing was changed. To do it: mxgw deploy up", "何も変更していません。実行するには：mxgw deploy up"
    ),
    # -- records
    "records-title": Text("DNS records to set", "設定する DNS レコード"),
    "column-name": Text("name", "名前"),
    "column-kind": Text("type", "種類"),
    "column-value": Text("value", "値"),
    "column-why": Text("remark", "備考"),
    "why-address": Text(
        "first; without proxy (grey cloud at Cloudflare), no AAAA",
        "最初に設定。プロキシなし（Cloudflare では灰色の雲）、AAAA は不要",
    ),
    "why-mx": Text("last, when the look from outside is good", "最後に、動作確認がすべて良好になってから"),
    "records-more": Text(
        "SPF, DKIM and DMARC are about mail you send: mxgw admin domain check DOMAIN, at home.\n"
        "When the records are set: mxgw doctor --edge {host} --domain {domain}",
        "SPF・DKIM・DMARC は送信側の設定です。自宅で mxgw admin domain check ドメイン を実行してください。\n"
        "レコードの設定後：mxgw doctor --edge {host} --domain {domain}",
    ),
    # -- verification
    "verify-looking": Text("looking at {places} as a sender does", "{places} を外部から確認しています"),
    "verify-good": Text(
        "the edge takes mail in; {warnings} remarks", "エッジは受信できる状態です（注意 {warnings} 件）"
    ),
    "verify-failed": Text(
        "{failed} things to mend. Then: mxgw deploy up (it goes on from here)",
        "直すべき点が {failed} 件あります。直したら mxgw deploy up を再実行してください",
    ),
    "verify-skipped": Text("not looked at", "省略しました"),
    # -- rollback, status, destroy
    "rollback-to": Text("from {before} back to {tag}", "{before} から {tag} に戻します"),
    "rolled-back": Text(
        "{tag} runs again, {before} does not. The next `mxgw deploy up` deploys the checkout again.",
        "{before} から {tag} に戻しました。次の `mxgw deploy up` では再びチェックアウトの内容になります。",
    ),
    "status-title": Text("State in {region}", "{region} の状態"),
    "column-part": Text("part", "項目"),
    "column-state": Text("state", "状態"),
    "status-none": Text("not there", "なし"),
    "part-tasks": Text("tasks", "タスク"),
    "part-image": Text("image", "イメージ"),
    "part-alarms": Text("alarms", "警報"),
    "part-secrets": Text("secrets", "秘密情報"),
    "status-tasks": Text("{running} of {wanted} run", "{wanted} 個中 {running} 個が稼働"),
    "status-no-alarms": Text("none rings", "鳴っていません"),
    "status-secrets-good": Text("all have a value", "すべて設定済み"),
    "status-secrets-empty": Text("without a value: {names}", "未設定：{names}"),
    "destroy-title": Text("What goes and what stays", "削除されるものと残るもの"),
    "column-fate": Text("fate", "処置"),
    "fate-goes": Text("goes", "削除"),
    "fate-stays": Text("stays", "残る"),
    "destroy-loses": Text(
        "Logs, images and the values of the secrets go at once and for good. First let the MX records lead elsewhere.",
        "ログ、イメージ、秘密情報の値はすぐに削除され、元に戻せません。先に MX レコードを別の宛先に変えてください。",
    ),
    "ask-destroy-name": Text(
        "To delete both stacks, type the name of the base stack:",
        "両方のスタックを削除するには、base スタックの名前を入力してください：",
    ),
    "destroyed": Text("both stacks are gone.", "両方のスタックを削除しました。"),
    "destroyed-costs": Text(
        "Still there, 3.65 USD a month each: the addresses {addresses}. When no DNS record names them any more: "
        "aws ec2 describe-addresses --region {region} --public-ips {addresses}, then "
        "aws ec2 release-address --region {region} --allocation-id ID for each.",
        "固定アドレス {addresses} が残り、1 個あたり月 3.65 USD かかります。DNS レコードで使わなくなったら、"
        "aws ec2 describe-addresses --region {region} --public-ips {addresses} で ID を調べ、"
        "aws ec2 release-address --region {region} --allocation-id ID で解放してください。",
    ),
}
