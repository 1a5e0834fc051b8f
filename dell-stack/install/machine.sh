# shellcheck shell=bash
# The steps that concern the machine: system, disk, Docker, Tailscale.

DOCKER_REPOSITORY=https://download.docker.com/linux/rhel/docker-ce.repo
TAILSCALE_REPOSITORY=https://pkgs.tailscale.com/stable/rhel/9/tailscale.repo
DAEMON_JSON=/etc/docker/daemon.json
SYSCTL_FILE=/etc/sysctl.d/60-mxgw.conf
PYTHON=python3.11
# Images, signatures of ClamAV and the first mail.
LEAST_FREE_GB=20
# 9.4 GB is what all services together may take.
LEAST_MEMORY_GB=12
TAILSCALE_LOGIN_MINUTES=10

check_root() {
    [ "$(id -u)" = 0 ] || trouble "You are not root." "root ではありません。" \
        "sudo $ROOT/dell-stack/install.sh" "sudo $ROOT/dell-stack/install.sh"
}

check_system() {
    local id version
    id=$(sed -n 's/^ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)
    version=$(sed -n 's/^VERSION_ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)
    case $id:$version in
        rocky:9 | rocky:9.*) note "$version" "$version" ;;
        *)
            trouble "This is ${id:-an unknown system} $version." "この機械は ${id:-不明な OS} $version です。" \
                "Install Rocky Linux 9 (minimal is enough)." "Rocky Linux 9 をインストールしてください（最小構成で十分です）。"
            ;;
    esac
}

check_place() {
    [ "$ROOT" = /opt/mxgw ] || trouble "The program lies in $ROOT; the timers look for it in /opt/mxgw." \
        "プログラムが $ROOT にあります。タイマーは /opt/mxgw を使います。" \
        "mv $ROOT /opt/mxgw && /opt/mxgw/dell-stack/install.sh" "mv $ROOT /opt/mxgw && /opt/mxgw/dell-stack/install.sh"
}

check_memory() {
    local kilobytes
    kilobytes=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    note "$((kilobytes / 1048576)) GB" "$((kilobytes / 1048576)) GB"
    [ "$kilobytes" -ge $((LEAST_MEMORY_GB * 1000000)) ] || trouble "Memory: $((kilobytes / 1024)) MB, needed: $LEAST_MEMORY_GB GB." \
        "メモリーが $((kilobytes / 1024)) MB しかありません（必要：$LEAST_MEMORY_GB GB）。" \
        "Use a machine with more memory." "メモリーの多い機械を使ってください。"
}

# -- disk ---------------------------------------------------------------------------------------------------

data_directory() { local set; set=$(env_value MAILSERVER_DATA); echo "${set:-/data/docker/volumes/mailserver}"; }
disk_of_data() { local path; path=$(data_directory); while [ ! -d "$path" ]; do path=$(dirname "$path"); done; echo "$path"; }

room_for_data() { df -P -k "$(disk_of_data)" | awk 'NR == 2 {print int($4 / 1048576)}'; }

enough_room() {
    local free
    free=$(room_for_data)
    [ "$free" -ge "$LEAST_FREE_GB" ] || trouble "Only $free GB are free for $(data_directory); $LEAST_FREE_GB GB are needed." \
        "$(data_directory) の空きが $free GB しかありません（$LEAST_FREE_GB GB 必要）。" \
        "Mount the large disk at /data (lsblk shows the disks; /etc/fstab keeps the mount)." \
        "大きなディスクを /data にマウントしてください（lsblk で確認、/etc/fstab に記入）。"
}

check_disk() {
    enough_room || return 1
    [ -d "$(data_directory)" ] || trouble "$(data_directory) does not exist yet." "$(data_directory) がまだありません。" || return 1
    note "$(data_directory), $(room_for_data) GB free" "$(data_directory)、空き $(room_for_data) GB"
}

make_disk() {
    enough_room || return 1
    if [ "$(df -P "$(disk_of_data)" | awk 'NR == 2 {print $6}')" = / ]; then
        agreed SYSTEM_DISK "No disk is mounted at /data. Keep the mail on the system disk?" \
            "/data にディスクがマウントされていません。システムディスクにメールを保存しますか？" || {
            [ -n "$TROUBLE" ] || trouble "No disk is mounted at /data." "/data にディスクがマウントされていません。" \
                "Mount the large disk at /data, then start install.sh again." "大きなディスクを /data にマウントしてから、もう一度実行してください。"
            return 1
        }
    fi
    install -d -m 755 "$(data_directory)" ||
        trouble "$(data_directory) cannot be made." "$(data_directory) を作れません。" "Look at: mount | grep ' /data '" "確認：mount | grep ' /data '"
}

