# shellcheck shell=bash
# The steps that concern the mail server itself: program, .env, images, certificate, containers, timers.

PROGRAM=/usr/local/bin/mxgw
UNITS=/etc/systemd/system
STATE=/var/lib/mxgw
# The certificate of a host lasts 90 days; the timer renews it long before this.
LEAST_CERTIFICATE_DAYS=7
# ClamAV's first fetch of signatures is the longest: minutes on a slow line.
HEALTH_SECONDS=${HEALTH_SECONDS:-1200}
LOOK_SECONDS=${LOOK_SECONDS:-3}

compose() { docker compose --project-directory "$STACK" "$@"; }

# -- the program on the host ----------------------------------------------------------------------------------

# What the program and the image are made of, as one number: the same sources, nothing to do.
sources() {
    (cd "$ROOT" && find "$@" -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
}
PROGRAM_SOURCES=''
look_at_sources() { PROGRAM_SOURCES=$(sources mxgw docker pyproject.toml README.md requirements-runtime.lock); }

check_program() {
    look_at_sources
    if [ ! -x "$ROOT/.venv/bin/mxgw" ] || ! "$ROOT/.venv/bin/python" -c 'import mxgw, pymysql, boto3' 2>/dev/null; then
        trouble "The program is not installed in $ROOT/.venv." "$ROOT/.venv にプログラムが入っていません。" || return 1
    fi
    [ "$(cat "$ROOT/.venv/.sources" 2>/dev/null)" = "$PROGRAM_SOURCES" ] ||
        trouble "The program in $ROOT/.venv is older than $ROOT." "$ROOT/.venv のプログラムが古くなっています。"
}

make_program() {
    local pip=("$ROOT/.venv/bin/python" -m pip --quiet --disable-pip-version-check install) failed=0
    if ! "$ROOT/.venv/bin/python" -c '' 2>/dev/null; then
        logged "$PYTHON" -m venv --clear "$ROOT/.venv" || return 1
    fi
    # What builds comes first, out of a lock of its own; nothing is fetched that has no hash.
    logged "${pip[@]}" --require-hashes --requirement "$ROOT/docker/requirements-build.lock" || failed=1
    [ $failed = 0 ] && { logged "${pip[@]}" --require-hashes --no-build-isolation --requirement "$ROOT/requirements-runtime.lock" || failed=1; }
    [ $failed = 0 ] && { logged "${pip[@]}" --no-deps --no-build-isolation --no-index --force-reinstall "$ROOT" || failed=1; }
    if [ $failed = 1 ]; then
        REMEDY=$(tell "Is the internet reachable? Where .venv is damaged: rm -r $ROOT/.venv; then start install.sh again." \
            "インターネットに出られるか確かめてください。.venv が壊れているときは rm -r $ROOT/.venv のあと、もう一度実行してください。")
        return 1
    fi
    echo "$PROGRAM_SOURCES" >"$ROOT/.venv/.sources"
}

wrapper() {
    cat <<'WRAPPER'
#!/bin/bash
# mxgw on the mail server at home: what is kept in the database is managed in a container beside it, everything
# else is done here. Written by install.sh.
set -u
root=/opt/mxgw
if [ "${1:-}" = admin ]; then
    position=2 part=''
    while [ "$position" -le $# ] && [ -z "$part" ]; do
        case ${!position} in
            --lang) position=$((position + 2)) ;;
            -*) position=$((position + 1)) ;;
            *) part=${!position} ;;
        esac
    done
    case $part in user | device | alias | domain)
        no_terminal=()
        [ -t 0 ] && [ -t 1 ] || no_terminal=(-T)
        # Compose has this word since 2.19; before, it says which containers run already.
        quiet=(--progress quiet)
        docker compose "${quiet[@]}" version >/dev/null 2>&1 || quiet=()
        exec docker compose --project-directory "$root/dell-stack" "${quiet[@]}" run --rm "${no_terminal[@]}" \
            --env "LANG=${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" admin "${@:2}"
        ;;
    esac
fi
exec "$root/.venv/bin/mxgw" "$@"
WRAPPER
}

check_command() {
    cmp -s <(wrapper) "$PROGRAM" && [ -x "$PROGRAM" ] && [ -d $STATE ] ||
        trouble "$PROGRAM is not in place." "$PROGRAM がまだありません。"
}
make_command() {
    install -d -m 700 $STATE && wrapper >"$PROGRAM.new" && chmod 755 "$PROGRAM.new" && mv "$PROGRAM.new" "$PROGRAM"
}

# -- .env -----------------------------------------------------------------------------------------------------

