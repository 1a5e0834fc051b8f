# shellcheck shell=bash
# The last steps: the first domain and the first mailbox; and what comes after.

# How many entries a list of `mxgw admin` has, and whether one of them is NAME's VALUE.
listed() { "$PROGRAM" admin "$1" list --json 2>/dev/null </dev/null; }
has() { "$PYTHON" -c 'import json, sys; sys.exit(not any(one.get(sys.argv[1]) == sys.argv[2] for one in json.load(sys.stdin)))' "$1" "$2" 2>/dev/null; }

check_domains() {
    local domain list
    list=$(listed domain) || trouble "The list of domains cannot be read." "ドメインの一覧を読めません。" "mxgw admin domain list" "mxgw admin domain list" || return 1
    for domain in $(env_value MAIL_DOMAINS | tr , ' '); do
        has domain "$domain" <<<"$list" || trouble "$domain is not there yet." "$domain がまだありません。" "mxgw admin domain add $domain" "mxgw admin domain add $domain" || return 1
    done
    note "$(env_value MAIL_DOMAINS)" "$(env_value MAIL_DOMAINS)"
}
make_domains() {
    local domain list
    list=$(listed domain) || list='[]'
    for domain in $(env_value MAIL_DOMAINS | tr , ' '); do
        has domain "$domain" <<<"$list" && continue
        "$PROGRAM" admin domain add "$domain" || trouble "$domain could not be added." "$domain を追加できませんでした。" "mxgw admin domain add $domain" "mxgw admin domain add $domain" || return 1
    done
}

check_users() {
    local list
    list=$(listed user) || trouble "The list of mailboxes cannot be read." "メールボックスの一覧を読めません。" "mxgw admin user list" "mxgw admin user list" || return 1
    grep -q '"address"' <<<"$list" || trouble "There is no mailbox yet." "メールボックスがまだありません。" "mxgw admin user add" "mxgw admin user add"
}
an_address_here() {
    an_address "$1" || return 1
    case ,$(env_value MAIL_DOMAINS), in
        *",${1#*@},"*) return 0 ;;
        *) trouble "${1#*@} is not a domain of this server." "${1#*@} はこのサーバーのドメインではありません。" ;;
    esac
}
make_users() {
    local password code
    ask FIRST_USER an_address_here "" "Address of the first mailbox" "最初のメールアドレス" || return 1
    password=$(answer FIRST_PASSWORD)
    if [ -n "$password" ]; then
        printf '%s\n' "$password" | "$PROGRAM" admin user add "$REPLY" --password-file -
        code=$?
    else
        "$PROGRAM" admin user add "$REPLY"
        code=$?
    fi
    [ $code = 0 ] || trouble "The mailbox could not be made." "メールボックスを作れませんでした。" "mxgw admin user add $REPLY" "mxgw admin user add $REPLY"
}

# Every mail domain must have a postmaster (RFC 5321 section 4.5.1); and trouble in sending is told to one.
postmasters() {
    { env_value MAIL_DOMAINS | tr , '\n' | sed 's/^/postmaster@/'; env_value POSTMASTER_ADDRESS; } | sort -u
}
check_postmaster() {
    local address users aliases
    users=$(listed user) && aliases=$(listed alias) || trouble "The list of mailboxes cannot be read." "メールボックスの一覧を読めません。" "mxgw admin user list" "mxgw admin user list" || return 1
    for address in $(postmasters); do
        has address "$address" <<<"$users" || has address "$address" <<<"$aliases" ||
            trouble "Nobody reads $address." "$address を読む人がいません。" "mxgw admin alias add $address MAILBOX" "mxgw admin alias add $address メールボックス" || return 1
    done
}
make_postmaster() {
    local address users aliases mailbox
    users=$(listed user) && aliases=$(listed alias) || return 1
    mailbox=$("$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)[0]["address"])' <<<"$users") || return 1
    for address in $(postmasters); do
        has address "$address" <<<"$users" || has address "$address" <<<"$aliases" || "$PROGRAM" admin alias add "$address" "$mailbox" ||
            trouble "$address could not be led to $mailbox." "$address を $mailbox に届けられませんでした。" "mxgw admin alias add $address $mailbox" "mxgw admin alias add $address $mailbox" || return 1
    done
}

next_steps() {
    local name
    name=$(env_value MAIL_HOSTNAME)
    echo
    if [ "$LANGUAGE_HERE" = ja ]; then
        cat <<NEXT
自宅のメールサーバーが動いています。次の作業：
  1. 端末に Tailscale を入れ、同じ tailnet にログインします。
     ブラウザー：https://$name/   メールアプリ：docs/ja/phone.md
     受信 IMAP $name 993（SSL/TLS）、送信 SMTP $name 465（SSL/TLS）
  2. AWS 側のゲートウェイを作ります：docs/ja/install-edge.md
  3. 上に表示された DNS レコードを登録します（再表示：mxgw admin domain records ドメイン）。
  4. 外部からメールを 1 通送り、届くことを確かめます。
日々の作業は docs/ja/daily.md、困ったときは docs/ja/trouble.md と mxgw doctor です。
状態の確認はいつでも：$ROOT/dell-stack/install.sh --check
NEXT
    else
        cat <<NEXT
The mail server at home is running. What comes next:
  1. Install Tailscale on phones and PCs, and log in to the same tailnet.
     Browser: https://$name/   Mail apps: docs/en/phone.md
     Incoming IMAP $name 993 (SSL/TLS), outgoing SMTP $name 465 (SSL/TLS)
  2. Make the edge on AWS: docs/en/install-edge.md
  3. Set the DNS records shown above (again: mxgw admin domain records DOMAIN).
  4. Send a message from outside, and see it arrive.
Daily work: docs/en/daily.md. Trouble: docs/en/trouble.md and mxgw doctor.
The state, at any time: $ROOT/dell-stack/install.sh --check
NEXT
    fi
}