check_backup_disk() {
    local path
    path=$(env_value BACKUP_DIRECTORY)
    path=${path:-/mnt/backup/mailserver}
    note "$path" "$path"
    if [ "$(df -P "$(existing "$path")" 2>/dev/null | awk 'NR == 2 {print $6}')" = / ]; then
        WARNINGS+=("$(tell "No disk is mounted at /mnt/backup: a backup on the same disk does not survive it. Mount the external disk there." \
            "/mnt/backup にディスクがありません。同じディスク上のバックアップは故障時に一緒に失われます。外付けディスクをマウントしてください。")")
    fi
}
existing() { local path=$1; while [ ! -d "$path" ]; do path=$(dirname "$path"); done; echo "$path"; }

# -- packages -----------------------------------------------------------------------------------------------

WANTED_PROGRAMS=("$PYTHON" openssl tar curl)
WANTED_PACKAGES=(python3.11 openssl tar curl)

check_packages() {
    local program
    for program in "${WANTED_PROGRAMS[@]}"; do
        command -v "$program" >/dev/null || {
            trouble "$program is missing." "$program がありません。" "dnf install ${WANTED_PACKAGES[*]}" "dnf install ${WANTED_PACKAGES[*]}"
            return 1
        }
    done
}
make_packages() { installed "${WANTED_PACKAGES[@]}"; }

installed() {
    logged dnf install -y "$@" && return 0
    REMEDY=$(tell "Is the internet reachable? ping -c 1 1.1.1.1; then: dnf install $*" "インターネットに出られますか？ ping -c 1 1.1.1.1 のあと、dnf install $*")
    return 1
}

# -- Docker -------------------------------------------------------------------------------------------------

check_docker() {
    local version
    command -v docker >/dev/null || {
        trouble "Docker is not installed." "Docker が入っていません。" "Start install.sh without --check: it installs Docker." "--check なしで install.sh を実行するとインストールします。"
        return 1
    }
    version=$(docker compose version --short 2>/dev/null) || {
        trouble "The Compose plugin is missing." "Compose プラグインがありません。" "dnf install docker-compose-plugin" "dnf install docker-compose-plugin"
        return 1
    }
    docker info >/dev/null 2>&1 || {
        trouble "Docker does not answer." "Docker が応答しません。" "systemctl status docker; journalctl -u docker -n 20" "systemctl status docker と journalctl -u docker -n 20 を見てください"
        return 1
    }
    systemctl is-enabled --quiet docker || {
        trouble "Docker does not start with the machine." "Docker が起動時に自動で始まりません。" "systemctl enable docker" "systemctl enable docker"
        return 1
    }
    note "Compose $version" "Compose $version"
}

make_docker() {
    if ! command -v docker >/dev/null || ! docker compose version >/dev/null 2>&1; then
        installed dnf-plugins-core || return 1
        logged dnf config-manager --add-repo "$DOCKER_REPOSITORY" || return 1
        # runc and podman-docker of the system give way to Docker's own.
        logged dnf install -y --allowerasing docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin || {
            REMEDY=$(tell "Is the internet reachable? Then start install.sh again." "インターネットに出られるか確かめて、もう一度実行してください。")
            return 1
        }
    fi
    logged systemctl enable --now docker && return 0
    REMEDY=$(tell "journalctl -u docker -n 20 says why" "journalctl -u docker -n 20 で理由を確認してください")
    return 1
}

# Only what is missing is added: what the administrator has set stays.
read -r -d '' DAEMON_PROGRAM <<'PROGRAM'
import json, sys
from pathlib import Path
path, mode = Path(sys.argv[1]), sys.argv[2]
text = path.read_text() if path.exists() else ""
try:
    now = json.loads(text or "{}")
    if not isinstance(now, dict):
        raise ValueError("not an object")
except ValueError as error:
    print(error)
    sys.exit(3)
wanted = dict(now, **{"selinux-enabled": True})
if wanted.setdefault("log-driver", "json-file") == "json-file":
    options = wanted["log-opts"] = dict(now.get("log-opts") or {})
    options.setdefault("max-size", "20m")
    options.setdefault("max-file", "10")
if wanted == now:
    sys.exit(0)
if mode == "check":
    sys.exit(4)
path.parent.mkdir(exist_ok=True)
before = path.with_name("daemon.json.before-mxgw")
before.unlink(missing_ok=True)
if text:
    before.write_text(text)
fresh = path.with_name("daemon.json.new")
fresh.write_text(json.dumps(wanted, indent=2) + "\n")
fresh.replace(path)
PROGRAM

