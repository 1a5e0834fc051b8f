#!/bin/bash
# Loads the schema and gives each program its own account, at every start. Runs once, in MariaDB's own image.
# A password that changed in .env takes effect here; the image alone would set it only on an empty data directory.
set -euo pipefail

host=${DATABASE_HOST:-mariadb}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export MYSQL_PWD=${MARIADB_ROOT_PASSWORD:?}

sql() { mariadb --no-defaults --protocol=tcp --host="$host" --user=root --batch "$@"; }

# A password is put into SQL below, so it must not be able to end the string it stands in.
account() {
    local name=$1 password=$2
    case $password in
        '' | *[!A-Za-z0-9._-]*)
            echo "setup: the password of $name in .env must be made of A-Z a-z 0-9 . _ - (openssl rand -hex 24)" >&2
            exit 1
            ;;
    esac
    printf "CREATE USER IF NOT EXISTS '%s'@'%%';\nALTER USER '%s'@'%%' IDENTIFIED BY '%s';\n" "$name" "$name" "$password"
    # What an account may do is said below and nowhere else.
    printf "REVOKE ALL PRIVILEGES, GRANT OPTION FROM '%s'@'%%';\n" "$name"
}

sql <"$here/schema.sql"

accounts=$(
    account dovecot "${DOVECOT_DB_PASSWORD:?}"
    account postfix "${POSTFIX_DB_PASSWORD:?}"
    account roundcube "${ROUNDCUBE_DB_PASSWORD:?}"
    account mailadmin "${ADMIN_DB_PASSWORD:?}"
)
sql <<SQL
$accounts
GRANT SELECT ON mail.* TO 'dovecot'@'%';
GRANT EXECUTE ON FUNCTION mail.asked TO 'dovecot'@'%';
GRANT SELECT (address, user, quota_octets, precedence) ON mail.recipients TO 'postfix'@'%';
GRANT SELECT (address, login) ON mail.sender_logins TO 'postfix'@'%';
GRANT SELECT (name, active) ON mail.domains TO 'postfix'@'%';
GRANT ALL PRIVILEGES ON roundcube.* TO 'roundcube'@'%';
GRANT SELECT (email), UPDATE (password) ON mail.users TO 'roundcube'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON mail.* TO 'mailadmin'@'%';
SQL
echo "setup: schema and accounts are in place"
