"""What --help says. Lines are shown as they stand here."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

HELP: Final = {
    "help-usage": Text("Usage:", "使い方："),
    "help-any-options": Text("[OPTIONS]", "[オプション]"),
    "help-any-command": Text("COMMAND [ARGS]...", "コマンド [引数]..."),
    "help-options": Text("Options:", "オプション："),
    "help-commands": Text("Commands:", "コマンド："),
    "option-help": Text("Show this text.", "この説明を表示します。"),
    "option-lang": Text("Language. [default: that of LANG]", "表示言語。省略すると LANG に従います。"),
    "option-json": Text(
        "Print JSON, as is done where stdout is no terminal.", "JSON で出力します（パイプでは自動）。"
    ),
    "option-yes": Text("Do not ask.", "確認せずに実行します。"),
    "option-domain": Text("Of this domain only.", "このドメインだけを表示します。"),
    "option-quota": Text(
        "How much mail it may hold: 2G, 500M, none. [default: 2000M]",
        "容量の上限。2G、500M、none（無制限）。省略時 2000M。",
    ),
    "option-password-file": Text(
        'File with the password in its only line; "-" reads a pipe.',
        "パスワードを 1 行書いたファイル。- ならパイプ入力。",
    ),
    "option-delete-mail": Text(
        "Delete the mail, too. There is no way back.", "メールも削除します。元に戻せません。"
    ),
    "option-mx": Text(
        "Name of the edge. [default: $MXGW_ADMIN_MX, else mx.DOMAIN]",
        "エッジのホスト名。省略時は $MXGW_ADMIN_MX か mx.ドメイン。",
    ),
    "option-mx-address": Text(
        "Fixed address of the edge, may be repeated. [default: $MXGW_ADMIN_MX_ADDRESSES]",
        "エッジの固定アドレス（複数可）。省略時は $MXGW_ADMIN_MX_ADDRESSES。",
    ),
    "option-reports": Text(
        "Mailbox for reports. [default: postmaster@DOMAIN]", "報告の宛先。省略時は postmaster@ドメイン。"
    ),
    "option-selector": Text(
        "DKIM selector, may be repeated. [default: s1 and s2]",
        "DKIM セレクター（複数可）。省略時は s1 と s2。",
    ),
    "option-dns": Text(
        "DNS server to ask. [default: $MXGW_DNS, else the servers of the domain itself]",
        "問い合わせる DNS サーバー。省略時は $MXGW_DNS か、ドメインの権威サーバー。",
    ),
    "option-check-resolver": Text(
        "Resolver whose old answers are looked for, may be repeated. [default: 1.1.1.1 and 8.8.8.8; none with --dns]",
        "古い内容を返していないか調べるリゾルバー（複数可）。省略時は 1.1.1.1 と 8.8.8.8（--dns 指定時はなし）。",
    ),
    # -- the whole
    "short-admin": Text("Mailboxes, aliases and domains at home.", "メールボックス、別名、ドメインの管理"),
    "help-admin": Text(
        """\
Mailboxes, aliases and domains of the mail server at home.

A new server needs three steps:
  1. mxgw admin domain add example.jp          tells which DNS records to set
  2. mxgw admin domain check example.jp        tells whether they are right
  3. mxgw admin user add taro@example.jp       asks for a password

Whatever is left out is asked for. Changes count at once, nothing has to be
restarted. Removing asks first, and keeps the mail. Passwords are never
written on the command line.

install.sh has set up everything that is needed here; run the commands as root
(sudo). Elsewhere, the environment says where things are:
  MXGW_ADMIN_DB            mysql://mailadmin@mariadb/mail
  MXGW_ADMIN_DB_PASSWORD   its password (or ..._PASSWORD_FILE: a file with it)
  MXGW_ADMIN_DOVEADM       http://dovecot:8080, which learns of changes
  MXGW_ADMIN_DOVEADM_KEY   its doveadm_api_key (or ..._KEY_FILE)

Examples:
  mxgw admin user list
  mxgw admin user passwd taro@example.jp
  mxgw admin user list --json | jq '.[] | select(.quota_octets == 0)'
  mxgw admin --lang ja --help""",
        """\
自宅メールサーバーのメールボックス、別名、ドメインを管理します。

最初の設定は 3 つの手順です：
  1. mxgw admin domain add example.jp      設定すべき DNS レコードを表示します
  2. mxgw admin domain check example.jp    正しく設定できたか確認します
  3. mxgw admin user add taro@example.jp   パスワードを入力して完了です

省略した項目は質問されます。変更はすぐに反映され、再起動は不要です。
削除の前には必ず確認し、メールは残します。
パスワードをコマンドラインに書く必要はありません。

install.sh で入れたサーバーでは設定済みです。root（sudo）で実行してください。
それ以外の環境では、接続先を環境変数で指定します：
  MXGW_ADMIN_DB            mysql://mailadmin@mariadb/mail
  MXGW_ADMIN_DB_PASSWORD   そのパスワード（..._PASSWORD_FILE でファイルも可）
  MXGW_ADMIN_DOVEADM       http://dovecot:8080（変更を知らせる相手）
  MXGW_ADMIN_DOVEADM_KEY   その doveadm_api_key（..._KEY_FILE でファイルも可）

