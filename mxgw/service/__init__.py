"""The composition root: builds the program's parts by hand, runs them, and ends them in order."""

from mxgw.service.demo import DemoAddresses, run_demo
from mxgw.service.edge import run_edge

__all__ = ["DemoAddresses", "run_demo", "run_edge"]