SECRETS=(MXGW_SEAL_KEY MARIADB_ROOT_PASSWORD DOVECOT_DB_PASSWORD POSTFIX_DB_PASSWORD ROUNDCUBE_DB_PASSWORD
    ADMIN_DB_PASSWORD DOVEADM_KEY RSPAMD_PASSWORD ROUNDCUBE_DES_KEY)

# Read as Compose reads it, never executed.
env_value() { [ ! -f "$ENV_FILE" ] || sed -n "s/^$1=//p" "$ENV_FILE" | tail -n 1; }

# In place of the line that is there, be it empty or commented out; else at the end.
set_env() {
    local fresh
    fresh=$(mktemp "$ENV_FILE.XXXXXX") || return 1
    NAME=$1 VALUE=$2 awk '
        BEGIN { name = ENVIRON["NAME"]; line = name "=" ENVIRON["VALUE"] }
        index($0, name "=") == 1 { if (!done) print line; done = 1; next }
        index($0, "#" name "=") == 1 && !done { print line; done = 1; next }
        { print }
        END { if (!done) print line }
    ' "$ENV_FILE" >"$fresh" && chmod 600 "$fresh" && mv "$fresh" "$ENV_FILE"
}

required_names() { sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$STACK/.env.example"; }

check_settings() {
    local name
    [ -f "$ENV_FILE" ] || trouble "$ENV_FILE does not exist yet." "$ENV_FILE がまだありません。" || return 1
    [ "$(stat -c %a "$ENV_FILE")" = 600 ] || trouble "Others may read $ENV_FILE." "$ENV_FILE が他人にも読めます。" "chmod 600 $ENV_FILE" "chmod 600 $ENV_FILE" || return 1
    for name in $(required_names); do
        [ -n "$(env_value "$name")" ] || trouble "$name is empty in $ENV_FILE." "$ENV_FILE の $name が空です。" || return 1
    done
    for name in "TAILSCALE_IP:${TAILNET[address]:-}" "MAIL_HOSTNAME:${TAILNET[name]:-}"; do
        [ "$(env_value "${name%%:*}")" = "${name#*:}" ] ||
            trouble "${name%%:*} in $ENV_FILE is $(env_value "${name%%:*}"), but Tailscale says ${name#*:}." \
                "$ENV_FILE の ${name%%:*} は $(env_value "${name%%:*}") ですが、Tailscale では ${name#*:} です。" \
                "Start install.sh without --check: it asks, then corrects it." "--check なしで install.sh を実行すると、確認のうえ直します。" || return 1
    done
}

# A machine that takes the place of a lost one finds its settings on the backup disk; what it lacks is asked.
settings_from_backup() {
    local backups=/mnt/backup/mailserver
    compgen -G "$backups/20*/configuration.tar" >/dev/null || return 0
    if agreed RESTORE_SETTINGS "There are backups in $backups. Take settings and passwords from the newest?" \
        "$backups にバックアップがあります。最新のものから設定とパスワードを戻しますか？"; then
        logged "$PROGRAM" admin restore --configuration only --yes
    else
        [ -z "$TROUBLE" ]
    fi
}

make_settings() {
    local name first
    [ -f "$ENV_FILE" ] || settings_from_backup || return 1
    if [ ! -f "$ENV_FILE" ]; then install -m 600 "$STACK/.env.example" "$ENV_FILE" || return 1; fi
    chmod 600 "$ENV_FILE"
    tailnet_into_env TAILSCALE_IP "${TAILNET[address]}" && tailnet_into_env MAIL_HOSTNAME "${TAILNET[name]}" || return 1
    wanted MAIL_DOMAINS some_domains "" "Domains that have mailboxes here, with commas" "メールボックスを置くドメイン（カンマ区切り）" || return 1
    first=$(env_value MAIL_DOMAINS)
    first=${first%%,*}
    wanted EDGE_HOSTNAME a_host "mx.$first" "Name that the MX record will point to (the edge on AWS)" "MX レコードが指す名前（AWS 側のゲートウェイ）" || return 1
    wanted POSTMASTER_ADDRESS an_address "postmaster@$first" "Mailbox that hears of trouble in sending" "送信の不具合を知らせるメールボックス" || return 1
    wanted SENDGRID_API_KEY a_sendgrid_key "" "API key of SendGrid, with the permission Mail Send (not shown)" "SendGrid の API キー（権限は Mail Send。画面には出ません）" secret || return 1
    if grep -q '^#\{0,1\}ALERT_MAIL_TO=' "$ENV_FILE"; then
        wanted ALERT_MAIL_TO an_outside_address - "Address that alerts go to, at another provider (- for none)" "警報の送り先。ほかの会社のアドレス（なければ -）" || return 1
    fi
    if [ -z "$(env_value MXGW_SEAL_KEY)" ] && [ -n "$(answer MXGW_SEAL_KEY)" ]; then
        set_env MXGW_SEAL_KEY "$(answer MXGW_SEAL_KEY)" || return 1
    fi
    for name in "${SECRETS[@]}"; do
        [ -n "$(env_value "$name")" ] || set_env "$name" "$(openssl rand -hex 24)" || return 1
    done
    # What a newer version needs, and nobody can guess.
    for name in $(required_names); do
        [ -n "$(env_value "$name")" ] || wanted "$name" not_empty "" "$name ($ENV_FILE.example explains it)" "$name（説明は $ENV_FILE.example）" || return 1
    done
}

# A name in use is in phones and in the certificate: it changes only after a yes.
tailnet_into_env() {
    local now
    now=$(env_value "$1")
    [ "$now" != "$2" ] || return 0
    if [ -n "$now" ]; then
        agreed "CHANGE_$1" "$1 is $now in .env, but Tailscale says $2. Take the new value? (phones must then be set to it)" \
            ".env の $1 は $now、Tailscale では $2 です。新しい値にしますか？（端末の設定変更も必要です）" || {
            [ -n "$TROUBLE" ] || trouble "$1 was left at $now." "$1 は $now のままです。" \
                "Give the machine its old name again in Tailscale's admin console, or answer y." "Tailscale の管理画面で元の名前に戻すか、y と答えてください。"
            return 1
        }
    fi
    set_env "$1" "$2"
}

# wanted NAME CHECK DEFAULT ENGLISH JAPANESE [secret]: asked for where .env has no value yet.
wanted() {
    [ -z "$(env_value "$1")" ] || return 0
    ask "$@" || return 1
    [ "$REPLY" = - ] || set_env "$1" "$REPLY"
}

not_empty() { [ -n "$1" ] || trouble "It is needed." "必要な項目です。"; }
a_host() {
    [[ $1 =~ ^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$ ]] ||
        trouble "Not a name like mx.example.jp (small letters)." "mx.example.jp のような名前（半角の小文字）で入力してください。"
}
some_domains() {
    local domain
    not_empty "$1" || return 1
    case ,$1, in *,,* | *' '*) trouble "Domains with a comma between, no blanks: example.jp,example.com" "カンマ区切り、空白なしで：example.jp,example.com" || return 1 ;; esac
    for domain in ${1//,/ }; do
        a_host "$domain" || trouble "$domain is not a domain (like example.jp, small letters)." "$domain はドメインではありません（例 example.jp、半角の小文字）。" || return 1
    done
}
an_address() {
    { [[ $1 =~ ^[A-Za-z0-9._+-]+@(.+)$ ]] && a_host "${BASH_REMATCH[1]}"; } ||
        trouble "Not an address like taro@example.jp." "taro@example.jp のようなアドレスで入力してください。"
}
an_outside_address() {
    local domain
    [ "$1" != - ] || return 0
    an_address "$1" || return 1
    for domain in ${MAIL_DOMAINS_HERE:-$(env_value MAIL_DOMAINS | tr , ' ')}; do
        [ "${1#*@}" != "$domain" ] || trouble "That mailbox is on this server: in an outage its own alert could not reach it." \
            "このサーバー上のアドレスです。障害のときに警報が届きません。" || return 1
    done
}
a_sendgrid_key() {
    [[ $1 =~ ^SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}$ ]] ||
        trouble "A key of SendGrid looks like SG.xxxx.yyyy (Settings > API Keys)." "SendGrid のキーは SG.xxxx.yyyy の形です（Settings > API Keys）。"
}

