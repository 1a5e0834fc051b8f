"""Throughput, CPU and memory of mxgw beside its peers, on this machine, in one run."""
