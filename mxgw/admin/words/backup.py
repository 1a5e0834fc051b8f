"""What the commands of backup and restore say."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

BACKUP: Final = {
    # -- help
    "short-backup": Text("Backups: make one, prove it, list them.", "バックアップの作成、検証、一覧"),
    "help-backup": Text(
        """\
Backups of mail, users and settings, on the disk of BACKUP_DIRECTORY
(/mnt/backup/mailserver). A timer makes one every night and restores it on trial,
so there is nothing to remember.

Examples:
  mxgw admin backup list       what is there
  mxgw admin backup now        one more, before you change something
  mxgw admin restore           bring mail back""",
        """\
メール、ユーザー、設定を BACKUP_DIRECTORY（/mnt/backup/mailserver）の
ディスクに保存します。毎晩タイマーが作成し、試しに復元して確かめるので、
ふだん行うことはありません。

例：
  mxgw admin backup list       一覧
  mxgw admin backup now        いますぐ作成（何かを変更する前に）
  mxgw admin restore           メールを元に戻す""",
    ),
    "short-backup-now": Text("Make a backup now, and prove it.", "いますぐ作成して検証"),
    "help-backup-now": Text(
        """\
Copies the database, all mail and the settings while everything goes on working.
Then it restores the copy on trial in a second Dovecot and compares every folder.
Old backups go afterwards.

Example:
  mxgw admin backup now""",
        """\
サービスを止めずにデータベース、全メール、設定を保存します。次に別の
Dovecot に試しに復元し、フォルダーごとに比べます。そのあと古いバックアップを
消します。

例：
  mxgw admin backup now""",
    ),
    "short-backup-verify": Text("Restore a backup on trial.", "試しに復元して検証"),
    "help-backup-verify": Text(
        """\
Checks every file of a backup, restores it on trial in a second Dovecot and
compares messages, flags and folders. Mail in service is not touched.

Examples:
  mxgw admin backup verify                 the newest
  mxgw admin backup verify 2026-11-24      the newest of a day""",
        """\
バックアップの全ファイルを確かめ、別の Dovecot に試しに復元して、メール、
フラグ、フォルダーを比べます。使用中のメールには触れません。

例：
  mxgw admin backup verify                 最新のもの
  mxgw admin backup verify 2026-11-24      その日の最新のもの""",
    ),
    "short-backup-list": Text("Which backups there are.", "一覧"),
    "help-backup-list": Text(
        """\
Lists the backups, the newest first.

Example:
  mxgw admin backup list""",
        """\
バックアップを新しい順に表示します。

例：
  mxgw admin backup list""",
    ),
    "short-restore": Text("Bring mail back from a backup.", "バックアップからの復元"),
    "help-restore": Text(
        """\
Brings everything, or one mailbox, back from a backup. It asks first.
The mail server stands still while directories are exchanged and read; mail waits
at its senders. What is there now is kept aside, and comes back by itself where
the restored mail cannot be read.

