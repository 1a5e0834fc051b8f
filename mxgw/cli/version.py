"""``mxgw version``."""

from __future__ import annotations

import platform

import click

from mxgw import __version__


@click.command("version")
def command() -> None:
    """Print the version of mxgw and of Python.

    Example: mxgw version
    """
    click.echo(f"mxgw {__version__} (Python {platform.python_version()}, {platform.system()})")
