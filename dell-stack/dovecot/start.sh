#!/bin/bash
# Writes what Dovecot needs beside its read-only configuration, and becomes Dovecot.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=/run/mxgw

say() { echo "start: $*" >&2; }

# Both go into files whose syntax has its own quotes; see .env.example.
for name in DOVECOT_DB_PASSWORD DOVEADM_KEY RSPAMD_PASSWORD; do
    case ${!name-} in
        '' | *[!A-Za-z0-9._-]*)
            say "$name in .env must be made of A-Z a-z 0-9 . _ - (openssl rand -hex 24)"
            exit 1
            ;;
    esac
done

install -d -m 755 "$run" "$run/sieve"
secret() { # secret OWNER FILE: standard input, readable by its owner alone
    install -m 400 /dev/null "$run/$2"
    cat >"$run/$2"
    chown "$1" "$run/$2"
}
printf '[client]\nuser=dovecot\npassword=%s\n' "$DOVECOT_DB_PASSWORD" | secret dovecot mariadb.cnf
printf '%s' "$RSPAMD_PASSWORD" | secret vmail rspamd-password
printf '%s' "$DOVEADM_KEY" | secret root doveadm-key
unset DOVECOT_DB_PASSWORD DOVEADM_KEY RSPAMD_PASSWORD

install -d -m 700 -o vmail -g vmail /srv/mail/.spool

# Compiled now, since the configuration is read-only. The period of `duplicate` is settled by this, too.
for script in "$here"/sieve/*.sieve; do
    install -m 644 "$script" "$run/sieve/"
    sievec -c "$here/dovecot.conf" "$run/sieve/${script##*/}"
done
chmod 644 "$run"/sieve/*
# Mail that comes twice is better than none at all: without it Dovecot starts all the same.
if "$here/recall.sh" /srv/mail "$run/recall"; then
    for script in "$run"/recall/*.sieve; do
        [ -e "$script" ] && sievec -c "$here/dovecot.conf" "$script"
    done
    chmod -R a+rX "$run/recall"
else
    say "what was stored last could not be read again; a message may be kept twice"
fi

exec dovecot -F -c "$here/dovecot.conf"