check_docker_settings() {
    local words code
    words=$("$PYTHON" -c "$DAEMON_PROGRAM" "$DAEMON_JSON" check 2>&1)
    code=$?
    [ $code != 0 ] || return 0
    if [ $code = 3 ]; then
        trouble "$DAEMON_JSON is not JSON: $words" "$DAEMON_JSON が JSON ではありません：$words" \
            "Correct it (nothing was changed): vi $DAEMON_JSON" "直してください（何も変えていません）：vi $DAEMON_JSON"
    else
        trouble "$DAEMON_JSON lacks selinux-enabled or the rotation of logs." "$DAEMON_JSON に selinux-enabled かログの上限がありません。"
    fi
}

make_docker_settings() {
    local words others
    words=$("$PYTHON" -c "$DAEMON_PROGRAM" "$DAEMON_JSON" check 2>&1)
    if [ $? = 3 ]; then check_docker_settings; return 1; fi
    others=$(docker ps --format '{{.Names}}' | grep -cv '^dell-stack' || true)
    if [ "$others" != 0 ]; then
        agreed RESTART_DOCKER "$others other containers run here. Docker must restart once with SELinux labels on; volumes of theirs without :z or :Z may become unreadable to them. Go on?" \
            "ほかに $others 個のコンテナが動いています。SELinux ラベルを有効にして Docker を再起動します。:z や :Z のないボリュームは読めなくなる可能性があります。続けますか？" || {
            [ -n "$TROUBLE" ] || trouble "Docker was left as it is." "Docker の設定は変えていません。" \
                "Choose a quiet hour, look at the volumes of the other containers, then start install.sh again." \
                "ほかのコンテナのボリューム設定を確かめ、止めてもよい時間にもう一度実行してください。"
            return 1
        }
    fi
    words=$("$PYTHON" -c "$DAEMON_PROGRAM" "$DAEMON_JSON" write 2>&1) || {
        trouble "$words" "$words" "ls -l $DAEMON_JSON" "ls -l $DAEMON_JSON"
        return 1
    }
    logged systemctl restart docker && return 0
    # Else the next run would find the file in place, and Docker without it.
    mv "$DAEMON_JSON" "$DAEMON_JSON.refused"
    [ ! -f "$DAEMON_JSON.before-mxgw" ] || cp "$DAEMON_JSON.before-mxgw" "$DAEMON_JSON"
    REMEDY=$(tell "journalctl -u docker -n 20 says why; what was tried is in $DAEMON_JSON.refused" "journalctl -u docker -n 20 で理由を確認してください。試した内容は $DAEMON_JSON.refused にあります")
    return 1
}

# -- kernel -------------------------------------------------------------------------------------------------

check_kernel() {
    if [ "$(sysctl -n net.ipv4.ip_nonlocal_bind 2>/dev/null)" = 1 ] && grep -qs '^net.ipv4.ip_nonlocal_bind *= *1' "$SYSCTL_FILE"; then return 0; fi
    trouble "After a reboot Docker may start before Tailscale has its address." "再起動後、Tailscale より先に Docker が始まるとポートを開けません。" \
        "echo 'net.ipv4.ip_nonlocal_bind = 1' > $SYSCTL_FILE && sysctl -p $SYSCTL_FILE" "echo 'net.ipv4.ip_nonlocal_bind = 1' > $SYSCTL_FILE && sysctl -p $SYSCTL_FILE"
}
make_kernel() {
    printf '%s\n' "# Docker may bind the tailnet's address before Tailscale has it (mxgw)." "net.ipv4.ip_nonlocal_bind = 1" >"$SYSCTL_FILE" &&
        logged sysctl -p "$SYSCTL_FILE"
}

# -- Tailscale ----------------------------------------------------------------------------------------------

# What Tailscale says of this machine, by name; one look serves a whole step.
declare -A TAILNET
read -r -d '' TAILNET_PROGRAM <<'PROGRAM'
import json, sys
try:
    s = json.load(sys.stdin)
except ValueError:
    s = {}
own = s.get("Self") or {}
print("state=" + (s.get("BackendState") or ""))
print("name=" + (own.get("DNSName") or "").rstrip("."))
print("address=" + next((one for one in own.get("TailscaleIPs") or [] if "." in one), ""))
print("magic=" + str((s.get("CurrentTailnet") or {}).get("MagicDNSEnabled") or ""))
print("https=" + " ".join(s.get("CertDomains") or []))
print("expiry=" + (own.get("KeyExpiry") or ""))
PROGRAM

