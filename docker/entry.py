"""Process 1 of the container: the command line, with an ear for SIGTERM from the first moment.

The kernel keeps a signal without a handler from process 1. A container that is stopped while it still loads
the program would not hear of it, and be killed two minutes later; here it ends at once, with exit code 0.
"""

import os
import signal

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

from mxgw.cli import main  # noqa: E402

main()
