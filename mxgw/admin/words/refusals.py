"""Why something was not done, each in one sentence that says what to do."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

REFUSALS: Final = {
    # -- the command line
    "usage-try-help": Text("Help: {command} --help", "使い方：{command} --help"),
    "usage-no-command": Text(
        "there is no command {name}; --help lists them.",
        "{name} というコマンドはありません。--help で一覧を確認できます。",
    ),
    "usage-no-option": Text(
        "there is no option {name}; --help lists them.",
        "{name} というオプションはありません。--help で一覧を確認できます。",
    ),
    "usage-bad-option": Text(
        "the option {name} is not complete: give it one value.",
        "オプション {name} には値を 1 つ指定してください。",
    ),
    "usage-did-you-mean": Text("Did you mean: {commands}", "もしかして：{commands}"),
    "usage-missing": Text("{name} is missing.", "{name} を指定してください。"),
    "usage-choice": Text(
        "{name} takes one of: {choices}.", "{name} には次のいずれかを指定してください：{choices}"
    ),
    "usage-no-file": Text(
        "{name}: the file cannot be read; check its name and who may read it.",
        "{name}：ファイルを読めません。名前と権限を確認してください。",
    ),
    "usage-bad-form": Text(
        "{name} takes a value of the form {form}.", "{name} には {form} の形の値を指定してください。"
    ),
    "usage-bad-value": Text("{name} has a value it cannot have.", "{name} の値が正しくありません。"),
    "usage-too-many": Text("there are more words than this command takes.", "指定された引数が多すぎます。"),
    "missing-argument": Text(
        "{name} is missing; give it on the command line, as nobody can be asked here.",
        "{name} を指定してください。この環境では質問できないため、コマンドラインでの指定が必要です。",
    ),
    "needs-yes": Text(
        "nobody can be asked here; to go on without a question, add --yes.",
        "この環境では確認できません。確認なしで実行する場合は --yes を付けてください。",
    ),
    "answer-yes-or-no": Text("Please answer y or n.", "y または n で答えてください。"),
    "nothing-typed": Text(
        "Nothing was typed. Please answer, or press Ctrl-C to stop.",
        "何も入力されていません。入力してください（やめるには Ctrl+C）。",
    ),
    "interrupted": Text(
        "stopped; part of it may have been done. Call the same command again to see, or to finish it.",
        "中断しました。途中まで反映されている場合があります。同じコマンドをもう一度実行して確認してください。",
    ),
    "nothing-changed": Text("nothing was changed.", "何も変更していません。"),
    "too-many-tries": Text(
        "too many wrong answers; nothing was changed.",
        "正しく入力されなかったため中止しました。何も変更していません。",
    ),
    # -- addresses, domains, quotas
    "bad-address": Text(
        "{text!r} is not a mail address; write it like taro@example.jp.",
        "{text!r} はメールアドレスの形式ではありません。taro@example.jp のように入力してください。",
    ),
    "bad-local-part": Text(
        "{text!r} cannot be a mailbox: before the @, use a-z, 0-9, dot, hyphen and underscore, 64 at most, no dot"
        " at either end.",
        "{text!r} は使えません。@ の前には半角の a-z、0-9、ピリオド、ハイフン、下線を 64 文字以内で使い、"
        "先頭と末尾にピリオドを置かないでください。",
    ),
    "plus-in-address": Text(
        "{text!r} has a plus sign, which needs no adding: mail to taro+anything@ goes to taro@ already.",
        "{text!r} には + が含まれています。taro+何か@ 宛のメールは taro@ に届くため、追加は不要です。",
    ),
    "bad-domain": Text(
        "{text!r} is not a domain name; write it like example.jp.",
        "{text!r} はドメイン名の形式ではありません。example.jp のように入力してください。",
    ),
    "bad-quota": Text(
        "{text!r} is not a size; write a number with a unit, like 2G or 500M, or none for no limit.",
        "{text!r} は容量の形式ではありません。2G や 500M のように単位を付けるか、無制限なら none と入力してください。",
    ),
    "quota-out-of-bounds": Text(
        "{text!r} is not within 10M and 100T; for no limit, write none.",
        "{text!r} は指定できません。10M から 100T の範囲で指定してください。無制限なら none です。",
    ),
    "bad-ipv4": Text(
        "{text!r} is not an IPv4 address; write it like 192.0.2.1.",
        "{text!r} は IPv4 アドレスの形式ではありません。192.0.2.1 のように入力してください。",
    ),
    "bad-ipv4-setting": Text(
        "{variable} in .env is {text!r}, which is not an IPv4 address; write what this shows: tailscale ip -4",
        ".env の {variable} の値 {text!r} は IPv4 アドレスではありません。tailscale ip -4 の表示を設定してください。",
    ),
    "bad-dns-server": Text(
        "{text!r} is not a DNS server; write its address, like 1.1.1.1.",
        "{text!r} は DNS サーバーの形式ではありません。1.1.1.1 のようにアドレスを入力してください。",
    ),
    "bad-selector": Text(
        "{text!r} is not a DKIM selector; write the word before ._domainkey, like s1.",
        "{text!r} は DKIM セレクターの形式ではありません。s1 のように ._domainkey の前の語を入力してください。",
    ),
    # -- passwords
    "password-short": Text(
        "The password is too short: use {least} characters or more.",
        "パスワードが短すぎます。{least} 文字以上にしてください。",
    ),
    "password-long": Text(
        "The password is too long: use {most} characters at most.",
        "パスワードが長すぎます。{most} 文字以内にしてください。",
    ),
    "password-not-ascii": Text(
        "The password has characters that not every mail program sends alike: use a-z, A-Z, 0-9 and ASCII signs.",
        "パスワードに使えない文字があります。半角の英字、数字、記号だけを使ってください。",
    ),
    "password-blank-ends": Text(
        "The password begins or ends with a blank, which some programs cut off: use another.",
        "パスワードの先頭または末尾に空白があります。取り除いてください。",
    ),
    "password-is-name": Text(
        "The password is the address itself, which is tried first: use another.",
        "メールアドレスと同じパスワードは使えません。別のものにしてください。",
    ),
    "password-one-character": Text(
        "The password is one character over and over: use another.",
        "同じ文字の繰り返しはパスワードに使えません。別のものにしてください。",
    ),
    "passwords-differ": Text(
        "The two passwords differ; please type them again.",
        "2 つのパスワードが一致しません。もう一度入力してください。",
    ),
    "password-needs-terminal": Text(
        "nobody can be asked for a password here; use --password-file FILE, or --password-file - with a pipe.",
        "この環境ではパスワードを入力できません。--password-file ファイル名、またはパイプと --password-file - を使ってください。",
    ),
    "password-needs-pipe": Text(
        "--password-file - reads from a pipe, and a password typed here would be shown; leave the option out.",
        "--password-file - はパイプ用です。ここで入力すると画面に表示されるため、オプションを外して実行してください。",
    ),
    "password-file-unreadable": Text(
        "the password file {path!r} cannot be read; check its name and who may read it.",
        "パスワードファイル {path!r} を読み込めません。名前と権限を確認してください。",
    ),
    "password-file-many-lines": Text(
        "the password file {path!r} must hold one line, the password, and nothing else.",
        "パスワードファイル {path!r} には、パスワードを 1 行だけ書いてください。",
    ),
    # -- users, aliases, domains
    "user-exists": Text(
        "{address} has a mailbox already; for another password: mxgw admin user passwd {address}",
        "{address} のメールボックスはすでにあります。パスワードの変更は：mxgw admin user passwd {address}",
    ),
    "user-is-alias": Text(
        "{address} is an alias of {user}; remove that first: mxgw admin alias remove {address}",
        "{address} は {user} の別名です。先に別名を削除してください：mxgw admin alias remove {address}",
    ),
    "no-user": Text(
        "there is no mailbox {address}; see which there are: mxgw admin user list",
        "{address} というメールボックスはありません。一覧の確認は：mxgw admin user list",
    ),
    "alias-not-user": Text(
        "{address} is an alias, not a mailbox; its mailbox is {user}.",
        "{address} は別名で、メールボックスではありません。届け先のメールボックスは {user} です。",
    ),
    "delete-needs-doveadm": Text(
        "mail can be deleted through Dovecot only: set {variable}, or leave --delete-mail out.",
        "メールの削除には Dovecot への接続が必要です。{variable} を設定するか、--delete-mail を外してください。",
    ),
    "alias-exists": Text(
        "{address} is an alias already, of {user}; to lead it elsewhere, remove it first: mxgw admin alias remove"
        " {address}",
        "{address} はすでに {user} の別名です。変更するには先に削除してください：mxgw admin alias remove {address}",
    ),
    "alias-is-user": Text(
        "{address} is a mailbox of its own, so it cannot be an alias; use another address.",
        "{address} はメールボックスなので、別名にはできません。別のアドレスを指定してください。",
    ),
    "alias-leads-nowhere": Text(
        "{user} has no mailbox here, and mail is not passed on to other servers; see: mxgw admin user list",
        "{user} というメールボックスはありません。他のサーバーへの転送はできません。一覧の確認は：mxgw admin user list",
    ),
    "no-alias": Text(
        "there is no alias {address}; see which there are: mxgw admin alias list",
        "{address} という別名はありません。一覧の確認は：mxgw admin alias list",
    ),
    "user-not-alias": Text(
        "{address} is a mailbox, not an alias; to remove it: mxgw admin user remove {address}",
        "{address} は別名ではなくメールボックスです。削除するには：mxgw admin user remove {address}",
    ),
    "unknown-domain": Text(
        "{domain} is not a domain of this server ({ours}); add it first: mxgw admin domain add {domain}",
        "{domain} はこのサーバーのドメインではありません（登録済み：{ours}）。"
        "先に追加してください：mxgw admin domain add {domain}",
    ),
    "no-domain-yet": Text(
        "this server has no domain yet; add it first: mxgw admin domain add {domain}",
        "ドメインがまだ登録されていません。先に追加してください：mxgw admin domain add {domain}",
    ),
    "domain-exists": Text(
        "{domain} is a domain of this server already; for its DNS records: mxgw admin domain records {domain}",
        "{domain} はすでに登録されています。DNS レコードの表示は：mxgw admin domain records {domain}",
    ),
    "domain-in-use": Text(
        "{domain} has mailboxes ({users}) or aliases ({aliases}); remove them first.",
        "{domain} にはメールボックス（{users} 件）または別名（{aliases} 件）があります。先に削除してください。",
    ),
    # -- settings
    "no-database-setting": Text(
        "{variable} is not set; it says where the database is, like mysql://mailadmin@mariadb/mail.",
        "{variable} が設定されていません。mysql://mailadmin@mariadb/mail のようにデータベースの場所を設定してください。",
    ),
    "bad-database-setting": Text(
        "{variable} cannot be understood; write it like mysql://mailadmin@mariadb/mail.",
        "{variable} の形式が正しくありません。mysql://mailadmin@mariadb/mail のように設定してください。",
    ),
    "password-in-setting": Text(
        "{variable} holds a password, where it is easily seen; put it into {other} or the file that {other}_FILE names.",
        "{variable} にパスワードを書かないでください。{other} か、{other}_FILE が示すファイルに書いてください。",
    ),
    "secret-file-unreadable": Text(
        "the file {path!r} that {variable} names cannot be read, or holds more than one line.",
        "{variable} が示すファイル {path!r} を読み込めないか、2 行以上あります。内容と権限を確認してください。",
    ),
    "bad-doveadm-setting": Text(
        "{variable} cannot be understood; write it like http://dovecot:8080.",
        "{variable} の形式が正しくありません。http://dovecot:8080 のように設定してください。",
    ),
    "no-doveadm-key": Text(
        "{variable} is not set; it is the doveadm_api_key of Dovecot.",
        "{variable} が設定されていません。Dovecot の doveadm_api_key と同じ値を設定してください。",
    ),
    # -- the neighbours
    "database-away": Text(
        "the database at {place} does not answer; see whether it runs (docker compose ps mariadb) and what"
        " {variable} says.",
        "データベース（{place}）が応答しません。動作状況（docker compose ps mariadb）と {variable} を確認してください。",
    ),
    "database-says-no": Text(
        "the database at {place} does not let {user} do this; check the password in {variable}.",
        "データベース（{place}）が {user} の操作を許可しません。{variable} のパスワードを確認してください。",
    ),
    "database-has-no-tables": Text(
        "the database {database} at {place} lacks the tables of the mail server; load them: docker compose up accounts",
        "データベース {database}（{place}）に必要な表がありません。次を実行してください：docker compose up accounts",
    ),
    "database-forbids": Text(
        "the database forbids this change (error {code}); nothing was changed, please report it with this number.",
        "データベースが変更を受け付けませんでした（エラー {code}）。何も変更していません。この番号を添えて報告してください。",
    ),
    "doveadm-away": Text(
        "Dovecot at {place} does not answer; see whether it runs (docker compose ps dovecot) and what {variable} says.",
        "Dovecot（{place}）が応答しません。動作状況（docker compose ps dovecot）と {variable} を確認してください。",
    ),
    "doveadm-says-no": Text(
        "Dovecot at {place} does not accept the key; {variable} must be its doveadm_api_key.",
        "Dovecot（{place}）がキーを受け付けません。{variable} を Dovecot の doveadm_api_key と同じ値にしてください。",
    ),
    "home-is-not-the-users": Text(
        "Dovecot keeps the mail of {user} in {path}, which does not bear that name, so it is not deleted from here; leave"
        " --delete-mail out.",
        "{user} のメールの保存先（{path}）が本人専用とは確認できないため、削除できません。--delete-mail を外してください。",
    ),
    "doveadm-failed": Text(
        "Dovecot at {place} could not do it; its log says why: docker compose logs dovecot",
        "Dovecot（{place}）が処理できませんでした。原因はログで確認できます：docker compose logs dovecot",
    ),
}
