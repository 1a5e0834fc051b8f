"""HTTP/2 is asked for in the words of the nginx that runs: they changed with 1.25.1."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.dell.compose_file import STACK

# Answers as nginx does, and accepts any configuration.
NGINX = '#!/bin/sh\ncase $1 in -v) echo "nginx version: nginx/{version}" >&2 ;; esac\n'
NEW, OLD = "http2 on;", "listen 443 ssl http2"


@pytest.mark.parametrize(
    ("version", "words", "others"),
    [
        ("1.22.1", OLD, NEW),
        ("1.25.0", OLD, NEW),
        ("1.25.1", NEW, OLD),
        ("1.30.6", NEW, OLD),
        ("1.31.0 (Alpine)", NEW, OLD),
        ("2.0.1", NEW, OLD),
    ],
)
def test_each_nginx_is_asked_for_http2_in_its_own_words(
    version: str, words: str, others: str, tmp_path: Path
) -> None:
    program = tmp_path / "nginx"
    program.write_text(NGINX.format(version=version))
    program.chmod(0o755)

    subprocess.run(
        [str(STACK / "nginx" / "start.sh")],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "MAIL_HOSTNAME": "mail.example.ts.net",
            "RUN": str(tmp_path / "run"),
        },
        check=True,
    )

    made = (tmp_path / "run" / "nginx.conf").read_text()
    assert made.count(words) == 2
    assert others not in made
    assert "@HTTP2" not in made
    assert "@LISTEN" not in made
