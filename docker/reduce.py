"""Takes out of the base image what a running gateway has no use for, and compiles what it has.

No installer, hence no way to add code from within; nothing that runs as another user than the one who calls.
Official Python images come without byte code: on a read-only root each start would compile it anew, which
takes seconds on a quarter of a core.
"""

from __future__ import annotations

import compileall
import os
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

INSTALLERS = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "ensurepip")
"""In the standard library or among the packages, with what says that they are installed."""

UNUSED = ("idlelib", "lib2to3", "tkinter", "turtledemo", "turtle.py", "pydoc_data")
"""Of the standard library: windows, a teacher's tools, the text of help()."""

COMMANDS = ("pip*", "easy_install*", "wheel", "idle*", "2to3*", "pydoc*")

WHEELS = Path("/usr/share/python-wheels")
"""Debian's place for the pip that goes into new virtual environments."""


def main() -> None:
    """Do it, to the root that this runs in."""
    library = Path(sysconfig.get_path("stdlib"))
    for path in unneeded(library):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in regular_files(Path("/")):
        mode = path.lstat().st_mode
        if mode & (stat.S_ISUID | stat.S_ISGID):
            path.chmod(stat.S_IMODE(mode) & 0o777)
    # unchecked-hash: nobody changes the source, so no start need look at it.
    if not compileall.compile_dir(
        library, quiet=1, workers=0, force=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
    ):
        sys.exit("the standard library does not compile")


def unneeded(library: Path) -> Iterator[Path]:
    """Files and directories to remove; what compiling against Python takes is among them."""
    yield WHEELS
    yield Path(sysconfig.get_path("include"))
    yield Path(sysconfig.get_config_var("LIBPL"))
    packages = {
        library,
        *(Path(one) for one in sys.path if one.endswith("-packages")),
        library / "site-packages",
    }
    for folder in packages:
        for name in INSTALLERS:
            yield from folder.glob(name)
            yield from folder.glob(f"{name}-*")
        yield from folder.glob("distutils-precedence.pth")
    for name in UNUSED:
        yield from library.glob(name)
    for folder in {Path("/usr/bin"), Path("/usr/local/bin"), Path(sysconfig.get_path("scripts"))}:
        for name in COMMANDS:
            yield from folder.glob(name)


def regular_files(root: Path) -> Iterator[Path]:
    """Every regular file of this root, not of what is mounted in it."""
    device = root.stat().st_dev
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [one for one in folders if (here / one).lstat().st_dev == device]
        yield from (path for name in names if stat.S_ISREG((path := here / name).lstat().st_mode))


main()
