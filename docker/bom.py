"""Writes the image's bill of materials to stdout (CycloneDX 1.5, JSON), which scanners look through.

Run it with the interpreter whose packages are meant, on a Debian: names that interpreter, its packages, and
what dpkg has installed. No time and no serial number: the same content gives the same document.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib.metadata import Distribution, distributions, version
from urllib.parse import quote

Component = dict[str, object]

DPKG_FIELDS = "${Package}\t${Version}\t${Architecture}\t${source:Package}\n"


def main() -> None:
    """The document."""
    packages = sorted(distributions(), key=lambda one: one.name.lower())
    image = {"type": "container", "bom-ref": "image", "name": "mxgw", "version": version("mxgw")}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": image},
        "components": [
            *operating_system(),
            interpreter(),
            *(python_package(one) for one in packages),
        ],
    }
    json.dump(document, sys.stdout, indent=1)


def operating_system() -> list[Component]:
    """Debian itself, and its packages."""
    release = platform.freedesktop_os_release()
    name, number = release["ID"], release["VERSION_ID"]
    listed = subprocess.run(  # noqa: S603 - our own words
        ["/usr/bin/dpkg-query", "--show", f"--showformat={DPKG_FIELDS}"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    system: Component = {"type": "operating-system", "bom-ref": "system", "name": name, "version": number}
    return [system, *(debian_package(line, f"{name}-{number}") for line in listed.stdout.splitlines())]


def debian_package(line: str, distribution: str) -> Component:
    """One line of DPKG_FIELDS."""
    name, number, architecture, source = line.split("\t")
    purl = f"pkg:deb/debian/{escaped(name)}@{escaped(number)}?arch={architecture}&distro={distribution}"
    if source != name:
        purl += f"&upstream={escaped(source)}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": number, "purl": purl}


def escaped(text: str) -> str:
    """For a package URL: Debian's names and versions have "+" and ":" in them."""
    return quote(text, safe="")


def interpreter() -> Component:
    """Python; where it is Debian's, it is among Debian's packages too."""
    number = platform.python_version()
    return {
        "type": "platform",
        "bom-ref": "python",
        "name": "python",
        "version": number,
        "cpe": f"cpe:2.3:a:python:python:{number}:*:*:*:*:*:*:*",
        "purl": f"pkg:generic/python@{number}",
    }


def python_package(package: Distribution) -> Component:
    """What its own metadata say."""
    name = package.name.lower().replace("_", "-").replace(".", "-")
    purl = f"pkg:pypi/{name}@{package.version}"
    found: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
    }
    if "License-Expression" not in package.metadata:
        return found
    return {**found, "licenses": [{"expression": package.metadata["License-Expression"]}]}


main()
