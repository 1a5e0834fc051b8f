"""What --help says."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

HELP: Final = {
    "short-deploy": Text(
        "From a checkout and an AWS account to a running edge.", "AWS 上のエッジの作成・更新・撤去"
    ),
    "help-deploy": Text(
        """\
Brings the edge to AWS Fargate, keeps it up to date, takes it away again.

Example, the first time:
  1. cp ecs/deploy.example.toml ecs/deploy.toml     and fill it in
  2. aws configure                                  (or: aws sso login)
  3. mxgw deploy plan                               shows what would be done
  4. mxgw deploy up                                 does it, asking before each change

Every command may be repeated: what is done already is left alone. It costs about
48 USD a month in Tokyo (ecs/README.md); `mxgw deploy destroy` ends that.""",
        """\
AWS Fargate 上のエッジを作成し、更新し、撤去します。

例（はじめての場合）：
  1. cp ecs/deploy.example.toml ecs/deploy.toml     内容を記入
  2. aws configure                                  （または aws sso login）
  3. mxgw deploy plan                               何をするかを表示
  4. mxgw deploy up                                 変更のたびに確認しながら実行

どのコマンドも繰り返し実行できます（済んだことはそのまま）。費用は東京で月に約 48 USD です
（ecs/README.md）。やめるときは `mxgw deploy destroy` を使います。""",
    ),
    "short-deploy-plan": Text("Show what up would do; changes nothing.", "up の内容を表示（何も変更しない）"),
    "help-deploy-plan": Text(
        """\
Shows what `mxgw deploy up` would do: checks of the account, and what would be added,
changed, replaced or removed. Nothing stays behind. The same as `up --dry-run`.""",
        """\
`mxgw deploy up` が行うこと（アカウントの確認と、追加・変更・置換・削除の一覧）を表示します。
何も変更しません。`up --dry-run` と同じです。""",
    ),
    "short-deploy-up": Text("Deploy, or bring up to date.", "作成または更新"),
    "help-deploy-up": Text(
        """\
Brings the account to what ecs/deploy.toml and this checkout say, step by step:
account and permissions, base stack, secrets, domains, image, service stack, DNS records
to set, and a look at the edge from outside. Asks before each change.

Safe to repeat after whatever went wrong. Exit code 1 while something is to be mended.

  mxgw deploy up                  after a change of settings or an update of the program
  mxgw deploy up --fresh          once a month: the same program on the latest base
  mxgw deploy up --yes | cat      without questions, as JSON lines""",
        """\
ecs/deploy.toml とこのチェックアウトの内容どおりに、順に設定します：
アカウントと権限、base スタック、秘密情報、ドメイン、イメージ、service スタック、設定すべき
DNS レコードの表示、外部からの動作確認。変更の前に必ず確認します。

途中で失敗しても、そのまま再実行できます。直すべき点が残っていれば終了コードは 1 です。

  mxgw deploy up                  設定変更やプログラム更新のあと
  mxgw deploy up --fresh          月に一度：同じプログラムを最新のベースで作り直す
  mxgw deploy up --yes | cat      質問なし、JSON 行で出力""",
    ),
    "short-deploy-status": Text("How it is: stacks, tasks, alarms.", "現在の状態（スタック、タスク、警報）"),
    "help-deploy-status": Text(
        "Shows stacks, image, tasks, alarms that ring, secrets without a value, and the DNS records.\n"
        "Exit code 1 where no mail can be taken in or something rings.",
        "スタック、イメージ、タスク、鳴っている警報、値のない秘密情報、DNS レコードを表示します。\n"
        "受信できない状態や警報があれば終了コードは 1 です。",
    ),
    "short-deploy-rollback": Text("Back to the image before.", "直前のイメージに戻す"),
    "help-deploy-rollback": Text(
        """\
Puts the image before back to work; template and settings stay as they are there.
A deployment that fails goes back by itself: this is for one that went well and is wrong.
To go back with templates and settings, too: git checkout the version, then `mxgw deploy up`.""",
        """\
直前のイメージに戻します。テンプレートと設定は現在のままです。
失敗したデプロイは自動で戻ります。このコマンドは、成功したが内容に問題があった場合に使います。
テンプレートや設定も戻すには、その版を git checkout して `mxgw deploy up` を実行してください。""",
    ),
    "short-deploy-destroy": Text("Take it away.", "撤去"),
    "help-deploy-destroy": Text(
        """\
Deletes both stacks, after showing what goes and what stays, and asking for a name.
First let the MX records lead elsewhere: senders keep mail for some days only.""",
        """\
削除されるものと残るものを表示し、名前の入力を求めたうえで、両方のスタックを削除します。
先に MX レコードを別の宛先に変えてください（送信側がメールを保持するのは数日間だけです）。""",
    ),
    "option-settings": Text(
        "File with the settings. [default: ecs/deploy.toml]", "設定ファイル。省略時は ecs/deploy.toml。"
    ),
    "option-dry-run": Text("Only show what would be done.", "何をするかを表示するだけ。"),
    "option-yes-deploy": Text("Do not ask.", "確認せずに実行します。"),
    "option-accept-loss": Text(
        "Do not ask about what cannot be brought back, either.",
        "元に戻せない変更についても確認せずに実行します。",
    ),
    "option-fresh": Text(
        "Build the image anew on the latest base (once a month).",
        "最新のベースでイメージを作り直します（月に一度）。",
    ),
    "option-no-verify": Text("Do not look at the edge from outside.", "外部からの動作確認を省略します。"),
    "option-verify-at": Text(
        "Look at the edge there, not at its fixed addresses; may be repeated.",
        "固定アドレスの代わりに確認する場所（複数可）。",
    ),
    "option-deploy-dns": Text(
        "DNS server for the look from outside. [default: 1.1.1.1, 8.8.8.8]",
        "動作確認に使う DNS サーバー。省略時は 1.1.1.1 と 8.8.8.8。",
    ),
    "option-to": Text(
        "This image instead, by its tag. [default: the one before]",
        "戻す先のイメージのタグ。省略時は直前のもの。",
    ),
    "option-confirm": Text(
        "Name of the base stack, in place of typing it.", "入力の代わりに base スタックの名前を指定します。"
    ),
}
