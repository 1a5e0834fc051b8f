"""``python -m mxgw``."""

from mxgw.cli import main

main()
