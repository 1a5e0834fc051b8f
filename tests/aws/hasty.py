"""Runs the program it is given, with looks at AWS many times a second in place of once a minute or an hour.

python -m tests.aws.hasty /path/to/mxgw serve edge
"""

from __future__ import annotations

import sys

from mxgw.aws import watching
from mxgw.cli import main
from mxgw.observe import emf


def run() -> None:
    """Never returns."""
    watching.DOMAIN_SECONDS = watching.CERTIFICATE_SECONDS = watching.RETRY_SECONDS = 0.2
    emf.PERIOD_SECONDS = 0.5
    sys.argv = sys.argv[1:]
    main()


if __name__ == "__main__":
    run()