例：
  mxgw admin user list
  mxgw admin user passwd taro@example.jp
  mxgw admin user list --json | jq '.[] | select(.quota_octets == 0)'
  mxgw admin --lang en --help""",
    ),
    # -- users
    "short-user": Text(
        "Mailboxes: who can log in, and how much they may hold.", "メールボックス（追加、一覧、変更、削除）"
    ),
    "help-user": Text(
        """\
Mailboxes: who can log in, and how much they may hold.

Example:
  mxgw admin user add taro@example.jp --quota 5G""",
        """\
メールボックスを管理します。

例：
  mxgw admin user add taro@example.jp --quota 5G""",
    ),
    "short-user-add": Text("Make a mailbox.", "メールボックスを作成します。"),
    "help-user-add": Text(
        """\
Make a mailbox. The password is asked for twice and not shown: 8 characters or
more, ASCII letters, digits and signs. The user can log in at once.

Examples:
  mxgw admin user add taro@example.jp
  mxgw admin user add taro@example.jp --quota 5G
  pass mail/taro | mxgw admin user add taro@example.jp --password-file -""",
        """\
メールボックスを作成します。パスワードは 2 回入力します（画面には表示されません）。
半角の英字、数字、記号で 8 文字以上にしてください。すぐにログインできます。

例：
  mxgw admin user add taro@example.jp
  mxgw admin user add taro@example.jp --quota 5G
  pass mail/taro | mxgw admin user add taro@example.jp --password-file -""",
    ),
    "short-user-list": Text(
        "List the mailboxes and how full they are.", "メールボックスと使用量の一覧を表示します。"
    ),
    "help-user-list": Text(
        """\
List the mailboxes, their quotas, how full they are, and their aliases.

Examples:
  mxgw admin user list
  mxgw admin user list --domain example.jp
  mxgw admin user list --json""",
        """\
メールボックスの一覧、容量の上限、使用量、別名を表示します。

例：
  mxgw admin user list
  mxgw admin user list --domain example.jp
  mxgw admin user list --json""",
    ),
    "short-user-passwd": Text("Change a password.", "パスワードを変更します。"),
    "help-user-passwd": Text(
        """\
Change a password. It counts at once; whoever is logged in with the old one is
disconnected.

Examples:
  mxgw admin user passwd taro@example.jp
  mxgw admin user passwd taro@example.jp --password-file new.txt""",
        """\
パスワードを変更します。すぐに反映され、以前のパスワードでの接続は切断されます。

例：
  mxgw admin user passwd taro@example.jp
  mxgw admin user passwd taro@example.jp --password-file new.txt""",
    ),
    "short-user-quota": Text("Show or change how much a mailbox may hold.", "容量の上限を表示、変更します。"),
    "help-user-quota": Text(
        """\
Show how full a mailbox is and may become, or change that. Sizes are numbers
with a unit: K, M, G or T; none is without limit.

Examples:
  mxgw admin user quota taro@example.jp
  mxgw admin user quota taro@example.jp 5G
  mxgw admin user quota taro@example.jp none""",
        """\
メールボックスの使用量と上限を表示します。サイズを付けると上限を変更します。
サイズは数字と単位（K、M、G、T）です。none は無制限です。

例：
  mxgw admin user quota taro@example.jp
  mxgw admin user quota taro@example.jp 5G
  mxgw admin user quota taro@example.jp none""",
    ),
    "short-user-remove": Text(
        "Remove a mailbox; its mail is kept.", "メールボックスを削除します（メールは残します）。"
    ),
    "help-user-remove": Text(
        """\
Remove a mailbox, with the aliases that lead to it. Nobody can log in to it or
write to it any more. Its mail is kept unless --delete-mail is given.

Examples:
  mxgw admin user remove taro@example.jp
  mxgw admin user remove taro@example.jp --delete-mail""",
        """\
メールボックスと、そこに届く別名を削除します。ログインも受信もできなくなります。
--delete-mail を付けない限り、届いているメールは残ります。

例：
  mxgw admin user remove taro@example.jp
  mxgw admin user remove taro@example.jp --delete-mail""",
    ),
    # -- aliases
    "short-alias": Text(
        "Further addresses that lead to a mailbox.", "別名（メールボックスに届く別のアドレス）"
    ),
    "help-alias": Text(
        """\
Further addresses that lead to a mailbox; its user may write under them, too.

Example:
  mxgw admin alias add info@example.jp taro@example.jp""",
        """\
メールボックスに届く別のアドレスを管理します。別名を差出人にして送信もできます。

例：
  mxgw admin alias add info@example.jp taro@example.jp""",
    ),
    "short-alias-add": Text("Lead an address to a mailbox.", "別名を追加します。"),
    "help-alias-add": Text(
        """\
Lead an address to a mailbox of this server. @example.jp stands for every
address of the domain that nobody has (catch-all).

Examples:
  mxgw admin alias add info@example.jp taro@example.jp
  mxgw admin alias add @example.jp taro@example.jp""",
        """\
