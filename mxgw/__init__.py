"""mxgw: a mail gateway without a queue, and the home it delivers to."""

__version__ = "0.1.0"
