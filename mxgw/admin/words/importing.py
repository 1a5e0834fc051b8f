"""Taking over a mailbox that is elsewhere."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

IMPORTING: Final = {
    "short-import": Text(
        "Take over an old mailbox from elsewhere.", "他社の古いメールボックスを引き継ぎます。"
    ),
    "help-import": Text(
        """\
Copy all mail of an old mailbox, at another provider, into a mailbox here: folders,
dates, read marks. Nothing is deleted or marked there, and nothing is deleted here.

Run it as often as you like: only what did not come yet comes. So run it once now,
and again after the move (when new mail arrives here). Mail that you moved or deleted
here does not come again. What you mark or move there afterwards does not follow.

The password is asked for and not shown. Gmail, Yahoo and iCloud want an app password
made in the settings of the account.

Examples:
  mxgw admin import taro@example.jp --from imap.example.com --dry-run
  mxgw admin import taro@example.jp --from imap.example.com
  mxgw admin import taro@example.jp --from imap.gmail.com --user taro@gmail.com""",
        """\
ほかの会社にある古いメールボックスのメールを、フォルダー、日付、既読などの印とともに、
ここのメールボックスへコピーします。古いほうのメールは消えず、印も変わりません。
ここのメールも消えません。

何度でも実行でき、まだ来ていないメールだけが届きます。まず今一度実行し、
移行後（新しいメールがここに届くようになってから）にもう一度実行してください。
ここで移動、削除したメールがもう一度来ることはありません。コピーしたあとに
古いほうで付けた印や移動は反映されません。

パスワードは画面に表示せずに尋ねます。Gmail、Yahoo、iCloud では、アカウントの設定で
作成する「アプリパスワード」が必要です。

