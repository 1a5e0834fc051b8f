#!/bin/bash
# Before the first `docker compose up -d`, and after each change of .env: checks .env and the certificate, and
# makes the directories with the owners that the programs have. May be run again at any time; changes no mail.
# 初回の docker compose up -d の前と、.env を変えたあとに実行します。.env と証明書を確かめ、ディレクトリを作ります。
# 何度実行してもかまいません。メールには触れません。
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

env_file=${ENV_FILE:-.env}
problems=0
problem() {
    echo "- $1" >&2
    echo "  $2" >&2
    problems=$((problems + 1))
}

[ -f "$env_file" ] || {
    echo "$env_file is missing: cp .env.example .env, then fill it in" >&2
    echo "$env_file がありません。cp .env.example .env のあと記入してください" >&2
    exit 1
}
mode=$(stat -c %a "$env_file")
[ "$mode" = 600 ] ||
    problem "$env_file has mode $mode; others could read the passwords: chmod 600 $env_file" \
        "$env_file の権限が $mode です。パスワードが他人に読めます：chmod 600 $env_file"

# Read as Compose reads it, never executed.
value() { sed -n "s/^$1=//p" "$env_file" | tail -n 1; }

# What stands without a comment sign in the example must be filled in.
for name in $(sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' .env.example); do
    [ -n "$(value "$name")" ] ||
        problem "$name is empty in $env_file" "$env_file の $name が空です"
done

for name in MARIADB_ROOT_PASSWORD DOVECOT_DB_PASSWORD POSTFIX_DB_PASSWORD ROUNDCUBE_DB_PASSWORD ADMIN_DB_PASSWORD \
    DOVEADM_KEY RSPAMD_PASSWORD ROUNDCUBE_DES_KEY MXGW_SEAL_KEY; do
    secret=$(value "$name")
    [ -z "$secret" ] && continue
    case $secret in *[!A-Za-z0-9._-]*)
        problem "$name has other characters than A-Z a-z 0-9 . _ -" "$name に使えない文字があります（英数字と . _ - のみ）" ;;
    esac
    least=24
    # Roundcube encrypts with AES-256, and takes no shorter key.
    [ "$name" = ROUNDCUBE_DES_KEY ] && least=32
    [ "${#secret}" -ge "$least" ] ||
        problem "$name is short: openssl rand -hex 24" "$name が短すぎます：openssl rand -hex 24"
done
twice=$(sed -n 's/^[A-Z_]*\(PASSWORD\|KEY\)=\(..*\)/\2/p' "$env_file" | sort | uniq -d)
[ -z "$twice" ] ||
    problem "a password or key stands twice in $env_file: make one for each" \
        "$env_file に同じパスワードや鍵が二度使われています。それぞれ別の値にしてください"

data=$(value MAILSERVER_DATA)
data=${data:-/data/docker/volumes/mailserver}
# NAME OWNER MODE: the owner is the number that the program has in its image.
while read -r name owner mode; do
    install -d -m "$mode" "$data/$name"
    chown "$owner" "$data/$name"
done <<'DIRECTORIES'
. 0:0 755
tls 0:0 755
mail 1000:1000 700
mariadb 999:999 700
rspamd 11333:11333 700
clamav 100:101 700
redis 999:1000 700
postfix 0:0 755
DIRECTORIES

for file in cert.pem key.pem; do
    [ -s "$data/tls/$file" ] ||
        problem "no certificate: tailscale cert --cert-file $data/tls/cert.pem --key-file $data/tls/key.pem $(value MAIL_HOSTNAME)" \
            "証明書 $data/tls/$file がありません。上のコマンドで作ってください"
done
if [ -s "$data/tls/key.pem" ]; then
    chmod 600 "$data/tls/key.pem"
fi

if [ "$problems" != 0 ]; then
    echo "$problems to mend; nothing was started / $problems 件を直してください" >&2
    exit 1
fi
echo "Ready: docker compose up -d / 準備完了です：docker compose up -d"
