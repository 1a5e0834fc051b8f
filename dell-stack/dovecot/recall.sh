#!/bin/bash
# Before Dovecot starts: which messages were stored just before it last ended, as Sieve scripts that drop their
# repeats, one for each user who has some.
#
# The `duplicate` test of before.sieve notes a message after it is stored. A crash (of all of Dovecot, or of the
# machine) between the two leaves a message that nobody remembers, and whose sender, who heard "later", sends it
# again. So what was stored last is read again here. It holds more than is needed, which does no harm: a message
# that was noted is dropped by both.
#
# recall.sh MAIL SCRIPTS: MAIL is the directory of all mail (MAIL/DOMAIN/USER/Maildir). Writes SCRIPTS/USER.sieve,
# and keeps what it found in MAIL/.recalled, a line for each message: time, user, fingerprint.
set -euo pipefail
export LC_ALL=C

mail=$1 scripts=$2
# From the first octet on disk to the note takes milliseconds; a disk in distress may need some seconds.
window=15
# As long as before.sieve remembers.
days=10

now=$(date +%s)
umask 077
cd "$mail"
touch .recalled

folders() { # folders FIND-WORDS: the directories that hold messages, in any folder of anybody
    find . -mindepth 4 -maxdepth 5 -path './*/*/Maildir/*' -type d \( -name new -o -name cur \) "$@"
}

# The last sign of life: each message that is stored changes its folder.
last=$(folders -printf '%T@\n' | sort -n | tail -n 1)
since=$((${last%.*} + 0 - window))

{
    while read -r time user fingerprint; do
        [ "$time" -gt $((now - days * 86400)) ] && echo "$time $user $fingerprint"
    done <.recalled || true
    # shellcheck disable=SC2016 # awk's own variables
    folders -newermt "@$since" -print0 |
        xargs -0 -r -I{} find {} -maxdepth 1 -type f -newermt "@$since" -print0 |
        xargs -0 -r awk -v now="$now" '
            FNR == 1 { header = 1 }
            /^\r?$/ { header = 0 }
            header && tolower($1) == "x-mxgw-fingerprint:" {
                header = 0
                fingerprint = $2
                sub(/\r$/, "", fingerprint)
                split(FILENAME, part, "/")
                user = part[3] "@" part[2]
                # As schema.sql has it: it becomes the name of a file.
                if (fingerprint ~ /^[0-9a-f]+$/ && user ~ /^[a-z0-9._@-]+$/) print now, user, fingerprint
            }'
} | sort -u -k2,3 >.recalled.new
mv .recalled.new .recalled

rm -rf "$scripts"
mkdir -m 755 "$scripts"
sort -k2,3 .recalled | awk -v scripts="$scripts" '
    $2 != user {
        if (user) { print "\"\"] { discard; stop; }" >script; close(script) }
        user = $2
        script = scripts "/" user ".sieve"
        print "if header :is \"X-MXGW-Fingerprint\" [" >script
    }
    { printf "    \"%s\",\n", $3 >script }
    END { if (user) print "\"\"] { discard; stop; }" >script }'