look_at_tailnet() {
    local name value
    TAILNET=([state]='' [name]='' [address]='' [magic]='' [https]='' [expiry]='')
    while IFS='=' read -r name value; do TAILNET[$name]=$value; done < <(tailscale status --json 2>/dev/null | "$PYTHON" -c "$TAILNET_PROGRAM" 2>/dev/null)
}

check_tailscale() {
    command -v tailscale >/dev/null || {
        trouble "Tailscale is not installed." "Tailscale が入っていません。" "Start install.sh without --check: it installs Tailscale." "--check なしで install.sh を実行するとインストールします。"
        return 1
    }
    look_at_tailnet
    [ "${TAILNET[state]}" = Running ] || trouble "Tailscale is not connected (${TAILNET[state]:-no answer})." "Tailscale が接続されていません（${TAILNET[state]:-応答なし}）。" \
        "tailscale up" "tailscale up" || return 1
    [ -n "${TAILNET[address]}" ] ||
        trouble "This machine has no IPv4 address in the tailnet." "tailnet の IPv4 アドレスがありません。" "tailscale status" "tailscale status" || return 1
    [ "${TAILNET[magic]}" = True ] ||
        trouble "MagicDNS is off: this machine has no name in the tailnet." "MagicDNS が無効で、この機械に名前がありません。" \
            "In Tailscale's admin console: DNS > Enable MagicDNS." "Tailscale の管理画面で DNS > Enable MagicDNS を押してください。" || return 1
    [ -n "${TAILNET[https]}" ] ||
        trouble "HTTPS certificates are off in the tailnet." "tailnet で HTTPS 証明書が無効です。" \
            "In Tailscale's admin console: DNS > HTTPS Certificates > Enable." "Tailscale の管理画面で DNS > HTTPS Certificates > Enable を押してください。" || return 1
    if [ -n "${TAILNET[expiry]}" ]; then
        WARNINGS+=("$(tell "The key of this machine expires: mail would stop then. In Tailscale's admin console: Machines > this machine > ... > Disable key expiry." \
            "この機械のキーには期限があり、切れるとメールが止まります。Tailscale の管理画面で Machines > この機械 > … > Disable key expiry を選んでください。")")
    fi
    note "${TAILNET[name]}" "${TAILNET[name]}"
}

make_tailscale() {
    if ! command -v tailscale >/dev/null; then
        installed dnf-plugins-core || return 1
        logged dnf config-manager --add-repo "$TAILSCALE_REPOSITORY" || return 1
        installed tailscale || return 1
    fi
    logged systemctl enable --now tailscaled || {
        REMEDY=$(tell "journalctl -u tailscaled -n 20 says why" "journalctl -u tailscaled -n 20 で理由を確認してください")
        return 1
    }
    look_at_tailnet
    [ "${TAILNET[state]}" != Running ] || return 0
    log_in_to_tailnet
}

log_in_to_tailnet() {
    local key file code
    ask TAILSCALE_HOSTNAME a_label mailserver "Name of this machine in the tailnet" "tailnet でのこの機械の名前" || return 1
    key=$(answer TAILSCALE_AUTH_KEY)
    if [ -n "$key" ]; then
        # By a file: a command line is seen by every user of the machine.
        file=$(mktemp)
        printf '%s\n' "$key" >"$file"
        logged tailscale up "--hostname=$REPLY" "--auth-key=file:$file"
        code=$?
        rm -f "$file"
    elif [ -t 0 ] && [ -z "$ANSWERS" ]; then
        tell "Open the address below in a browser and log in; this waits $TAILSCALE_LOGIN_MINUTES minutes." "下のアドレスをブラウザーで開いてログインしてください（$TAILSCALE_LOGIN_MINUTES 分待ちます）。"
        tailscale up "--hostname=$REPLY" "--timeout=${TAILSCALE_LOGIN_MINUTES}m"
        code=$?
    else
        trouble "Tailscale waits for a login." "Tailscale のログイン待ちです。" "tailscale up, at a terminal; or TAILSCALE_AUTH_KEY=... in the answers" "端末で tailscale up を実行するか、回答ファイルに TAILSCALE_AUTH_KEY=... を書いてください"
        return 1
    fi
    [ $code = 0 ] && return 0
    TROUBLE=${TROUBLE:-$(tell "The login to Tailscale did not succeed." "Tailscale にログインできませんでした。")}
    REMEDY=$(tell "tailscale up, then start install.sh again" "tailscale up のあと、もう一度 install.sh を実行してください")
    return 1
}

a_label() {
    case $1 in
        '' | -* | *- | *[!a-z0-9-]*) trouble "Small letters, digits and - only." "使えるのは半角の英小文字・数字・- だけです。" ;;
    esac
}
