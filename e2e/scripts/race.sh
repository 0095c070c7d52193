#!/usr/bin/env bash
# The race detector over everything that runs in the test's own process, and
# then the scenarios, shortened, against a server built with it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need gcc "the race detector needs a C compiler (Debian: gcc libc6-dev)"
began=$SECONDS
CGO_ENABLED=1 go test -race -count=1 -timeout 600s ./amqp/... ./core/... ./persist/... ./cmd/...
CGO_ENABLED=1 go test -race -count=1 -timeout 300s ./interop ./interop/translate ./interop/nats
CGO_ENABLED=1 go test -race -count=1 -short -timeout 600s ./e2e/sim
TIDEGATE_E2E_RACE=1 go test -count=1 -short -timeout 600s ./e2e/suite
printf '\nrace: %s min\n' "$(minutes $((SECONDS - began)))"
