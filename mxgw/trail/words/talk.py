"""Headings, words for closed sets, and what is said on stderr."""

# ruff: noqa: E501, RUF001
# Texts are shown in the lines they stand in; Japanese has its own brackets and colons.

from __future__ import annotations

from typing import Final

from mxgw.trail.words.text import Text

TALK: Final = {
    # -- headings
    "column-number": Text("#", "#"),
    "column-last": Text("last attempt", "最後の配送"),
    "column-from": Text("from", "送信者"),
    "column-to": Text("to", "宛先"),
    "column-message-id": Text("Message-ID", "Message-ID"),
    "column-attempts": Text("attempts", "回数"),
    "column-fate": Text("fate", "結果"),
    "title-found": Text("{count} messages match {query}", "{query} に一致するメールは {count} 通です"),
    "title-message": Text(
        "{number}. {message_id}, from {sender} to {recipients}",
        "{number}. {message_id}、{sender} から {recipients} へ",
    ),
    "no-message-id": Text("(no Message-ID)", "（Message-ID なし）"),
    "null-sender": Text("<> (a failure report)", "<>（配送エラー通知）"),
    "label-client": Text("client", "接続元"),
    "label-checks": Text("checks", "検査"),
    "label-home": Text("home", "家の応答"),
    "label-door": Text("home door", "家の入口"),
    "label-mailbox": Text("mailbox", "メールボックス"),
    "filing-stored": Text("stored in {mailbox}", "{mailbox} に保存"),
    "filing-failed": Text("not stored in {mailbox}: {why}", "{mailbox} に保存できず：{why}"),
    "filing-discarded": Text(
        "dropped: the mailbox has it already, or a filter of its owner says so",
        "破棄（保存済みの同じメール、または本人のフィルターによる）",
    ),
    "label-told": Text("told", "送信側へ"),
    "label-took": Text("took", "時間"),
    "label-log": Text("log", "ログ"),
    "label-detail": Text("detail", "詳細"),
    "line-client": Text(
        "{client}, calls itself {helo}, {tls}, {octets}", "{client}（{helo} と名乗る）、{tls}、{octets}"
    ),
    "line-took": Text(
        "{receive} s to receive, {relay} s to hand over", "受信 {receive} 秒、家への配送 {relay} 秒"
    ),
    "line-door": Text(
        "{checks}; answered: {reply} ({seconds} s, id {id})",
        "{checks}、応答：{reply}（{seconds} 秒、id {id}）",
    ),
    "line-home-silent": Text(
        "was not asked about the content, or had not answered",
        "内容について問い合わせていないか、応答がありませんでした",
    ),
    "line-trouble": Text("no answer: {word}", "応答なし：{word}"),
    "no-tls": Text("without TLS", "TLS なし"),
    "no-helo": Text("nothing", "名乗らず"),
    "no-checks": Text("none in the log", "ログにありません"),
    "told-nothing": Text("nothing: it had gone", "なし（切断済み）"),
    "guessed": Text(
        "(without content; taken for this message as sender and recipients are the same)",
        "（本文なし。送信者と宛先が同じため、このメールとみなしています）",
    ),
    "advice": Text("What to do: {advice}", "対処：{advice}"),
    "times-in": Text("Times are in {zone}.", "時刻は {zone} です。"),
    # -- closed sets
    "decision-accept": Text("taken", "受け取り"),
    "decision-defer": Text("put off", "延期"),
    "decision-reject": Text("refused", "拒否"),
    "decision-aborted": Text("client left", "切断"),
    "short-stored": Text("stored", "保存済み"),
    "short-stored-after-retry": Text("stored, after a retry", "再送後に保存"),
    "short-stored-once": Text("stored, came again", "保存済み（再度届いた）"),
    "short-refused": Text("refused", "拒否"),
    "short-put-off": Text("put off", "延期中"),
    "short-given-up": Text("given up", "送信側が断念"),
    "short-left": Text("client left", "切断"),
    "short-mixed": Text("mixed", "宛先により異なる"),
    # -- on stderr
    "read": Text(
        "{lines} lines read, {events} transactions among them",
        "{lines} 行を読み、うち配送の記録は {events} 件です",
    ),
    "read-postfix": Text(
        "{lines} lines read: {events} attempts to bring us mail, {postfix} lines about mail that we send",
        "{lines} 行を読みました（受信の記録 {events} 件、送信の記録 {postfix} 行）",
    ),
    "reading-stdin": Text(
        "no FILE is named: reading a log from standard input until its end (Ctrl-D)",
        "FILE の指定がないため、標準入力からログを最後まで読みます（終わりは Ctrl-D）",
    ),
    "unreadable": Text(
        "{count} cannot be used; the first: {first}", "{count} 件は読めません。最初のもの：{first}"
    ),
    "cut": Text(
        "there is more than is read or shown at once: narrow it with --since and --until, or name a Message-ID",
        "量が多いため一部だけ表示しています。--since と --until で絞るか、Message-ID を指定してください",
    ),
    "choose": Text(
        "too many to show each: choose one with --number 1 to {count}, or print all with --json",
        "多いため一覧だけを表示しています。--number 1～{count} で選ぶか、--json ですべて出力してください",
    ),
    "no-such-number": Text(
        "--number {number}: there are {count} messages", "--number {number}：該当するメールは {count} 通です"
    ),
    "nothing-found": Text(
        "nothing about {query} in {place}. Try: a longer time (--since 5d); the other address (the envelope's sender is often not the one in From); the Message-ID out of the sender's copy; the logs of all edges. Mail that was refused at MAIL while home was away leaves no line.",
        "{place} に {query} の記録はありません。期間を延ばす（--since 5d）、もう一方のアドレスで探す（封筒の送信者は From と違うことがあります）、送信者の控えの Message-ID で探す、すべてのエッジのログを見る、を試してください。家が不通の間に MAIL で断ったメールは記録に残りません。",
    ),
    "nothing-at-home": Text(
        "nothing about {query} in {place}. Of mail that came in: if the edge refused it or put it off, only the edge's log has it: add --log-group /mxgw/mxgw-base/gateway. Of mail that was sent: try the other address, and see the sender's outbox: what never left the mail program is nowhere else. The logs begin when the containers were last made anew, as by an update.",
        "{place} に {query} の記録はありません。届くはずのメールなら：エッジが拒否または延期したものはエッジのログにしかないので、--log-group /mxgw/mxgw-base/gateway を付けてください。送ったメールなら：もう一方のアドレスでも探し、差出人のメールソフトの送信トレイを見てください（送信されていなければ、どこにも記録がありません）。なお、ログはコンテナが更新などで作り直された時から始まります。",
    ),
    "place-window": Text("{sources} since {since}", "{sources}（{since} 以降）"),
    "place-always": Text("{sources}", "{sources}"),
    "bad-query": Text(
        "{query}: expected an address, a Message-ID, the id of a transaction, or 8 to 64 digits of a fingerprint",
        "{query}：アドレス、Message-ID、配送の id、またはフィンガープリント（8～64 桁）を指定してください",
    ),
    "bad-time": Text(
        "{option} {text}: expected a span back from now (30m, 12h, 1d, 2w) or a date (2026-11-24, 2026-11-24T10:00, with Z or +09:00 behind it if you like)",
        "{option} {text}：さかのぼる長さ（30m、12h、1d、2w）か日時（2026-11-24、2026-11-24T10:00。末尾に Z や +09:00 も可）を指定してください",
    ),
    "bad-window": Text("--since must be before --until", "--since は --until より前にしてください"),
    "no-source": Text(
        "name a log file, - for stdin, or a log group; for example: mxgw trace taro@example.jp --log-group /mxgw/mxgw-base/gateway",
        "ログファイル、-（標準入力）、またはロググループを指定してください。例：mxgw trace taro@example.jp --log-group /mxgw/mxgw-base/gateway",
    ),
    "reading": Text("reading", "読み込み中"),
    "house-logs": Text(
        "the logs of this server's containers (docker compose logs home dovecot postfix)",
        "このサーバーのコンテナのログ（docker compose logs home dovecot postfix）",
    ),
    "house-silent": Text(
        "the logs of this machine's containers cannot be had: {why}",
        "このサーバーのコンテナのログを取得できません：{why}",
    ),
    "no-file": Text("{file}: there is no such file", "{file}：そのファイルはありません"),
    "file-broken": Text(
        "{file}: {why}; what was read before it counts", "{file}：{why}。そこまでに読めた分だけ使います"
    ),
    # -- AWS
    "aws-not-installed": Text(
        "boto3 is not installed; install it: pip install 'mxgw[aws]'",
        "boto3 がありません。pip install 'mxgw[aws]' で入れてください",
    ),
    "aws-no-region": Text(
        "no AWS region is known; set AWS_REGION, for example AWS_REGION=ap-northeast-1",
        "AWS のリージョンが分かりません。AWS_REGION を設定してください。例：AWS_REGION=ap-northeast-1",
    ),
    "aws-no-credentials": Text(
        "no AWS credentials; log in (aws sso login) or set AWS_PROFILE, and see that this works: aws sts get-caller-identity",
        "AWS の認証情報がありません。aws sso login でログインするか AWS_PROFILE を設定し、aws sts get-caller-identity が通ることを確かめてください",
    ),
    "aws-bad-credentials": Text(
        "AWS does not accept the credentials in {region}: {code}; renew them (aws sso login)",
        "AWS が認証情報を受け付けません（{region}、{code}）。取り直してください（aws sso login）",
    ),
    "aws-denied": Text(
        "AWS denies access to {group} in {region}; allow logs:FilterLogEvents on it",
        "{region} の {group} へのアクセスが拒否されました。logs:FilterLogEvents を許可してください",
    ),
    "aws-no-group": Text(
        "there is no log group {group} in {region}; the groups that there are: aws logs describe-log-groups --query 'logGroups[].logGroupName'",
        "{region} にロググループ {group} はありません。一覧：aws logs describe-log-groups --query 'logGroups[].logGroupName'",
    ),
    "aws-bad-group": Text(
        "{group} cannot be the name of a log group ({said}); it is the output GatewayLogGroupName of the base stack",
        "{group} はロググループ名として使えません（{said}）。base スタックの出力 GatewayLogGroupName を指定してください",
    ),
    "aws-throttled": Text(
        "AWS asks to go slower in {region} ({said}); try again in a minute, or with a shorter time",
        "AWS が頻度を下げるよう求めています（{region}、{said}）。1 分待つか、期間を短くしてください",
    ),
    "aws-no-answer": Text(
        "CloudWatch Logs in {region} does not answer; is the region right, and is there a network?",
        "{region} の CloudWatch Logs が応答しません。リージョンとネットワークを確かめてください",
    ),
    "aws-says": Text(
        "{group} in {region} cannot be read: {said}", "{region} の {group} を読めません：{said}"
    ),
}