このサーバーのメールボックスに届く別名を追加します。
@example.jp とすると、未使用のアドレス宛をすべて受け取ります（キャッチオール）。

例：
  mxgw admin alias add info@example.jp taro@example.jp
  mxgw admin alias add @example.jp taro@example.jp""",
    ),
    "short-alias-list": Text("List the aliases.", "別名の一覧を表示します。"),
    "help-alias-list": Text(
        """\
List the aliases and the mailboxes they lead to.

Examples:
  mxgw admin alias list
  mxgw admin alias list --domain example.jp""",
        """\
別名と届け先の一覧を表示します。

例：
  mxgw admin alias list
  mxgw admin alias list --domain example.jp""",
    ),
    "short-alias-remove": Text("Remove an alias.", "別名を削除します。"),
    "help-alias-remove": Text(
        """\
Remove an alias. The mailbox it leads to stays as it is.

Example:
  mxgw admin alias remove info@example.jp""",
        """\
別名を削除します。届け先のメールボックスはそのまま残ります。

例：
  mxgw admin alias remove info@example.jp""",
    ),
    # -- domains
    "short-domain": Text("Domains, and what DNS must say of them.", "ドメインと DNS レコード"),
    "help-domain": Text(
        """\
Domains of this server, and what DNS must say of them.

Example:
  mxgw admin domain add example.jp""",
        """\
ドメインと、必要な DNS レコードを管理します。

例：
  mxgw admin domain add example.jp""",
    ),
    "short-domain-add": Text(
        "Add a domain: here, at the edge, in DNS.", "ドメインを追加し、DNS などを設定します。"
    ),
    "help-domain-add": Text(
        """\
Add a domain. What there are keys for in .env is set up at once: the edge's list
(EDGE_DOMAINS_PARAMETER), SendGrid (SENDGRID_ADMIN_KEY), the DNS records at
Cloudflare (CLOUDFLARE_API_TOKEN; shown first, and asked). The rest is printed,
to be done by hand. May be run again at any time; the exit code is 1 where
something could not be done.

Examples:
  mxgw admin domain add example.jp
  mxgw admin domain add example.jp --postmaster taro@example.jp --yes
  mxgw admin domain add example.jp --mx mx.example.jp --mx-address 192.0.2.1""",
        """\
ドメインを追加します。.env にキーがあるものは自動で設定します：エッジの一覧
（EDGE_DOMAINS_PARAMETER）、SendGrid（SENDGRID_ADMIN_KEY）、Cloudflare の DNS
レコード（CLOUDFLARE_API_TOKEN。内容を表示し、確認してから書き込みます）。
残りは手順を表示します。何度実行してもかまいません。できなかったことがあると
終了コードは 1 になります。

例：
  mxgw admin domain add example.jp
  mxgw admin domain add example.jp --postmaster taro@example.jp --yes
  mxgw admin domain add example.jp --mx mx.example.jp --mx-address 192.0.2.1""",
    ),
    "short-domain-records": Text(
        "Print the DNS records of a domain again.", "DNS レコードをもう一度表示します。"
    ),
    "help-domain-records": Text(
        """\
Print the DNS records that a domain needs. Nothing is changed.

Example:
  mxgw admin domain records example.jp""",
        """\
ドメインに必要な DNS レコードを表示します。何も変更しません。

例：
  mxgw admin domain records example.jp""",
    ),
    "short-domain-check": Text(
        "Check the DNS records, say how to mend them.", "DNS レコードを確認し、直し方を示します。"
    ),
    "help-domain-check": Text(
        """\
Ask DNS for every record of a domain: what is right, what is wrong, how to mend
it; and which public resolvers still give an old answer, until when. The exit code
is 1 where something is wrong.

Examples:
  mxgw admin domain check example.jp
  mxgw admin domain check example.jp --repair
  mxgw admin domain check example.jp --dns 1.1.1.1
  mxgw admin domain check example.jp --json | jq .findings""",
        """\
ドメインの DNS レコードを 1 つずつ確認し、問題点と直し方を表示します。公開
リゾルバーがまだ古い内容を返していれば、いつまで続くかも表示します。
異常があると終了コードは 1 になります。

例：
  mxgw admin domain check example.jp
  mxgw admin domain check example.jp --repair
  mxgw admin domain check example.jp --dns 1.1.1.1
  mxgw admin domain check example.jp --json | jq .findings""",
    ),
    "short-domain-list": Text("List the domains.", "ドメインの一覧を表示します。"),
    "help-domain-list": Text(
        """\
List the domains, and how many mailboxes and aliases each has.

Example:
  mxgw admin domain list""",
        """\
ドメインと、メールボックスと別名の数を表示します。

例：
  mxgw admin domain list""",
    ),
    "short-domain-remove": Text("Remove a domain that is empty.", "空のドメインを削除します。"),
    "help-domain-remove": Text(
        """\
Remove a domain. Its mailboxes and aliases must be removed first.

Example:
  mxgw admin domain remove example.jp""",
        """\
ドメインを削除します。先にメールボックスと別名を削除してください。

例：
  mxgw admin domain remove example.jp""",
    ),
}
