"""The stack's .env, as Docker Compose reads it: what the host's commands go by. Never executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

MAX_FILE_OCTETS = 256 * 1024
"""The example with every value filled in is 8 KiB."""

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def read_env_file(path: Path) -> dict[str, str]:
    """Its variables. Raises Refused where it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_OCTETS).decode()
    except FileNotFoundError:
        raise Refused("env-file-missing", path=shown(str(path))) from None
    except PermissionError:
        raise Refused("env-file-forbidden", path=shown(str(path))) from None
    except UnicodeDecodeError as error:
        raise Refused(
            "env-file-unreadable", path=shown(str(path)), why=f"UTF-8, byte {error.start + 1}"
        ) from None
    except OSError as error:
        raise Refused("env-file-unreadable", path=shown(str(path)), why=error.strerror or "") from None
    return variables(text)


def variables(text: str) -> dict[str, str]:
    """Those that such a file assigns; the last assignment counts."""
    found = (_ASSIGNMENT.fullmatch(line.strip()) for line in text.splitlines())
    return {match[1]: _value(match[2]) for match in found if match}


def with_env_file(environ: Mapping[str, str], path: Path) -> dict[str, str]:
    """The environment, with what it leaves open from the file."""
    return {**read_env_file(path), **{name: value for name, value in environ.items() if value}}


def _value(text: str) -> str:
    """Without quotes; without a comment, which begins behind a blank."""
    if len(text) >= 2 and text[0] in "'\"" and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    return re.split(r"\s+#", text, maxsplit=1)[0].strip()
