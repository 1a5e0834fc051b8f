"""What keeps the commands from the containers at home."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

STACK: Final = {
    "docker-missing": Text(
        "There is no docker command here; run this on the machine with the mail server, as root.",
        "docker コマンドがありません。メールサーバーのある機械で root として実行してください。",
    ),
    "docker-down": Text(
        "Docker does not run; start it: sudo systemctl start docker",
        "Docker が動いていません。起動してください：sudo systemctl start docker",
    ),
    "docker-denied": Text(
        "Docker does not let this user in; run this as root (sudo).",
        "このユーザーには Docker を使う権限がありません。root（sudo）で実行してください。",
    ),
    "stack-missing": Text(
        "There is no compose.yaml in {path}; say where the mail server is: --stack DIRECTORY",
        "{path} に compose.yaml がありません。メールサーバーのディレクトリを --stack で指定してください。",
    ),
    "docker-silent": Text(
        "Docker did not answer within {seconds} seconds; systemctl status docker says how it is.",
        "Docker が {seconds} 秒以内に応答しません。systemctl status docker で状態を確認してください。",
    ),
    "docker-refuses": Text(
        "Docker could not list the containers: {why}. How it is: systemctl status docker",
        "Docker がコンテナの一覧を返せませんでした：{why}。状態の確認：systemctl status docker",
    ),
}
