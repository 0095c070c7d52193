#!/usr/bin/env bash
# Runs every test, suite by suite, and prints the minutes of each. A suite that
# takes more than four minutes fails, e2e/suite after eight: someone waits for it
# at every change.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
suites=(amqp core persist interop cmd e2e/arch e2e/sim e2e/harness e2e/peers e2e/perf e2e/demo e2e/bridges e2e/suite)
table="" failed=0
for suite in "${suites[@]}"; do
  # A folder may be there before its first package.
  [ -n "$(find "$suite" -name '*.go' -print -quit 2>/dev/null)" ] || continue
  limit=240
  [ "$suite" != e2e/suite ] || limit=480
  began=$SECONDS
  outcome=passed
  go test -count=1 -timeout "${limit}s" "./$suite/..." || { outcome=FAILED failed=1; }
  took=$((SECONDS - began))
  if [ "$took" -gt "$limit" ]; then outcome="TOO SLOW" failed=1; fi
  table+=$(printf '%-14s %6s min  %s' "$suite" "$(minutes "$took")" "$outcome")$'\n'
done
printf '\nsuite            minutes\n%s\n' "$table"
exit "$failed"
