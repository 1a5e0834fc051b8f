#!/bin/bash
# Healthy: the master answers, and LMTP greets. (Each look at a TLS port would be one more line in the log.)
set -euo pipefail
doveadm service status >/dev/null
exec 3<>/dev/tcp/10.129.72.3/24
IFS= read -r -t 5 line <&3
[[ $line == 220* ]]