例：
  mxgw admin import taro@example.jp --from imap.example.com --dry-run
  mxgw admin import taro@example.jp --from imap.example.com
  mxgw admin import taro@example.jp --from imap.gmail.com --user taro@gmail.com""",
    ),
    "option-import-from": Text(
        "IMAP server of the old mailbox. [default port: 993, TLS]",
        "古いメールボックスの IMAP サーバー（ポート省略時は 993、TLS）。",
    ),
    "option-import-user": Text(
        "Name to log in with there. [default: ADDRESS]",
        "古いほうのログイン名。省略時は ADDRESS と同じ。",
    ),
    "option-import-dry-run": Text(
        "Only show the folders and how much would come.",
        "フォルダーと件数の表示だけを行います。",
    ),
    "ask-import-address": Text(
        "Mailbox here (taro@example.jp):", "ここのメールボックス（例：taro@example.jp）："
    ),
    "ask-import-from": Text(
        "IMAP server of the old mailbox (imap.example.com):",
        "古いメールボックスの IMAP サーバー（例：imap.example.com）：",
    ),
    "ask-import-password": Text(
        "Password of {login} at {host} (not shown):",
        "{host} での {login} のパスワード（表示されません）：",
    ),
    "ask-import": Text(
        "Copy {new} messages from {host} to {address}?",
        "{host} から {address} へ {new} 通をコピーしますか？",
    ),
    "column-import-there": Text("folder there", "古いフォルダー"),
    "column-import-here": Text("folder here", "ここのフォルダー"),
    "column-import-messages": Text("messages", "通数"),
    "column-import-new": Text("to come", "まだ来ていない"),
    "import-copying": Text("Copying", "コピー中"),
    "import-dry-run": Text(
        "{new} messages would come. Nothing was changed.",
        "{new} 通が対象です。何も変更していません。",
    ),
    "imported": Text(
        "{messages} messages out of {folders} folders are now in {address}.",
        "{folders} 個のフォルダーの {messages} 通を {address} にコピーしました。",
    ),
    "import-again": Text(
        "What arrives there later comes with the same command again.",
        "古いほうに後から届いたメールは、同じコマンドをもう一度実行するとコピーされます。",
    ),
    "import-left": Text(
        "{count} messages could not be taken over (the last: {why}); they are still at the old place. Run it again.",
        "{count} 通はコピーできませんでした（最後の理由：{why}）。古いほうに残っています。もう一度実行してください。",
    ),
    "import-folder-closed": Text(
        "{host} does not open the folder {folder}; its mail does not come. Look there whether it is somebody else's.",
        "{host} がフォルダー {folder} を開かせないため、その中のメールはコピーされません。"
        "他の人と共有しているフォルダーでないか、古いほうで確認してください。",
    ),
    "import-needs-yes": Text(
        "nobody can be asked here: look with --dry-run first, then add --yes.",
        "この環境では確認できません。--dry-run で確かめてから --yes を付けてください。",
    ),
    "import-secret-empty": Text(
        "the password is empty; type that of the old mailbox.",
        "パスワードが空です。古いメールボックスのパスワードを入力してください。",
    ),
    "import-bad-server": Text(
        "{text!r} is no server; write it like imap.example.com or imap.example.com:993, as the old provider's page"
        " on mail programs says.",
        "{text!r} はサーバー名ではありません。以前の会社の「メールソフトの設定」の案内にある IMAP サーバーを"
        " imap.example.com または imap.example.com:993 のように入力してください。",
    ),
    "import-no-user": Text(
        "there is no mailbox {address} here (an alias has none); make it first: mxgw admin user add {address}",
        "{address} というメールボックスはここにありません（別名は指定できません）。先に作成してください："
        "mxgw admin user add {address}",
    ),
    "import-unknown-host": Text(
        "there is no server {host}: check the spelling with the old provider's page on mail programs (IMAP).",
        "{host} というサーバーが見つかりません。以前の会社の「メールソフトの設定」の案内で IMAP サーバーの"
        "名前を確認してください。",
    ),
    "import-certificate": Text(
        "the certificate of {host}:{port} is not good ({why}), so the password was not sent. Use the server name that"
        " the old provider gives, not another name of it.",
        "{host}:{port} の証明書を確認できないため（{why}）、パスワードは送っていません。"
        "以前の会社が案内しているサーバー名を、そのまま使ってください。",
    ),
    "import-no-answer": Text(
        "{host}:{port} does not answer with IMAP over TLS ({why}); check the server name and port (993), and try again"
        " later.",
        "{host}:{port} から IMAP（TLS）の応答がありません（{why}）。サーバー名とポート（993）を確認し、"
        "時間をおいて再度お試しください。",
    ),
    "import-wrong-password": Text(
        "{host} refuses {login} with this password ({why}). Check both; Gmail, Yahoo and iCloud want an app password,"
        " and some providers want IMAP to be switched on in their settings.",
        "{host} が {login} のログインを拒否しました（{why}）。ログイン名とパスワードを確認してください。"
        "Gmail、Yahoo、iCloud ではアプリパスワードが必要です。設定で IMAP を有効にする必要がある会社もあります。",
    ),
    "import-home-silent": Text(
        "Dovecot here does not open {address} (docker compose ps dovecot): {why}",
        "ここの Dovecot が {address} を開けません（docker compose ps dovecot で確認してください）：{why}",
    ),
    "import-home-hangs": Text(
        "Dovecot here was silent for {seconds} s with {address} ({copied} messages came). Is the disk well (dmesg)? "
        "docker compose restart dovecot, then run it again: it goes on from there.",
        "ここの Dovecot が {address} に対して {seconds} 秒間応答しません（{copied} 通をコピー済み）。ディスクの故障がないか"
        " dmesg で確認し、docker compose restart dovecot のあともう一度実行すると、続きからコピーします。",
    ),
    "import-memory-unusable": Text(
        "{path}, where it is noted which messages came, cannot be used ({why}): run this on the host as root (sudo).",
        "コピー済みのメールを記録する {path} を使えません（{why}）。ホスト上で root として（sudo を付けて）"
        "実行してください。",
    ),
    "import-running": Text(
        "this mailbox is being taken over already; wait until that is done.",
        "このメールボックスは引き継ぎ中です。終わるまでお待ちください。",
    ),
    "import-full": Text(
        "{address} is full after {copied} messages. Give it more room (mxgw admin user quota {address} 10G) and run it"
        " again: it goes on from there.",
        "{copied} 通をコピーしたところで {address} がいっぱいになりました。容量を増やして"
        "（mxgw admin user quota {address} 10G）もう一度実行すると、続きからコピーします。",
    ),
    "import-broke-off": Text(
        "the connection broke after {copied} messages ({why}). Run it again: it goes on from there.",
        "{copied} 通をコピーしたところで接続が切れました（{why}）。もう一度実行すると、続きからコピーします。",
    ),
}