# -- images ---------------------------------------------------------------------------------------------------

image_of() { sed -n "s/^ *image: *\($1:[^ ]*\)$/\1/p" "$STACK/compose.yaml" | head -n 1; }
label_of() { docker image inspect --format '{{index .Config.Labels "mxgw.sources"}}' "$1" 2>/dev/null; }

check_images() {
    local images missing
    [ "$(label_of "$(image_of mxgw)")" = "$PROGRAM_SOURCES" ] ||
        trouble "The image $(image_of mxgw) is not built, or is older than $ROOT." "イメージ $(image_of mxgw) がないか、古くなっています。" || return 1
    [ "$(label_of "$(image_of mxgw-postfix)")" = "$(sources dell-stack/postfix)" ] ||
        trouble "The image $(image_of mxgw-postfix) is not built, or is older than $STACK/postfix." "イメージ $(image_of mxgw-postfix) がないか、古くなっています。" || return 1
    mapfile -t images < <(compose config --images 2>/dev/null | sort -u)
    missing=$(docker image inspect --format '{{.Id}}' "${images[@]}" 2>&1 >/dev/null) ||
        trouble "Images are missing: $missing" "イメージがまだありません：$missing"
}

make_images() {
    tell "  Building and fetching images; this takes some minutes." "  イメージの作成と取得に数分かかります。"
    if [ "$(label_of "$(image_of mxgw)")" != "$PROGRAM_SOURCES" ]; then
        logged docker build --label "mxgw.sources=$PROGRAM_SOURCES" --tag "$(image_of mxgw)" --file "$ROOT/docker/Dockerfile" "$ROOT" || return_with_network_remedy || return 1
    fi
    if [ "$(label_of "$(image_of mxgw-postfix)")" != "$(sources dell-stack/postfix)" ]; then
        logged docker build --label "mxgw.sources=$(sources dell-stack/postfix)" --tag "$(image_of mxgw-postfix)" "$STACK/postfix" || return_with_network_remedy || return 1
    fi
    logged compose pull --ignore-buildable --policy missing || return_with_network_remedy
}
return_with_network_remedy() {
    REMEDY=$(tell "Is the internet reachable, and is the disk not full (df -h)? Then start install.sh again." \
        "インターネットに出られるか、ディスクに空きがあるか（df -h）を確かめ、もう一度実行してください。")
    return 1
}

