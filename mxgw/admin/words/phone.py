"""Setting up phones."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

PHONE: Final = {
    "short-phone": Text("Set up a phone.", "スマートフォンの設定"),
    "help-phone": Text(
        """\
Write a profile with which an iPhone, iPad or Mac sets up a mailbox by itself, and tell
what to type in on Android and elsewhere. There is no password in the file: the phone
asks for it. Give each phone one of its own: mxgw admin device add.

Examples:
  mxgw admin phone taro@example.jp
  mxgw admin phone taro@example.jp --name 'Taro Yamada' --output taro.mobileconfig""",
        """\
iPhone・iPad・Mac 用の設定ファイル（構成プロファイル）を作り、Android などで入力する内容も
表示します。ファイルにパスワードは含まれず、端末が入力を求めます。端末ごとのパスワードは
mxgw admin device add で発行してください。

例：
  mxgw admin phone taro@example.jp
  mxgw admin phone taro@example.jp --name 山田太郎 --output taro.mobileconfig""",
    ),
    "option-name": Text(
        "The name that others see. [default: what stands before the @]",
        "相手に表示される名前。省略時は @ の前の部分。",
    ),
    "option-output": Text(
        "Where to write it. [default: ADDRESS.mobileconfig]",
        "書き出すファイル。省略時は アドレス.mobileconfig。",
    ),
    "phone-written": Text(
        "The profile of {user} is in {path}.", "{user} の設定ファイルを {path} に書き出しました。"
    ),
    "phone-how": Text(
        """\
Bring {path} to the phone by AirDrop, a USB stick or a mail that it can read already.
Then: Settings > General > VPN & Device Management > install.
The phone must be in the tailnet.
""",
        """\
{path} を AirDrop や USB、すでに読めるメールなどで端末に送ってください。
次に「設定」→「一般」→「VPN とデバイス管理」でインストールします。
端末は Tailscale に参加している必要があります。
""",
    ),
    "phone-by-hand": Text(
        """\
Elsewhere, type in:
  incoming (IMAP)  {server}, port {imap}, SSL/TLS
  outgoing (SMTP)  {server}, port {smtp}, SSL/TLS
  user name        {user} for both
""",
        """\
それ以外の端末では次のとおり入力します。
  受信（IMAP）：{server}、ポート {imap}、SSL/TLS
  送信（SMTP）：{server}、ポート {smtp}、SSL/TLS
  ユーザー名：どちらも {user}
""",
    ),
    "phone-programs": Text(
        "Thunderbird and the classic Outlook on a PC in the tailnet find all of this by themselves, once this says ok of"
        " them: mxgw admin domain check {domain}",
        "tailnet 内の PC の Thunderbird と従来の Outlook は、次のコマンドで両方が正常なら自動で設定されます："
        "mxgw admin domain check {domain}",
    ),
    "phone-needs-server": Text(
        "{variable} is not in the .env of the stack, so the phone would not know its server.",
        "stack の .env に {variable} がないため、接続先のサーバー名がわかりません。",
    ),
    "bad-person-name": Text(
        "{text!r} cannot be shown as a name; write 1 to {most} letters: --name 'Taro Yamada'",
        "{text!r} は名前として表示できません。1～{most} 文字で指定してください（例：--name '山田 太郎'）。",
    ),
    "phone-not-written": Text("{path} cannot be written: {why}", "{path} に書き込めません：{why}"),
}
