#!/usr/bin/env bash
# fuzz.sh DURATION: every fuzz target of the module for so long.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
duration=${1:-5s}
began=$SECONDS ran=0
# Pairs of package and target, found in the sources: nothing to register.
while read -r package target; do
  echo "fuzz $package $target"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "$package"
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
