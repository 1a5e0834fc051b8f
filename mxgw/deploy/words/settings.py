"""Mistakes in ecs/deploy.toml."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

SETTINGS: Final = {
    "settings-mistakes": Text(
        "{path} has {count} mistakes; nothing was done:\n{mistakes}",
        "{path} に誤りが {count} 件あります。何も実行していません：\n{mistakes}",
    ),
    "settings-missing": Text(
        "{path} cannot be read. Make it: cp ecs/deploy.example.toml ecs/deploy.toml, then fill it in.",
        "{path} を読めません。cp ecs/deploy.example.toml ecs/deploy.toml で作成し、内容を記入してください。",
    ),
    "settings-large": Text(
        "{path} is larger than {most} octets; that is no file of settings.",
        "{path} が {most} バイトを超えています。設定ファイルではないようです。",
    ),
    "settings-syntax": Text(
        '{path} is not TOML: {why}. Texts stand in quotes: region = "ap-northeast-1"',
        '{path} が TOML の形式ではありません：{why}。文字列は引用符で囲みます：region = "ap-northeast-1"',
    ),
    "settings-near-key": Text(
        "{setting}: there is no such key; do you mean {near}?",
        "{setting}：このキーはありません。{near} の間違いではありませんか？",
    ),
    "settings-secret-key": Text(
        "{setting}: secrets do not belong here. Leave it out: you are asked for them, "
        "or name files (tailscale_secret_file, chat_secret_file).",
        "{setting}：秘密情報はここに書けません。この行を消してください（実行時に入力するか、"
        "tailscale_secret_file、chat_secret_file でファイルを指定します）。",
    ),
    "settings-unknown-key": Text(
        "{setting}: there is no such key; ecs/deploy.example.toml has all of them.",
        "{setting}：このキーはありません。使えるキーは ecs/deploy.example.toml にあります。",
    ),
    "settings-needed": Text(
        "{setting}: needs a value; ecs/deploy.example.toml explains it.",
        "{setting}：値が必要です。説明は ecs/deploy.example.toml にあります。",
    ),
    "settings-not-text": Text(
        "{setting}: must be a text in quotes or a whole number.",
        "{setting}：引用符で囲んだ文字列か整数で指定してください。",
    ),
    "settings-bad-value": Text(
        "{setting}: {text!r} does not have the form that ecs/deploy.example.toml shows.",
        "{setting}：{text!r} は形式が違います。ecs/deploy.example.toml の例を見てください。",
    ),
    "settings-choice": Text(
        "{setting}: {text!r} is none of {choices}.",
        "{setting}：{text!r} は使えません。次から選んでください：{choices}",
    ),
    "settings-bounds": Text(
        "{setting}: {text} is not a whole number from {least} to {most}.",
        "{setting}：{text} は {least} から {most} の整数ではありません。",
    ),
    "settings-bad-domains": Text(
        'domains: needs a list of names: domains = ["example.jp"]',
        'domains：名前の一覧が必要です：domains = ["example.jp"]',
    ),
    "settings-same-stack": Text(
        "base_stack and service_stack: two names are needed, both are {name}.",
        "base_stack と service_stack：どちらも {name} です。別の名前にしてください。",
    ),
    "settings-own-alert": Text(
        "alert_email: {address} is at {domain}, whose mail comes through this edge: the alarm would wait behind the "
        "outage it tells of. Take an address elsewhere.",
        "alert_email：{address} はこのエッジで受信する {domain} のアドレスです。障害中は警報が届きません。"
        "外部のアドレスを指定してください。",
    ),
    "settings-tasks": Text(
        "min_tasks ({least}) is above max_tasks ({most}).",
        "min_tasks（{least}）が max_tasks（{most}）を超えています。",
    ),
    "settings-no-file": Text(
        "{setting}: there is no file {path}.", "{setting}：ファイル {path} がありません。"
    ),
    "settings-half-certificate": Text(
        "certificate_file and certificate_key_file belong together; one is missing.",
        "certificate_file と certificate_key_file は両方必要です。片方がありません。",
    ),
}