Where settings (.env) differ from the backup's, it shows which, and asks. Those of
this machine (Tailscale's address and name, places of the disks) always stay.

With --into nothing is replaced: the mail comes into a folder beside today's.

Examples:
  mxgw admin restore                                      all, newest backup
  mxgw admin restore 2026-11-24 --user taro@example.jp    one mailbox
  mxgw admin restore --user taro@example.jp --into "Restored 2026-11-24"
  mxgw admin restore --configuration only                 settings alone""",
        """\
バックアップから全体、または 1 つのメールボックスを元に戻します。最初に
確認します。ディレクトリーの入れ替えと確認の間だけサーバーを止め、その間の
メールは送信側で待ちます。現在のメールは別の場所に残し、復元したメールを
読めないときは自動で元に戻します。

設定（.env）がバックアップと違うときは、違う項目を表示して尋ねます。この機械の
もの（Tailscale のアドレスと名前、ディスクの場所）は常にそのままです。

--into を付けると何も置き換えず、今のメールの横のフォルダーに入れます。

例：
  mxgw admin restore                                      最新から全体
  mxgw admin restore 2026-11-24 --user taro@example.jp    1 つだけ
  mxgw admin restore --user taro@example.jp --into "復元 2026-11-24"
  mxgw admin restore --configuration only                 設定だけ""",
    ),
    "option-no-verify": Text("Without the trial.", "試しの復元をしません。"),
    "option-restore-user": Text("This mailbox only.", "このメールボックスだけ復元します。"),
    "option-restore-into": Text(
        "With --user: put the mail into this new folder, replace nothing.",
        "--user と併用：何も置き換えず、この新しいフォルダーに入れます。",
    ),
    "option-restore-configuration": Text(
        "Settings: with or without them, or only them. [default: asked]",
        "設定も（with）、設定以外（without）、設定だけ（only）。省略時は尋ねます。",
    ),
    # -- tables
    "column-backup": Text("backup (UTC)", "バックアップ（UTC）"),
    "column-messages": Text("messages", "メール数"),
    "column-backup-size": Text("size", "メールの容量"),
    "column-proven": Text("restored on trial", "試しの復元"),
    "column-configuration": Text("file", "ファイル"),
    "column-configuration-what": Text("what is different in the backup", "バックアップと違う点"),
    "configuration-missing": Text("is missing here", "ここにない"),
    "configuration-differs": Text("differs: ", "相違："),
    "backup-good": Text("yes", "成功"),
    "backup-bad": Text("FAILED", "失敗"),
    "backup-untried": Text("not yet", "未実施"),
    # -- done
    "backup-made": Text(
        "Backup {name}: {users} mailboxes, {messages} messages.",
        "バックアップ {name}：メールボックス {users} 個、メール {messages} 通。",
    ),
    "backup-proven": Text(
        "Backup {name} can be restored: {messages} messages were read.",
        "バックアップ {name} は復元できます。{messages} 通を読めました。",
    ),
    "backup-list-empty": Text(
        "There is no backup yet: mxgw admin backup now",
        "まだありません。mxgw admin backup now で作成します。",
    ),
    "backup-copying": Text("Copying", "コピー中"),
    "backup-checking": Text("Checking", "検証中"),
    "backup-restoring": Text("Restoring", "復元中"),
    "ask-restore": Text(
        "Replace all mail, users and webmail settings by backup {name}?",
        "全メール、ユーザー、ウェブメールの設定をバックアップ {name} に置き換えますか？",
    ),
    "ask-restore-user": Text(
        "Replace the mail of {address} by backup {name}?",
        "{address} のメールをバックアップ {name} に置き換えますか？",
    ),
    "ask-restore-configuration": Text(
        "Put back these settings of backup {name}, too? (a copy of today's is kept)",
        "これらの設定もバックアップ {name} に戻しますか？（今の設定は控えを残します）",
    ),
    "ask-restore-into": Text(
        "Put the {count} messages that {address} had in backup {name} into the folder {folder}? Today's mail stays "
        "as it is.",
        "バックアップ {name} の {address} のメール {count} 通を、フォルダー {folder} に入れますか？ 今のメールは"
        "変わりません。",
    ),
    "restored-into": Text(
        "{messages} messages of {address} out of {name} are now in the folder {folder}.",
        "{name} の {address} のメール {messages} 通をフォルダー {folder} に入れました。",
    ),
    "restore-into-left": Text(
        "{count} messages could not be put there (the last: {why}).",
        "{count} 通は入れられませんでした（最後の理由：{why}）。",
    ),
    "restore-configuration-same": Text(
        "The settings are those of backup {name}; nothing was changed.",
        "設定はバックアップ {name} と同じです。何も変更していません。",
    ),
    "restore-configuration-left": Text(
        "{count} files of settings differ from the backup's and were left: mxgw admin restore --configuration only",
        "バックアップと違う設定ファイル {count} 個はそのままです。戻すには：mxgw admin restore --configuration only",
    ),
    "configuration-restored": Text(
        "Settings of {name} are back: {count} files.",
        "{name} の設定を戻しました：{count} ファイル。",
    ),
    "configuration-kept": Text(
        "The settings before are in {paths} (they hold passwords; delete them when all works).",
        "以前の設定は {paths} にあります（パスワードを含みます。問題がなければ削除してください）。",
    ),
    "configuration-then-install": Text(
        "Now: sudo /opt/mxgw/dell-stack/install.sh, then mxgw admin restore",
        "次に sudo /opt/mxgw/dell-stack/install.sh、そのあと mxgw admin restore を実行してください。",
    ),
    "restore-unsent": Text(
        "{count} messages waited to be sent when the backup was made. They are not sent again, since most have gone "
        "since; their senders find them in the folder Sent, and may send them again after asking:\n  {lines}",
        "バックアップの時点で送信待ちだったメールが {count} 通あります。その後送信された可能性が高いため、自動では"
        "再送しません。送信者の「送信済み」フォルダーにあるので、相手に確認のうえ送り直してください：\n  {lines}",
    ),
    "backup-without-learnt": Text(
        "Backup {name} is good, but what Rspamd has learnt is not in it: {why}",
        "バックアップ {name} に問題はありませんが、Rspamd の学習結果は含まれていません：{why}",
    ),
    "restored": Text(
        "Restored from {name}: {users} mailboxes, {messages} messages, all read by Dovecot.",
        "{name} から復元しました：メールボックス {users} 個、メール {messages} 通を Dovecot で確認しました。",
    ),
    "restore-aside": Text(
        "What was there before is in {path}; delete it when you do not miss anything.",
        "以前のメールは {path} にあります。不足がなければ削除してください。",
    ),
    "restore-homes-without-user": Text(
        "Mail without a user, brought back unread: {addresses}",
        "ユーザーのないメールも戻しました（未確認）：{addresses}",
    ),
    # -- refused
    "backup-days-wrong": Text(
        "BACKUP_DAYS in .env must be a number from 1 to 3650.",
        ".env の BACKUP_DAYS は 1 から 3650 の数にしてください。",
    ),
    "backup-not-mounted": Text(
        "The backup disk is not mounted at {path}, or is the mail's own disk. See it with lsblk, then: "
        "mount /mnt/backup",
        "バックアップ用ディスクが {path} にマウントされていないか、メールと同じディスクです。lsblk で確認し、"
        "mount /mnt/backup を実行してください。",
    ),
    "backup-disk-fails": Text(
        "The backup disk does not work as it should: {why}. It must be ext4 or xfs; dmesg tells of defects.",
        "バックアップ用ディスクに問題があります：{why}。ext4 か xfs が必要です。故障は dmesg で確認できます。",
    ),
    "backup-disk-full": Text(
        "{path} lacks {mebibytes} MiB for one more backup. Lower BACKUP_DAYS in .env, or use a larger disk.",
        "{path} の空きが {mebibytes} MiB 足りません。.env の BACKUP_DAYS を減らすか、大きなディスクにしてください。",
    ),
    "backup-running": Text(
        "A backup or restore is running already; wait until it has ended.",
        "別のバックアップまたは復元を実行中です。終わるまで待ってください。",
    ),
    "backup-none": Text("There is no such backup in {path}.", "{path} に該当するバックアップがありません。"),
    "backup-damaged": Text(
        "The backup is damaged or not whole: {path}. Take another one: mxgw admin backup list",
        "バックアップが壊れているか不完全です：{path}。別のものを使ってください：mxgw admin backup list",
    ),
    "backup-database-failed": Text(
        "The database could not be copied: {why}. Is mariadb running? docker compose ps",
        "データベースを保存できません：{why}。mariadb の状態を docker compose ps で確認してください。",
    ),
    "backup-trial-failed": Text(
        "The restore on trial could not be run: {why}. Is dovecot running, and is there room? docker compose ps dovecot; "
        "df -h",
        "試しの復元を実行できません：{why}。docker compose ps dovecot と df -h で状態と空き容量を確認してください。",
    ),
    "backup-differs": Text(
        "Restored on trial, {address} is not what it was. Backup / Dovecot: {why}. Do not rely on this backup; make "
        "another one: mxgw admin backup now",
        "試しに復元した {address} が一致しません。バックアップ / Dovecot：{why}。このバックアップは使わず、新しく作成して"
        "ください：mxgw admin backup now",
    ),
    "backup-state-unwritable": Text(
        "The result could not be written for the watch: {why}. Is there room in /var/lib/mxgw? df -h /var",
        "結果を見張り用に書き込めません：{why}。/var/lib/mxgw の空きを確認してください：df -h /var",
    ),
    "backup-learnt-failed": Text(
        "Redis could not save what Rspamd has learnt: {why}. Is redis running, and is there room? docker compose ps; "
        "df -h",
        "Redis が Rspamd の学習結果を保存できません：{why}。docker compose ps と df -h で redis の状態と空き容量を"
        "確認してください。",
    ),
    "backup-configuration-unsafe": Text(
        "{path} holds what no backup of mxgw holds ({what}); nothing of it was used. Take another backup: "
        "mxgw admin backup list",
        "{path} に mxgw のバックアップにないもの（{what}）が含まれるため、使いませんでした。別のバックアップを"
        "使ってください：mxgw admin backup list",
    ),
    "restore-root-password": Text(
        "MariaDB did not take the MARIADB_ROOT_PASSWORD of the backup ({why}). Nothing was changed. Is mariadb "
        "healthy, and is the password in .env the right one? docker compose ps",
        "バックアップの MARIADB_ROOT_PASSWORD を MariaDB に設定できません（{why}）。何も変更していません。"
        "docker compose ps で mariadb の状態を、.env でパスワードを確認してください。",
    ),
    "restore-one-or-all": Text(
        "--configuration goes with the restore of everything; leave it out, or leave out --user and --into.",
        "--configuration は全体の復元で使います。--configuration か、--user と --into のどちらかを外してください。",
    ),
    "restore-into-whom": Text(
        "--into needs a mailbox: add --user taro@example.jp",
        "--into にはメールボックスが必要です。--user taro@example.jp を付けてください。",
    ),
    "restore-bad-folder": Text(
        "{text!r} is no name for a folder; take one like: Restored 2026-11-24",
        "{text!r} はフォルダー名に使えません。「復元 2026-11-24」のような名前にしてください。",
    ),
    "restore-into-used": Text(
        "The folder {folder} holds other mail already; choose another name for --into.",
        "フォルダー {folder} には別のメールがあります。--into に別の名前を指定してください。",
    ),
    "restore-into-full": Text(
        "{address} is full after {copied} messages. Give it more room (mxgw admin user quota {address} 10G) and run "
        "it again: what is missing comes.",
        "{copied} 通を入れたところで {address} がいっぱいになりました。容量を増やして"
        "（mxgw admin user quota {address} 10G）もう一度実行すると、残りが入ります。",
    ),
    "restore-into-broke-off": Text(
        "It broke off after {copied} messages ({why}). Run it again: what is missing comes.",
        "{copied} 通を入れたところで中断しました（{why}）。もう一度実行すると、残りが入ります。",
    ),
    "restore-no-such-user": Text(
        "{address} is not in this backup: mxgw admin backup list",
        "このバックアップに {address} はありません。mxgw admin backup list で別のものを確認してください。",
    ),
    "restore-user-is-gone": Text(
        "{address} is no user any more: mxgw admin user add {address}, then restore again.",
        "{address} は登録されていません。mxgw admin user add {address} のあと、もう一度復元してください。",
    ),
    "restore-disk-full": Text(
        "{path} lacks {mebibytes} MiB; the restored mail is laid beside the old one first. Make room there (df -h; "
        "what earlier restores have set aside is in mail/.before-restore-*), then restore again.",
        "{path} の空きが {mebibytes} MiB 足りません。復元では今のメールを残したまま隣に置きます。空きを作って"
        "（df -h で確認。以前の復元で残したメールは mail/.before-restore-* にあります）、もう一度実行してください。",
    ),
    "restore-disk-fails": Text(
        "The disk refused: {why}. The mail is as it was.",
        "ディスクのエラー：{why}。メールは元のままです。",
    ),
    "restore-docker-failed": Text(
        "Docker could not stop or start a service: {why}. Which one: docker compose ps; then: docker compose up -d",
        "サービスを停止または起動できません：{why}。docker compose ps で確認し、docker compose up -d を実行してください。",
    ),
    "restore-database-failed": Text(
        "The database did not take the backup: {why}. How it is: docker compose logs --tail 20 mariadb",
        "データベースに復元できません：{why}。docker compose logs --tail 20 mariadb で状態を確認してください。",
    ),
    "restore-no-dovecot": Text(
        "Dovecot was not healthy within {seconds} seconds; the mail is as it was before. Why: docker compose logs "
        "--tail 50 dovecot",
        "Dovecot が {seconds} 秒以内に正常になりません。メールは元の状態に戻しました。理由の確認：docker compose logs "
        "--tail 50 dovecot",
    ),
    "restore-not-read": Text(
        "Dovecot could not read the restored mail of {address}: {why}. The mail is as it was before.",
        "復元した {address} のメールを Dovecot が読めません：{why}。元の状態に戻しました。",
    ),
    "restore-differs": Text(
        "Dovecot does not see in {address} what the backup has: {why}. The mail is as it was before.",
        "{address} の内容がバックアップと一致しません：{why}。元の状態に戻しました。",
    ),
}
