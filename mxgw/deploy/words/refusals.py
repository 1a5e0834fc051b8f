"""Why something could not be done, and what to do next."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

REFUSALS: Final = {
    "needs-yes": Text(
        "nobody can be asked here; to go on without questions, add --yes.",
        "この環境では確認できません。確認なしで進める場合は --yes を付けてください。",
    ),
    "needs-accept-loss": Text(
        "{names} would be replaced or removed, and what is in it cannot be brought back. Look at `mxgw deploy plan`; "
        "if that is meant, add --accept-loss.",
        "{names} が置換または削除され、内容は元に戻せません。`mxgw deploy plan` で確認し、"
        "意図したものであれば --accept-loss を付けてください。",
    ),
    "interrupted": Text(
        "interrupted. AWS goes on with what it has begun; the same command looks after it and goes on from there.",
        "中断しました。AWS 側で始まった処理は続きます。同じコマンドで続きから再開できます。",
    ),
    "no-checkout": Text(
        "ecs/base.yaml is not here: call this in a checkout of mxgw (cd mxgw).",
        "ecs/base.yaml がありません。mxgw のチェックアウトの中で実行してください（cd mxgw）。",
    ),
    # -- the account
    "aws-extra-missing": Text(
        "boto3 is not installed: pip install 'mxgw[aws]', or call ecs/deploy, which does it.",
        "boto3 がありません。pip install 'mxgw[aws]' を実行するか、ecs/deploy を使ってください（自動で入ります）。",
    ),
    "aws-no-credentials": Text(
        "no AWS credentials are found. Set them up once: aws configure (or aws sso login), or name a profile in "
        'ecs/deploy.toml: profile = "NAME"',
        "AWS の認証情報がありません。aws configure（または aws sso login）で設定するか、"
        'ecs/deploy.toml に profile = "名前" を書いてください。',
    ),
    "aws-no-profile": Text(
        "there is no AWS profile {profile}; `aws configure list-profiles` lists them.",
        "AWS のプロファイル {profile} がありません。`aws configure list-profiles` で一覧を確認してください。",
    ),
    "aws-sso-expired": Text(
        "you are no longer logged in at AWS: aws sso login, then the same command again.",
        "AWS のログインが切れています。aws sso login のあと、同じコマンドを実行してください。",
    ),
    "aws-credentials-away": Text(
        "the AWS credentials cannot be had: {why}. See ~/.aws/config, or log in again.",
        "AWS の認証情報を取得できません：{why}。~/.aws/config を確認するか、ログインし直してください。",
    ),
    "aws-expired": Text(
        "the AWS credentials have expired ({code}): aws sso login, or take new keys; then the same command again.",
        "AWS の認証情報の期限が切れています（{code}）。aws sso login または新しいキーの設定後、同じコマンドを実行してください。",
    ),
    "aws-bad-credentials": Text(
        "AWS does not accept the credentials in {region} ({code}). Check the keys (aws configure), the clock of this "
        "machine, and whether the account has this region switched on.",
        "{region} で AWS の認証情報が受け付けられません（{code}）。キー（aws configure）、この機械の時計、"
        "アカウントでこのリージョンが有効かを確認してください。",
    ),
    "aws-denied": Text(
        "AWS does not allow it: the permission {action} is missing ({code}). Ask the administrator of the account for it; "
        "the same command goes on from here.",
        "AWS に許可されていません。権限 {action} が必要です（{code}）。アカウントの管理者に依頼してください。"
        "同じコマンドで続きから再開できます。",
    ),
    "aws-throttled": Text(
        "AWS has too many requests ({code}, {action}). Wait some minutes; the same command goes on from here.",
        "AWS への要求が多すぎます（{code}、{action}）。数分待ってください。同じコマンドで続きから再開できます。",
    ),
    "aws-region-off": Text(
        "the account has {region} not switched on ({code}): AWS console, Account, AWS Regions; or take another region.",
        "このアカウントでは {region} が無効です（{code}）。AWS コンソールの「アカウント」→「AWS リージョン」で有効にするか、"
        "別のリージョンを指定してください。",
    ),
    "aws-away": Text(
        "AWS in {region} does not answer ({action}). Check the line, a proxy, and the spelling of region.",
        "{region} の AWS から応答がありません（{action}）。回線、プロキシ、region の綴りを確認してください。",
    ),
    "aws-said": Text("AWS answers {code} to {action}: {why}", "AWS の応答 {code}（{action}）：{why}"),
    "region-unknown": Text(
        "region: {region} has no Fargate, or is no region. Known: {known}",
        "region：{region} では Fargate を使えないか、存在しません。使えるリージョン：{known}",
    ),
    # -- stacks
    "stack-useless": Text(
        "the stack {stack} is in {status}: it must be deleted before anything else; `mxgw deploy up` offers that.",
        "スタック {stack} は {status} の状態で、先に削除が必要です。`mxgw deploy up` で削除できます。",
    ),
    "stack-needs-repair": Text(
        "the stack {stack} is in {status} ({why}). Let AWS finish going back: "
        "aws cloudformation continue-update-rollback --stack-name {stack}; "
        "where that fails, add --resources-to-skip with the resource that hinders it. Then the same command again.",
        "スタック {stack} は {status} です（{why}）。まず戻す処理を完了させてください："
        "aws cloudformation continue-update-rollback --stack-name {stack}。"
        "失敗する場合は、妨げているリソースを --resources-to-skip で指定します。その後、同じコマンドを実行してください。",
    ),
    "stack-slow": Text(
        "the stack {stack} is still not done after an hour. It goes on without us; see `mxgw deploy status`.",
        "スタック {stack} が 1 時間たっても終わりません。処理は続いています。`mxgw deploy status` で確認してください。",
    ),
    "stack-failed": Text(
        "the stack {stack} ended in {status}: {why}",
        "スタック {stack} は {status} で終わりました：{why}",
    ),
    "stack-failed-at": Text(
        "the stack {stack} ended in {status}. It began with {resource} ({kind}): {why}\n{advice}",
        "スタック {stack} は {status} で終わりました。最初に失敗したのは {resource}（{kind}）です：{why}\n{advice}",
    ),
    "template-large": Text(
        "the template of the stack {stack} has {octets} octets; CloudFormation takes {most}. Take a released version of "
        "the checkout, or shorten it.",
        "スタック {stack} のテンプレートが {octets} バイトあり、CloudFormation の上限 {most} を超えています。"
        "リリース版のチェックアウトを使うか、短くしてください。",
    ),
    "changes-failed": Text(
        "AWS cannot make a plan for the stack {stack}: {why}",
        "スタック {stack} の変更計画を作成できません：{why}",
    ),
    "advice-denied": Text(
        "Ask the administrator of the account for the permission in this reason, then the same command again.",
        "理由に書かれた権限をアカウントの管理者に依頼し、同じコマンドを実行してください。",
    ),
    "advice-limit": Text(
        "A limit of the account: AWS console, Service Quotas, ask for more (often done within a day), or remove what is "
        "not used. Then the same command again.",
        "アカウントの上限です。AWS コンソールの Service Quotas で引き上げを申請するか（多くは 1 日以内）、"
        "使っていないものを削除してから、同じコマンドを実行してください。",
    ),
    "advice-exists": Text(
        "Something with this name is there already, outside of the stack. Remove it, or take another name in "
        "ecs/deploy.toml; then the same command again.",
        "同じ名前のものがスタックの外に既にあります。削除するか、ecs/deploy.toml で別の名前にしてから、"
        "同じコマンドを実行してください。",
    ),
    "advice-base-first": Text(
        "The base stack is missing or has another name: check base_stack in ecs/deploy.toml.",
        "base スタックがないか、名前が違います。ecs/deploy.toml の base_stack を確認してください。",
    ),
    "advice-in-use": Text(
        "Something else still uses it. Remove that (the reason names it), then the same command again.",
        "ほかで使用中です。理由に書かれたものを先に削除してから、同じコマンドを実行してください。",
    ),
    "advice-linked-role": Text(
        "AWS had to make a role first, as in every new account. Just call the same command again.",
        "新しいアカウントで最初に必要なロールを AWS が作成中でした。同じコマンドをもう一度実行してください。",
    ),
    "advice-tasks": Text(
        "No task became healthy. See why: aws logs tail /aws/events/BASE_STACK/task-stops --since 1h, then "
        "/mxgw/BASE_STACK/tailscale and /mxgw/BASE_STACK/gateway (BASE_STACK: base_stack in ecs/deploy.toml, "
        "usually mxgw-base). Often: the Tailscale secret is wrong, or the "
        "certificate does not fit.",
        "正常に起動したタスクがありません。aws logs tail /aws/events/BASE_STACK/task-stops --since 1h、次に "
        "/mxgw/BASE_STACK/tailscale と /mxgw/BASE_STACK/gateway で理由を確認してください"
        "（BASE_STACK は ecs/deploy.toml の base_stack。通常は mxgw-base）。"
        "多くは Tailscale の秘密情報か証明書の誤りです。",
    ),
    "advice-other": Text(
        "Mend what the reason says; the same command goes on from here.",
        "理由に書かれた点を直し、同じコマンドを実行してください（続きから再開します）。",
    ),
    # -- secrets and domains
    "secret-needs-file": Text(
        "a secret has no value yet, and nobody can be asked here: set {setting} in ecs/deploy.toml, or call this on a terminal.",
        "値のない秘密情報がありますが、この環境では入力できません。ecs/deploy.toml の {setting} で指定するか、"
        "端末で実行してください。",
    ),
    "secret-file-unreadable": Text(
        "{setting}: {path} cannot be read as text of at most 64 KiB.",
        "{setting}：{path} を 64 KiB 以下のテキストとして読めません。",
    ),
    "secret-going": Text(
        "{name} is marked for deletion. Keep it: aws secretsmanager restore-secret --region {region} --secret-id {arn}",
        "{name} は削除待ちです。次のコマンドで戻してください："
        "aws secretsmanager restore-secret --region {region} --secret-id {arn}",
    ),
    "secret-absent": Text(
        "{name} ({arn}) was deleted outside of the stack {stack}. `mxgw deploy destroy` and `up` make it anew (with new "
        "addresses), or make the stack whole in the console (drift detection).",
        "{name}（{arn}）がスタック {stack} の外で削除されています。`mxgw deploy destroy` と `up` で作り直すか"
        "（アドレスは変わります）、コンソールのドリフト検出で修復してください。",
    ),
    "bad-tailscale-secret": Text(
        "that is no Tailscale secret; it begins with tskey-client- (admin console, Settings, OAuth clients, scope "
        "auth_keys).",
        "Tailscale の秘密情報ではありません。tskey-client- で始まります"
        "（管理画面の Settings → OAuth clients、スコープ auth_keys）。",
    ),
    "bad-webhook": Text(
        "that is no webhook of {service}; it begins with https://",
        "{service} の Webhook ではありません。https:// で始まります。",
    ),
    "bad-line-secret": Text(
        "for LINE, give the channel access token and the recipient's id, with a space between them.",
        "LINE では、チャネルアクセストークンと送信先 ID を空白で区切って入力してください。",
    ),
    "bad-certificate": Text(
        "certificate_file holds no certificate in PEM; take fullchain.pem.",
        "certificate_file に PEM 形式の証明書がありません。fullchain.pem を指定してください。",
    ),
    "bad-certificate-key": Text(
        "certificate_key_file holds no key in PEM without a passphrase; take privkey.pem.",
        "certificate_key_file にパスフレーズなしの PEM 形式の鍵がありません。privkey.pem を指定してください。",
    ),
    "certificate-key-differs": Text(
        "certificate and key do not belong together.", "証明書と鍵が対応していません。"
    ),
    "certificate-ended": Text(
        "the certificate ended on {day}; renew it first.",
        "証明書の期限が {day} に切れています。先に更新してください。",
    ),
    "certificate-other-name": Text(
        "the certificate is for {names}, not for {host} (mx_hostname).",
        "証明書は {names} 用で、{host}（mx_hostname）用ではありません。",
    ),
    "certificate-needed": Text(
        "there is no certificate for {host} yet. Name certificate_file and certificate_key_file in ecs/deploy.toml, or "
        'push it from home (mxgw admin certificate renew), or for a first try set tls_certificate = "self-signed".',
        "{host} の証明書がまだありません。ecs/deploy.toml に certificate_file と certificate_key_file を書くか、"
        '自宅から登録するか（mxgw admin certificate renew）、試用なら tls_certificate = "self-signed" にしてください。',
    ),
    "domains-broken": Text(
        "the parameter {name} is no list of domains ({why}). Mend it: "
        "aws ssm put-parameter --overwrite --name {name} --value example.jp",
        "パラメーター {name} がドメインの一覧になっていません（{why}）。修正してください："
        "aws ssm put-parameter --overwrite --name {name} --value example.jp",
    ),
    # -- image
    "repository-missing": Text(
        "there is no image repository {name} in ECR, though the stack {stack} has made one. It was deleted outside of it: "
        "aws ecr create-repository --repository-name {name} --image-tag-mutability IMMUTABLE, then the same command again.",
        "ECR にイメージリポジトリ {name} がありません。スタック {stack} の外で削除されています。"
        "aws ecr create-repository --repository-name {name} --image-tag-mutability IMMUTABLE のあと、同じコマンドを"
        "実行してください。",
    ),
    "docker-not-installed": Text(
        "there is no docker command here, and an image must be built. Install Docker (https://docs.docker.com/get-docker/), "
        "start it, then the same command again.",
        "イメージの作成に必要な docker コマンドがありません。Docker をインストールして起動し"
        "（https://docs.docker.com/get-docker/）、同じコマンドを実行してください。",
    ),
    "docker-away": Text(
        "Docker is installed, and does not run: start Docker Desktop, or: sudo systemctl start docker\n{why}",
        "Docker が動いていません。Docker Desktop を起動するか、sudo systemctl start docker を実行してください。\n{why}",
    ),
    "docker-not-allowed": Text(
        "you may not use Docker: sudo usermod -aG docker $USER, log out and in, then the same command again.\n{why}",
        "Docker を使う権限がありません。sudo usermod -aG docker $USER のあとログインし直し、同じコマンドを"
        "実行してください。\n{why}",
    ),
    "docker-stuck": Text(
        "Docker was not done within {seconds} seconds; restart it, then the same command again.",
        "Docker が {seconds} 秒以内に終わりません。再起動してから同じコマンドを実行してください。",
    ),
    "docker-build-failed": Text(
        "the image could not be built:\n{why}\nOften the line or the disk (docker system df). Then the same command again.",
        "イメージを作成できませんでした：\n{why}\n多くは回線かディスク容量（docker system df）が原因です。"
        "直してから同じコマンドを実行してください。",
    ),
    "docker-login-failed": Text(
        "Docker could not log in at ECR:\n{why}", "Docker が ECR にログインできませんでした：\n{why}"
    ),
    "docker-push-failed": Text(
        "the image could not be pushed:\n{why}\nThe same command tries again; layers that are there are not sent twice.",
        "イメージを送信できませんでした：\n{why}\n同じコマンドで再試行できます（送信済みの部分は送られません）。",
    ),
    # -- rollback and destroy
    "rollback-nothing": Text(
        "there is no stack {stack} that could go back; `mxgw deploy up` makes it.",
        "戻す対象のスタック {stack} がありません。`mxgw deploy up` で作成します。",
    ),
    "rollback-no-previous": Text(
        "{tag} is the first image that ran here; there is none before it. Kept in ECR: {kept}",
        "{tag} が最初のイメージで、それより前はありません。ECR にあるもの：{kept}",
    ),
    "rollback-same": Text(
        "{tag} runs already. Others in ECR: {kept}", "{tag} は既に使用中です。ECR にあるほかのもの：{kept}"
    ),
    "rollback-image-gone": Text(
        "the image {tag} is no longer in ECR, which keeps the last ten. Take another with --to: {kept}",
        "イメージ {tag} は ECR にありません（最新の 10 個だけが残ります）。--to で別のものを指定してください：{kept}",
    ),
    "destroy-nothing": Text(
        "there is neither {base} nor {service} in {region}; nothing to do.",
        "{region} に {base} も {service} もありません。何もすることはありません。",
    ),
    "destroy-other-name": Text(
        "that is not the name; type {stack}, or leave with Ctrl-C.",
        "名前が違います。{stack} と入力するか、Ctrl-C で中止してください。",
    ),
    "destroy-needs-confirm": Text(
        "nobody can be asked here; to delete everything, add --confirm {stack}",
        "この環境では確認できません。すべて削除する場合は --confirm {stack} を付けてください。",
    ),
}
