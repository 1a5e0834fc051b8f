"""A second Dovecot over a restored tree: whether it sees what the manifest says.

It is one run of the stack's own Dovecot image without a network (compose.yaml, trial), reads nothing of the
stack's configuration, listens nowhere, and keeps no index.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from mxgw.admin.backup.copying import lay_out
from mxgw.admin.backup.maildir import Summary
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

PLACE = "/trial"
SECONDS = 4 * 3600.0
"""The time in which everything must be restored at the latest."""

CONFIGURATION = """\
# A Dovecot on trial: users are whoever has a home below.
base_dir = /tmp/trial-run
state_dir = /tmp/trial-run
instance_name = trial
log_path = /dev/stderr
protocols =
ssl = no
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1000
last_valid_uid = 1000
mail_home = /trial/mail/%Ld/%Ln
mail_location = maildir:~/Maildir:INDEX=MEMORY
mail_plugins = listescape
namespace inbox {
  inbox = yes
  separator = /
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/trial/mail/%Ld/%Ln allow_all_users=yes
}
service stats {
  unix_listener stats-writer {
    user = vmail
  }
}
service anvil {
  unix_listener anvil {
    user = vmail
  }
}
"""

# One line for each user, folder, message; the caller counts.
LOOK = """\
doveadm $configuration -f tab mailbox list -u "$user" | sed '1d;s/^/folder\\t/'
doveadm $configuration -f tab fetch -u "$user" 'mailbox flags size.physical' mailbox '*' ALL |
    sed '1d;s/^/message\\t/'
"""

_BEGIN = f"""\
set -euo pipefail
configuration='-c {PLACE}/dovecot.conf'
mkdir -p /tmp/trial-run
dovecot $configuration -F >&2 &
dovecot=$!
trap 'kill $dovecot 2>/dev/null; wait $dovecot || true' EXIT
for try in $(seq 100); do
    [ -S /tmp/trial-run/auth-userdb ] && break
    sleep 0.1
done
"""

SCRIPT = f"""\
{_BEGIN}
while IFS= read -r user; do
    printf 'user\\t%s\\n' "$user"
    {LOOK}
done <{PLACE}/users
echo end
"""

SERVE = f"""\
{_BEGIN}
doveadm $configuration exec imap $configuration -u "$1"
"""


def lay(backup: Path, scratch: Path, homes: Iterable[str]) -> None:
    """A tree of these homes that such a Dovecot may write into. Raises OSError."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    (scratch / "mail").mkdir()
    for home in homes:
        lay_out(backup / "mail" / home, scratch / "mail" / home)
        (scratch / "mail" / home).parent.chmod(0o711)
    for directory in (scratch, scratch / "mail"):
        directory.chmod(0o711)
    (scratch / "dovecot.conf").write_text(CONFIGURATION)


def open_session(stack: Stack, scratch: Path, user: str, *, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    """An IMAP session with one user's mail in ``scratch/mail``, logged in already; the caller ends it."""
    (scratch / "serve.sh").write_text(SERVE)
    return stack.converse(*_dovecot(scratch), f"{PLACE}/serve.sh", user, stderr=stderr)


def look(stack: Stack, scratch: Path, users: Sequence[str]) -> dict[str, dict[str, Summary]]:
    """What a Dovecot sees in ``scratch/mail``. Raises Refused where it cannot look."""
    (scratch / "users").write_text("".join(f"{user}\n" for user in users))
    (scratch / "look.sh").write_text(SCRIPT)
    seen = scratch / "seen"
    with seen.open("wb") as file:
        answer = stack.compose(*_dovecot(scratch), f"{PLACE}/look.sh", stdout=file, timeout=SECONDS)
    with seen.open(encoding="utf-8", errors="replace") as lines:
        found, whole = counted(lines)
    if answer.code or not whole:
        raise Refused("backup-trial-failed", failure=True, why=answer.errors.strip()[-300:])
    return found


def look_live(stack: Stack, user: str) -> dict[str, Summary]:
    """What the Dovecot in service sees of one user, after it has made its indexes anew."""
    script = (
        f"set -euo pipefail; configuration=''; user=$1; doveadm force-resync -u \"$1\" '*'; {LOOK} echo end"
    )
    answer = stack.run("dovecot", ["bash", "-c", script, "look", user], timeout=SECONDS)
    found, whole = counted([f"user\t{user}", *answer.output.decode(errors="replace").splitlines()])
    if answer.code or not whole:
        raise Refused("restore-not-read", failure=True, address=user, why=answer.errors.strip()[-300:])
    return found[user]


def counted(lines: Iterable[str]) -> tuple[dict[str, dict[str, Summary]], bool]:
    """The lines of LOOK as counts, and whether the last one came."""
    found: dict[str, dict[str, Summary]] = {}
    folders: dict[str, Summary] = {}
    for line in lines:
        match line.rstrip("\n").split("\t"):
            case ["user", name]:
                folders = found[name] = {}
            case ["folder", name]:
                folders.setdefault(name, Summary())
            case ["message", name, flags, size]:
                seen = [flag for flag in flags.split() if flag != "\\Recent"]
                folders.setdefault(name, Summary()).add(int(size), seen)
            case ["end"]:
                return found, True
            case _:
                pass
    return found, False


def as_json(folders: Mapping[str, Summary]) -> dict[str, Any]:
    """For the manifest."""
    return {
        name: {"messages": one.messages, "octets": one.octets, "flags": dict(sorted(one.flags.items()))}
        for name, one in sorted(folders.items())
    }


def difference(expected: Mapping[str, Any], seen: Mapping[str, Summary]) -> str:
    """The first folder that is not as the manifest says, with both; "" where all are. A folder that is empty
    may be one that Dovecot makes for everybody."""
    told = as_json(seen)
    for name in sorted({*expected, *told}):
        there, here = expected.get(name), told.get(name)
        if there is None and here is not None and not here["messages"]:
            continue
        if there != here:
            return f"{name}: {json.dumps(there, ensure_ascii=False)} / {json.dumps(here, ensure_ascii=False)}"
    return ""


def _dovecot(scratch: Path) -> Sequence[str]:
    mount = f"{scratch}:{PLACE}:z"
    return ("run", "--rm", "--no-deps", "-T", "-v", mount, "--entrypoint", "bash", "trial")