# -- certificate, directories ---------------------------------------------------------------------------------

check_certificate() {
    local file seconds=$((LEAST_CERTIFICATE_DAYS * 86400))
    file=$(data_directory)/tls/cert.pem
    [ -s "$file" ] && [ -s "$(data_directory)/tls/key.pem" ] || trouble "There is no certificate yet." "証明書がまだありません。" || return 1
    openssl x509 -in "$file" -noout -checkhost "$(env_value MAIL_HOSTNAME)" 2>/dev/null | grep -q 'does match' ||
        trouble "The certificate is not for $(env_value MAIL_HOSTNAME)." "証明書の名前が $(env_value MAIL_HOSTNAME) ではありません。" || return 1
    openssl x509 -in "$file" -noout -checkend "$seconds" >/dev/null ||
        trouble "The certificate ends within $LEAST_CERTIFICATE_DAYS days." "証明書の期限まで $LEAST_CERTIFICATE_DAYS 日を切っています。" || return 1
    note "$(openssl x509 -in "$file" -noout -enddate | sed 's/notAfter=/until /')" "$(openssl x509 -in "$file" -noout -enddate | sed 's/notAfter=//') まで"
}

make_certificate() {
    local place
    place=$(data_directory)/tls
    install -d -m 755 "$place" || return 1
    logged tailscale cert --cert-file "$place/cert.pem" --key-file "$place/key.pem" "$(env_value MAIL_HOSTNAME)" && chmod 600 "$place/key.pem" && return 0
    REMEDY=$(tell "In Tailscale's admin console: DNS > HTTPS Certificates must be on. Let's Encrypt gives five a week for a name: after several tries, wait." \
        "Tailscale の管理画面で DNS > HTTPS Certificates を有効にしてください。発行は同じ名前で週 5 回までなので、何度か失敗したあとは待ってください。")
    return 1
}

# The directories that prepare.sh makes, as it lists them.
directories() { sed -n "/^done <<'DIRECTORIES'/,/^DIRECTORIES/p" "$STACK/prepare.sh" | sed '1d;$d'; }

check_directories() {
    local name owner mode
    while read -r name owner mode; do
        [ "$(stat -c '%u:%g %a' "$(data_directory)/$name" 2>/dev/null)" = "$owner $mode" ] ||
            trouble "$(data_directory)/$name is not there, or not $owner with mode $mode." "$(data_directory)/$name がないか、所有者・権限が $owner $mode ではありません。" \
                "Start install.sh without --check, or ./prepare.sh" "--check なしで install.sh を実行するか、./prepare.sh を実行してください" || return 1
    done < <(directories)
    # It knows what is wrong with .env, too.
    [ "$MODE" = check ] || make_directories
}
make_directories() {
    logged "$STACK/prepare.sh" && return 0
    REMEDY=$(tell "Correct what it says, in $ENV_FILE; then start install.sh again." "表示された点を $ENV_FILE で直し、もう一度実行してください。")
    return 1
}

# -- containers -----------------------------------------------------------------------------------------------

