"""Stand-ins for dnf, systemctl, docker and tailscale on a sandboxed machine: one program with four names.

What they know lies in /var/standin/state.json; every call is written down in /var/standin/calls. A line of
/var/standin/broken, PREFIX<tab>MESSAGE, makes calls that begin with PREFIX fail. Runs without any package.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PLACE = Path("/var/standin")
STATE = PLACE / "state.json"
STACK = Path("/opt/mxgw/dell-stack")

# Which package of Rocky brings which program.
PACKAGES = {
    "docker-ce-cli": "docker",
    "docker-compose-plugin": "",
    "tailscale": "tailscale",
    "python3.11": "python3.11",
}
NEW: dict[str, Any] = {
    "enabled": [],
    "compose": False,
    "images": {},
    "others": [],
    "services": {},
    "slow": {},
    "stuck": "",
    "domains": [],
    "users": [],
    "aliases": [],
    "tailscale": {"state": "NeedsLogin", "magic": True, "https": True, "expiry": "", "name": ""},
}


def main() -> int:
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    call = " ".join([name, *arguments])
    with (PLACE / "calls").open("a") as calls:
        calls.write(call + "\n")
    for line in _lines(PLACE / "broken"):
        prefix, _, message = line.partition("\t")
        if call.startswith(prefix):
            print(message, file=sys.stderr)
            return 1
    state = json.loads(STATE.read_text()) if STATE.exists() else NEW
    code = {"dnf": dnf, "systemctl": systemctl, "docker": docker, "tailscale": tailscale}[name](
        arguments, state
    )
    STATE.write_text(json.dumps(state))
    return code


def dnf(arguments: list[str], state: dict[str, Any]) -> int:
    for word in arguments[1:] if arguments[0] == "install" else []:
        if program := PACKAGES.get(word):
            shutil.copy2(PLACE / "programs" / program, f"/usr/bin/{program}")
        state["compose"] |= word == "docker-compose-plugin"
    print("Complete!")
    return 0


def systemctl(arguments: list[str], state: dict[str, Any]) -> int:
    words = [word for word in arguments[1:] if not word.startswith("-")]
    if arguments[0] == "enable":
        state["enabled"] = sorted({*state["enabled"], *words})
    elif arguments[0] == "disable":
        state["enabled"] = [name for name in state["enabled"] if name not in words]
    elif arguments[0] in {"is-enabled", "is-active"}:
        return 0 if words[0] in state["enabled"] else 1
    return 0


def tailscale(arguments: list[str], state: dict[str, Any]) -> int:
    own = state["tailscale"]
    if arguments[0] == "up":
        own["name"] = next(word.partition("=")[2] for word in arguments if word.startswith("--hostname="))
        own["state"] = "Running"
        key = next((word.partition("file:")[2] for word in arguments if "file:" in word), "")
        if not key:
            print("To authenticate, visit:\n\n\thttps://login.tailscale.com/a/0123456789ab\n\nSuccess.")
        elif Path(key).stat().st_mode & 0o77:
            print("others may read the key", file=sys.stderr)
            return 1
    elif arguments[0] == "status":
        running = own["state"] == "Running"
        name = f"{own['name']}.tail1234.ts.net"
        print(
            json.dumps(
                {
                    "BackendState": own["state"],
                    "CurrentTailnet": {"MagicDNSEnabled": own["magic"]} if running else None,
                    "CertDomains": [name] if running and own["https"] else None,
                    "Self": {
                        "DNSName": f"{name}." if running else "",
                        "TailscaleIPs": ["100.64.0.1", "fd7a:115c:a1e0::1"] if running else None,
                        **({"KeyExpiry": own["expiry"]} if own["expiry"] else {}),
                    },
                }
            )
        )
    elif arguments[0] == "cert":
        certificate, key, name = arguments[2], arguments[4], arguments[5]
        subprocess.run(
            [
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                ),
                *("-days", "90", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
                *("-out", certificate, "-keyout", key),
            ],
            check=True,
            capture_output=True,
        )
    return 0


def docker(arguments: list[str], state: dict[str, Any]) -> int:
    if "docker" not in state["enabled"] and arguments[:2] != ["compose", "version"]:
        print("Cannot connect to the Docker daemon", file=sys.stderr)
        return 1
    if arguments[0] == "compose":
        return compose(arguments[1:], state)
    if arguments[0] == "ps":
        print("".join(f"{name}\n" for name in state["others"]), end="")
    elif arguments[0] == "build":
        state["images"][arguments[arguments.index("--tag") + 1]] = arguments[arguments.index("--label") + 1]
    elif arguments[:2] == ["image", "inspect"]:
        asked = arguments[4:]
        missing = [name for name in asked if name not in state["images"]]
        print("".join(state["images"].get(name, "").partition("=")[2] + "\n" for name in asked), end="")
        print("".join(f"No such image: {name}\n" for name in missing), end="", file=sys.stderr)
        return 1 if missing or not asked else 0
    return 0


def compose(arguments: list[str], state: dict[str, Any]) -> int:
    if arguments[:2] == ["--progress", "quiet"]:
        arguments = arguments[2:]
    if arguments[0] == "version":
        print("2.40.3")
        return 0 if state["compose"] else 1
    command = arguments[2:]
    if command[0] == "--progress":
        command = command[2:]
    if not (STACK / ".env").exists():
        print("required variable TAILSCALE_IP is missing a value", file=sys.stderr)
        return 1
    services = _services()
    if command == ["config", "--services"]:
        print("\n".join(services))
    elif command == ["config", "--images"]:
        print("\n".join(services.values()))
    elif command[0] == "pull":
        state["images"].update({image: "" for image in services.values() if image not in state["images"]})
    elif command[0] == "up":
        # How often each has to be looked at until it is healthy.
        state["services"] = {name: state["slow"].get(name, 0) for name in services}
    elif command[0] == "down":
        state["services"] = {}
    elif command[0] == "ps":
        _ps(state)
    elif command[0] == "logs":
        print("ERROR: the last words of", command[-1])
    elif command[0] == "run":
        return _administrate(command, state)
    return 0


def _ps(state: dict[str, Any]) -> None:
    for name, looks in state["services"].items():
        stuck = name == state["stuck"]
        state["services"][name] = looks if stuck else max(0, looks - 1)
        health = "" if name == "accounts" else "starting" if looks or stuck else "healthy"
        one = {"Service": name, "State": "exited" if name == "accounts" else "running", "Health": health}
        print(json.dumps({**one, "ExitCode": 0}))


def _administrate(command: list[str], state: dict[str, Any]) -> int:
    """``docker compose run ... admin user list --json`` and the like, upon lists of names."""
    words = command[command.index("admin") + 1 :]
    if (PLACE / "administrate.json").exists():
        program, environ = json.loads((PLACE / "administrate.json").read_text())
        language = command[command.index("--env") + 1]
        given = {**environ, **dict([language.split("=", 1)]), "PATH": "/usr/bin:/bin", "TERM": "xterm"}
        os.execve(program, [program, "admin", *words], given)  # noqa: S606 - the real one, in its place
    kind = {"domain": "domains", "user": "users", "alias": "aliases"}[words[0]]
    key = "domain" if words[0] == "domain" else "address"
    if words[1] == "list":
        print(json.dumps([{key: name} for name in state[kind]]))
    elif words[1] == "add":
        if "--password-file" in words and len(sys.stdin.readline().strip()) < 8:
            print("mxgw: Too short: 8 characters or more are needed.", file=sys.stderr)
            return 2
        state[kind].append(words[2])
        print(f"✔ {words[2]}")
    return 0


def _services() -> dict[str, str]:
    """Name and image of each service of compose.yaml that `up` starts."""
    text = (STACK / "compose.yaml").read_text().partition("\nservices:\n")[2].partition("\nnetworks:\n")[0]
    parts = re.split(r"(?m)^  ([a-z-]+):\n", text)[1:]
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    return {
        name: re.findall(r"(?m)^    image: (\S+)", body)[0]
        for name, body in named.items()
        if "profiles:" not in body
    }


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
