#!/bin/bash
# From a bare Rocky Linux 9 to a running mail server. May be run again at any time: what is in place stays as it is.
# Rocky Linux 9 だけの機械から、動くメールサーバーまで。何度実行してもかまいません。済んだ手順はそのままです。
set -uo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

STACK=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$STACK")
ENV_FILE=$STACK/.env
MODE=install ANSWERS='' LOG=/dev/null MISSING=0 MADE=0
NOTE='' TROUBLE='' REMEDY='' REPLY='' WARNINGS=()

# shellcheck source=install/talk.sh
. "$STACK/install/talk.sh"
# shellcheck source=install/machine.sh
. "$STACK/install/machine.sh"
# shellcheck source=install/stack.sh
. "$STACK/install/stack.sh"
# shellcheck source=install/people.sh
. "$STACK/install/people.sh"
LANGUAGE_HERE=$(language)
trap interrupted INT

usage() {
    if [ "$LANGUAGE_HERE" = ja ]; then
        cat <<'HELP'
使い方：install.sh [--check] [--answers ファイル] [--uninstall] [--lang ja|en]

Rocky Linux 9 にメールサーバーを構築します。必要なことは質問します。途中で
止まっても、直してからもう一度実行すれば続きから進みます。

  --check             何も変えずに、各手順の状態だけを表示します
                      （不足があれば終了コード 1）
  --answers ファイル  質問に答えるファイル（名前=値 を 1 行ずつ、chmod 600）。
                      無人で実行できます
  --uninstall         コンテナとタイマーを取り除きます。メール、.env、
                      バックアップは残ります
  --lang ja|en        言語（省略すると LANG に従います）

回答ファイルの名前：
  MAIL_DOMAINS EDGE_HOSTNAME POSTMASTER_ADDRESS SENDGRID_API_KEY ALERT_MAIL_TO
  MXGW_SEAL_KEY FIRST_USER FIRST_PASSWORD TAILSCALE_AUTH_KEY TAILSCALE_HOSTNAME
  SYSTEM_DISK RESTART_DOCKER RESTORE_SETTINGS
HELP
    else
        cat <<'HELP'
Usage: install.sh [--check] [--answers FILE] [--uninstall] [--lang ja|en]

Sets up the mail server on Rocky Linux 9, and asks what it needs to know. Where
it stops, mend what it names and start it again: it goes on from there.

  --check         change nothing, show the state of each step (exit code 1 where
                  one is missing)
  --answers FILE  a file that answers the questions (NAME=VALUE lines,
                  chmod 600): runs without anybody there
  --uninstall     take away containers and timers; mail, .env and backups stay
  --lang ja|en    language [default: that of LANG]

Names in the file:
  MAIL_DOMAINS EDGE_HOSTNAME POSTMASTER_ADDRESS SENDGRID_API_KEY ALERT_MAIL_TO
  MXGW_SEAL_KEY FIRST_USER FIRST_PASSWORD TAILSCALE_AUTH_KEY TAILSCALE_HOSTNAME
  SYSTEM_DISK RESTART_DOCKER RESTORE_SETTINGS
HELP
    fi
}

mistake() {
    tell "$1" "$2" >&2
    tell "install.sh --help shows what there is." "使い方：install.sh --help" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
        --check) MODE=check ;;
        --uninstall) MODE=uninstall ;;
        --answers)
            ANSWERS=${2:-}
            [ -n "$ANSWERS" ] || mistake "--answers needs a file." "--answers にはファイル名が必要です。"
            shift
            ;;
        --lang)
            case ${2:-} in ja | en) LANGUAGE_HERE=$2 ;; *) mistake "--lang needs ja or en." "--lang には ja か en を指定します。" ;; esac
            shift
            ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) mistake "Unknown: $1" "不明な引数です：$1" ;;
    esac
    shift
done

if [ -n "$ANSWERS" ]; then
    [ -f "$ANSWERS" ] || mistake "$ANSWERS does not exist." "$ANSWERS がありません。"
    case $(stat -c %a "$ANSWERS") in *00) ;; *) mistake "Others may read $ANSWERS, and it holds secrets: chmod 600 $ANSWERS" "$ANSWERS が他人にも読めます：chmod 600 $ANSWERS" ;; esac
fi

step root "Run as root" "root での実行"
step system "Rocky Linux 9" "Rocky Linux 9"
step place "The program lies in /opt/mxgw" "プログラムの場所（/opt/mxgw）"

if [ "$MODE" != check ]; then
    LOG=/var/log/mxgw-install.log
    touch "$LOG" && chmod 600 "$LOG"
    exec 9>/run/mxgw-install.lock
    flock -n 9 || {
        tell "install.sh is running already." "install.sh はすでに実行中です。"
        exit 1
    }
fi

if [ "$MODE" = uninstall ]; then
    agreed UNINSTALL "Take away containers, timers and the command mxgw? Mail, .env and backups stay." \
        "コンテナ、タイマー、mxgw コマンドを取り除きますか？ メール、.env、バックアップは残ります。" || exit 1
    for unit in $(units); do
        case $unit in *.timer) logged systemctl disable --now "$unit" ;; esac
        rm -f "$UNITS/$unit"
    done
    logged systemctl daemon-reload
    NOTE=''
    logged compose down --remove-orphans || { bad "$(tell "Containers" "コンテナ")"; stopped; }
    rm -f "$PROGRAM" "$SYSCTL_FILE"
    good "$(tell "Taken away. The mail is still in $(data_directory)." "取り除きました。メールは $(data_directory) に残っています。")"
    exit 0
fi

step memory "Memory" "メモリー"
step packages "Python 3.11 and small tools" "Python 3.11 と必要なコマンド"
step docker "Docker with Compose" "Docker と Compose"
step docker_settings "Docker: SELinux and rotation of logs" "Docker：SELinux とログの上限"
step kernel "Ports can open before Tailscale is up" "Tailscale より先にポートを開ける設定"
step tailscale "Tailscale" "Tailscale"
step disk "Room for the mail" "メールの保存場所"
step program "The program in /opt/mxgw/.venv" "プログラム（/opt/mxgw/.venv）"
step command "The command mxgw" "mxgw コマンド"
step settings "Settings and passwords (.env)" "設定とパスワード（.env）"
step backup_disk "Place of the backups" "バックアップの保存先"
step images "Images" "イメージ"
step certificate "Certificate" "証明書"
step directories "Directories" "ディレクトリ"
step containers "Containers" "コンテナ"
step domains "Domains" "ドメイン"
step users "The first mailbox" "最初のメールボックス"
step postmaster "Somebody reads postmaster" "postmaster あてのメールを読む人"
step timers "Timers" "タイマー"

if [ "$MODE" = check ]; then
    [ "$MISSING" = 0 ] || {
        tell "$MISSING steps are not in place: start install.sh without --check." "$MISSING 件が未完了です。--check なしで install.sh を実行してください。"
        exit 1
    }
    tell "All is in place." "すべて整っています。"
    exit 0
fi
if [ "$MADE" = 0 ]; then
    tell "All was in place; nothing was changed." "すべて整っていました。何も変えていません。"
else
    next_steps
fi
