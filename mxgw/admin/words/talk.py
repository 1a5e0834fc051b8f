"""What the commands ask and tell while all goes well."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

TALK: Final = {
    # -- signs
    "sign-done": Text("Done:", "完了："),
    "state-active": Text("active", "有効"),
    "state-inactive": Text("off", "停止中"),
    "quota-unbounded": Text("no limit", "無制限"),
    # -- columns of lists
    "column-address": Text("address", "アドレス"),
    "column-quota": Text("quota", "容量の上限"),
    "column-used": Text("used", "使用量"),
    "column-aliases": Text("aliases", "別名"),
    "column-state": Text("state", "状態"),
    "column-user": Text("leads to", "届け先"),
    "column-domain": Text("domain", "ドメイン"),
    "column-users": Text("mailboxes", "メールボックス"),
    # -- questions
    "ask-address": Text("Address (for example taro@example.jp):", "メールアドレス（例：taro@example.jp）："),
    "ask-alias": Text(
        "Alias (for example info@example.jp, or @example.jp for all other addresses):",
        "別名アドレス（例：info@example.jp。残りすべてを受けるなら @example.jp）：",
    ),
    "ask-user": Text(
        "Mailbox that receives it (for example taro@example.jp):",
        "届け先のメールボックス（例：taro@example.jp）：",
    ),
    "ask-domain": Text("Domain (for example example.jp):", "ドメイン（例：example.jp）："),
    "ask-password": Text(
        "New password (8 characters or more, not shown):",
        "新しいパスワード（8 文字以上、画面には表示されません）：",
    ),
    "ask-password-again": Text("The same password once more:", "確認のためもう一度入力してください："),
    "ask-yes-no": Text("[y/N]", "[y/N]（はい=y、いいえ=n）"),
    "ask-remove-user": Text(
        "Remove {address}? Nobody can log in to it or write to it any more; its mail is kept on the disk.",
        "{address} を削除しますか？ログインも受信もできなくなります。届いているメールはディスクに残ります。",
    ),
    "ask-remove-user-and-mail": Text(
        "Remove {address} AND DELETE ALL ITS MAIL? The mail cannot be brought back.",
        "{address} と、届いているメールをすべて削除しますか？削除したメールは元に戻せません。",
    ),
    "ask-remove-alias": Text(
        "Remove the alias {address}, which leads to {user}?", "{user} に届く別名 {address} を削除しますか？"
    ),
    "ask-remove-domain": Text(
        "Remove {domain}? Mail for it is no longer taken in.",
        "{domain} を削除しますか？このドメイン宛のメールは受信できなくなります。",
    ),
    # -- users
    "user-added": Text(
        "{address} has a mailbox now, with a quota of {quota}.",
        "{address} のメールボックスを作成しました（容量の上限：{quota}）。",
    ),
    "next-user-added": Text(
        "Log in as {address} with the new password: IMAPS port 993 to read, port 465 (TLS) to send.",
        "ユーザー名は {address} です。受信は IMAPS（ポート 993）、送信はポート 465（TLS）を設定してください。",
    ),
    "user-removed": Text(
        "{address} is removed; its mail is kept, and is there again when the address is added again.",
        "{address} を削除しました。メールは残してあり、同じアドレスを追加すると再び読めます。",
    ),
    "user-removed-with-mail": Text(
        "{address} is removed, and its mail is deleted.", "{address} と、そのメールを削除しました。"
    ),
    "aliases-went-too": Text(
        "Aliases that led to it are gone, too: {aliases}",
        "このメールボックスに届く別名も削除しました：{aliases}",
    ),
    "password-changed": Text(
        "{address} has a new password; programs that were logged in must use it now.",
        "{address} のパスワードを変更しました。ログイン中の端末にも新しいパスワードを設定してください。",
    ),
    "quota-set": Text(
        "the quota of {address} is {quota} now.", "{address} の容量の上限を {quota} に変更しました。"
    ),
    "no-users-yet": Text(
        "There is no mailbox yet. Make one: mxgw admin user add",
        "メールボックスはまだありません。作成するには：mxgw admin user add",
    ),
    # -- aliases
    "alias-added": Text(
        "mail to {address} goes to {user} now.", "{address} 宛のメールは {user} に届きます。"
    ),
    "catch-all-added": Text(
        "mail to every address of {address} that nobody has goes to {user} now; expect more spam.",
        "{address} の未使用アドレス宛のメールはすべて {user} に届きます。迷惑メールが増えることがあります。",
    ),
    "alias-removed": Text(
        "{address} no longer leads to {user}.", "別名 {address}（届け先 {user}）を削除しました。"
    ),
    "no-aliases-yet": Text(
        "There is no alias yet. Make one: mxgw admin alias add",
        "別名はまだありません。作成するには：mxgw admin alias add",
    ),
    # -- domains
    "domain-added": Text("{domain} is a domain of this server now.", "ドメイン {domain} を追加しました。"),
    "domain-removed": Text(
        "{domain} is no longer a domain of this server.", "ドメイン {domain} を削除しました。"
    ),
    "no-domains-yet": Text(
        "There is no domain yet. Begin with: mxgw admin domain add",
        "ドメインはまだありません。まずこちらを実行してください：mxgw admin domain add",
    ),
    # -- warnings
    "warn-remembered": Text(
        "Dovecot may go by what was before for up to a day; end that with: docker compose exec dovecot {command}",
        "Dovecot が最長 1 日、変更前の情報を使い続けることがあります。"
        "すぐに反映するには：docker compose exec dovecot {command}",
    ),
    "warn-quota-below-use": Text(
        "{address} holds {used} already: no mail arrives until that is less than {quota}.",
        "{address} の使用量はすでに {used} です。{quota} を下回るまでメールを受信できません。",
    ),
    "warn-mail-is-left": Text(
        "The mailbox is removed, but its mail is still there; delete it by hand at Dovecot: {path}",
        "メールボックスは削除しましたが、メールが残っています。Dovecot 側で手動で削除してください：{path}",
    ),
}
