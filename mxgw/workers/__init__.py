"""Several worker processes on one port: ``mxgw serve --workers N``.

    supervisor (asyncio: signals, the operators' door)
       |  fork orders, deaths                 |  a channel to each worker: snapshots, drain
    nursery (no loop, no thread: may fork) -- worker 0, worker 1, ...  (each with its own loop and door)

A process with a running loop must not fork, but a dead worker has to be replaced at any time. So the
supervisor forks one small process before anything else, the nursery, and that one forks the workers. Each
worker listens by itself (SO_REUSEPORT); the supervisor only keeps the port reserved.

If the supervisor dies, every worker sees the end of its channel and drains by itself.
"""

from mxgw.workers.link import Address, ChildLink
from mxgw.workers.supervisor import Supervisor, reserve

__all__ = ["Address", "ChildLink", "Supervisor", "reserve"]
