"""Passwords of single devices."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

DEVICE: Final = {
    "short-device": Text("Passwords for single phones and PCs.", "端末ごとのパスワード"),
    "help-device": Text(
        """\
A password for each phone and PC, beside the user's own. When a phone is lost, remove
its password: nothing else has to change. Webmail keeps the user's own password.

Example:
  mxgw admin device add taro@example.jp iPhone""",
        """\
端末ごとに別のパスワードを発行します。端末をなくしても、その端末のパスワードを削除する
だけで済みます。ウェブメールには利用者本人のパスワードを使います。

例：
  mxgw admin device add taro@example.jp iPhone""",
    ),
    "short-device-add": Text("Make a password for a device.", "端末のパスワードを発行します。"),
    "help-device-add": Text(
        """\
Make a password for a device, and show it this once. Put it into the mail program in
place of the user's password, for receiving and for sending.

Examples:
  mxgw admin device add taro@example.jp iPhone
  mxgw admin device add taro@example.jp 'living room PC'""",
        """\
端末用のパスワードを発行し、一度だけ表示します。メールアプリの受信と送信の両方に、本人の
パスワードの代わりに入力してください。

例：
  mxgw admin device add taro@example.jp iPhone
  mxgw admin device add taro@example.jp 居間のパソコン""",
    ),
    "short-device-list": Text("List the devices.", "端末の一覧を表示します。"),
    "help-device-list": Text(
        """\
List the devices that have a password of their own.

Examples:
  mxgw admin device list
  mxgw admin device list taro@example.jp""",
        """\
専用のパスワードを持つ端末の一覧を表示します。

例：
  mxgw admin device list
  mxgw admin device list taro@example.jp""",
    ),
    "short-device-remove": Text("Shut a device out.", "端末を締め出します。"),
    "help-device-remove": Text(
        """\
Remove a device's password: it is logged out at once. The user's other devices are
disconnected for a moment and come back by themselves.

Example:
  mxgw admin device remove taro@example.jp iPhone""",
        """\
端末のパスワードを削除し、すぐにログアウトさせます。ほかの端末も一瞬切断されますが、自動で
再接続します。

例：
  mxgw admin device remove taro@example.jp iPhone""",
    ),
    "column-device": Text("device", "端末"),
    "column-since": Text("since", "発行日時"),
    "ask-device": Text("Name of the device (for example iPhone):", "端末の名前（例：iPhone）："),
    "ask-remove-device": Text(
        "Shut out the device {name} of {user}?", "{user} の端末「{name}」を締め出しますか？"
    ),
    "device-added": Text(
        "{name} of {user} may log in with this password: {password}",
        "{user} の端末「{name}」のパスワードを発行しました：{password}",
    ),
    "device-only-once": Text(
        "It is not shown again. Hyphens and capitals do not matter.",
        "このパスワードは二度と表示されません。ハイフンと大文字・小文字の違いは無視されます。",
    ),
    "device-removed": Text("{name} of {user} is shut out.", "{user} の端末「{name}」を締め出しました。"),
    "no-devices-yet": Text(
        "No device has a password of its own yet: mxgw admin device add",
        "端末専用のパスワードはまだありません：mxgw admin device add",
    ),
    "bad-device-name": Text(
        "{text!r} cannot name a device: 1 to {most} letters, as in iPhone.",
        "{text!r} は端末の名前に使えません。1～{most} 文字で指定してください（例：iPhone）。",
    ),
    "device-exists": Text(
        "{user} has a device {name} already; remove it first, or take another name.",
        "{user} には端末「{name}」がすでにあります。先に削除するか、別の名前にしてください。",
    ),
    "too-many-devices": Text(
        "{user} has {most} devices, which is the most; remove those that are no longer used.",
        "{user} の端末が上限の {most} 台に達しています。使わないものを削除してください。",
    ),
    "no-device": Text(
        "{user} has no device {name}; there are: {names}",
        "{user} に端末「{name}」はありません。登録されている端末：{names}",
    ),
}
