"""Where things lie on the machine at home: install.sh puts them there, the environment may say otherwise."""

from __future__ import annotations

STACK_DIRECTORY = "/opt/mxgw/dell-stack"
"""compose.yaml and .env."""

STATE_DIRECTORY = "/var/lib/mxgw"
"""What the host's commands remember of themselves."""

RUN_DIRECTORY = "/run/mxgw"
"""The same where STATE_DIRECTORY cannot be written: in memory, gone with the next boot."""

DATA_DIRECTORY = "/data/docker/volumes/mailserver"
"""Mail and everything else that the services keep: MAILSERVER_DATA of .env."""

STACK_VARIABLE = "MXGW_STACK"
STATE_VARIABLE = "MXGW_STATE"
RUN_VARIABLE = "MXGW_RUN"
