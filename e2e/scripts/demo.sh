#!/usr/bin/env bash
# The bridges to NATS, RabbitMQ and Artemis on this machine, without containers:
# installs what is missing, and runs e2e/demo/bridge.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
bash e2e/scripts/peers.sh
source e2e/scripts/fetch.sh
exec 9>"$clients/.lock" # as install.sh
flock 9
maven demo clients/demo target org.tidegate.demo.Orders
flock -u 9
exec go run ./e2e/demo/bridge "$@"
