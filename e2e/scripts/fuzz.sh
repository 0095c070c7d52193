#!/usr/bin/env bash
# fuzz.sh BUDGET: every fuzz target of the module with that budget, as go's
# -fuzztime takes it. The default is a number of inputs and not a duration: up to
# Go 1.26 a duration that ends while a worker is busy can fail the run with
# "context deadline exceeded" and nothing found (golang/go#75804).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
budget=${1:-200000x}
began=$SECONDS ran=0
# Pairs of package and target, found in the sources: nothing to register.
while read -r package target; do
  echo "fuzz $package $target"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$budget" "$package"
  ran=$((ran + 1))
done < <(grep -rl --include='*_test.go' '^func Fuzz' amqp core persist cmd interop 2>/dev/null | sort |
  while read -r file; do
    sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | sed "s|^|./$(dirname "$file") |"
  done)
if [ "$ran" = 0 ]; then
  echo "tidegate: no fuzz target was found" >&2
  exit 1
fi
printf '\nfuzz: %s targets, %s min\n' "$ran" "$(minutes $((SECONDS - began)))"