# SERVICE STATE HEALTH EXIT-CODE, a line each. Compose prints a list, or a line for each container.
states() {
    compose ps --all --format json 2>/dev/null | "$PYTHON" -c '
import json, sys
text = sys.stdin.read()
found = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines() if line.strip()]
for one in found:
    print(one["Service"], one.get("State") or "-", one.get("Health") or "-", one.get("ExitCode", 0))'
}
# The services that `up` starts, one a line.
services() { compose config --services 2>/dev/null; }
# What is not as it should be, as SERVICE=STATE words.
not_ready() {
    local said service
    said=$(states)
    for service in $(services); do
        awk -v service="$service" '
            $1 == service { found = 1; if (!(($2 == "running" && ($3 == "healthy" || $3 == "-")) || ($2 == "exited" && $4 == 0 && service == "accounts"))) print service "=" ($3 == "-" || $2 != "running" ? $2 : $3) }
            END { if (!found) print service "=missing" }' <<<"$said"
    done
}

check_containers() {
    local left count
    count=$(services | wc -l)
    [ "$count" != 0 ] || trouble "Compose cannot read compose.yaml and .env." "compose.yaml か .env を読めません。" \
        "docker compose --project-directory $STACK config --quiet" "docker compose --project-directory $STACK config --quiet" || return 1
    left=$(not_ready | tr '\n' ' ')
    [ -z "$left" ] || trouble "Not ready: $left" "準備できていないもの：$left" \
        "docker compose --project-directory $STACK logs --tail 20 ${left%%=*}" "docker compose --project-directory $STACK logs --tail 20 ${left%%=*}" || return 1
    note "$count services" "$count サービス"
}

make_containers() {
    local end left before='' total service
    logged compose up --detach --remove-orphans || {
        service=$(not_ready | head -n 1)
        REMEDY=$(tell "docker compose --project-directory $STACK logs --tail 20 ${service%%=*}" "docker compose --project-directory $STACK logs --tail 20 ${service%%=*}")
        return 1
    }
    total=$(services | wc -l)
    end=$((SECONDS + HEALTH_SECONDS))
    while left=$(not_ready) && [ -n "$left" ]; do
        # Out of order is what restarts again and again; whoever starts is waited for.
        if [ "$SECONDS" -ge "$end" ]; then
            service=$(head -n 1 <<<"$left")
            service=${service%%=*}
            trouble "After $HEALTH_SECONDS s not ready: $(tr '\n' ' ' <<<"$left")" "$HEALTH_SECONDS 秒待っても準備できないもの：$(tr '\n' ' ' <<<"$left")" \
                "docker compose --project-directory $STACK logs --tail 20 $service"$'\n'"Then start install.sh again: it goes on waiting." \
                "docker compose --project-directory $STACK logs --tail 20 $service"$'\n'"そのあともう一度実行すると、続きから待ちます。"
            TROUBLE+=$'\n'"$(compose logs --no-log-prefix --tail 5 "$service" 2>/dev/null | sed 's/^/    | /')"
            return 1
        fi
        if [ "$left" != "$before" ]; then
            tell "  $((total - $(wc -l <<<"$left")))/$total ready; waiting for $(tr '\n' ' ' <<<"$left")" \
                "  $((total - $(wc -l <<<"$left")))/$total 準備完了。待っています：$(tr '\n' ' ' <<<"$left")"
            before=$left
        fi
        sleep "$LOOK_SECONDS"
    done
}

# -- timers ---------------------------------------------------------------------------------------------------

units() { find "$STACK/systemd" -maxdepth 1 \( -name '*.service' -o -name '*.timer' \) -printf '%f\n' 2>/dev/null | sort; }

check_timers() {
    local unit count=0
    for unit in $(units); do
        cmp -s "$STACK/systemd/$unit" "$UNITS/$unit" || trouble "$UNITS/$unit is not in place." "$UNITS/$unit がまだありません。" || return 1
        case $unit in *.timer)
            count=$((count + 1))
            systemctl is-enabled --quiet "$unit" && systemctl is-active --quiet "$unit" ||
                trouble "$unit is not switched on." "$unit が有効になっていません。" "systemctl enable --now $unit" "systemctl enable --now $unit" || return 1
            ;;
        esac
    done
    note "$count timers" "$count 個"
}
make_timers() {
    local unit
    for unit in $(units); do install -m 644 "$STACK/systemd/$unit" "$UNITS/$unit" || return 1; done
    logged systemctl daemon-reload || return 1
    for unit in $(units | grep '\.timer$'); do
        logged systemctl enable --now "$unit" || {
            REMEDY=$(tell "systemctl status $unit says why" "systemctl status $unit で理由を確認してください")
            return 1
        }
    done
}
