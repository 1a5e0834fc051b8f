"""What the program says of itself in Japanese: --help of ``mxgw``, and the purpose of each command."""

# ruff: noqa: RUF001 - signs of Japanese

from __future__ import annotations

from typing import Final

HELP: Final = """\
ためておかないメールゲートウェイと、自宅メールサーバーの管理ツールです。

SMTP で受け取ったメールを LMTP ですぐにメールボックスのサーバーへ渡し、結果を送信側に答えます。
ゲートウェイの設定は MXGW_* の環境変数と TOML ファイルで行います（一覧は mxgw settings）。

はじめに：
  mxgw admin --help   自宅サーバーのメールボックスやドメインを管理する
  mxgw doctor         どこが正常で、どこが異常かを調べて直す
  mxgw demo           このコンピューターだけで試してみる"""

VERSION: Final = "バージョンを表示します。"

PURPOSES: Final = {
    "serve": "ゲートウェイを起動します（serve edge）。",
    "demo": "ゲートウェイ、メールボックス、状態表示をこのコンピューターだけで試します。",
    "check": "有効な設定を表示し、設定された相手につながるか試します。",
    "doctor": "すべてを調べ、異常と直し方を示して修復します。",
    "verify": "保存したメールをエッジと同じように検査し、理由を示します。",
    "send": "テストメールを送り、サーバーの応答を表示します。",
    "read": "demo が受け取ったメールを一覧、表示します。",
    "admin": "自宅サーバーのメールボックス、別名、ドメインなどを管理します。",
    "deploy": "AWS Fargate 上のエッジを作成、更新、撤去します。",
    "load": "サーバーに負荷をかけて試験します（送信、受信、照合）。",
    "trace": "ログからメールの行方を追います。",
    "dmarc-report": "ログから DMARC 集計レポートを作ります。",
    "settings": "すべての設定を一覧します（変数名、既定値、書式、意味）。",
    "version": "バージョンを表示します。",
}
