#!/usr/bin/env bash
# golangci-lint at a pinned version (built from the module proxy if missing:
# about 90 seconds once), shellcheck where it is installed, and generated code
# that is the same when generated again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
version=v2.15.0
linter=$cache/bin/golangci-lint-$version
if [ ! -x "$linter" ]; then
  echo "building golangci-lint $version"
  GOBIN=$cache/bin go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
  mv "$cache/bin/golangci-lint" "$linter"
fi
"$linter" run --allow-parallel-runners ./...

go mod verify >/dev/null
if ! go mod tidy -diff; then
  echo "tidegate: go.mod is not tidy: run go mod tidy" >&2
  exit 1
fi

# Generators must leave what is there as it is.
before=$(git ls-files -s -- '*.go'; git diff -- '*.go' | git hash-object --stdin)
go generate ./...
after=$(git ls-files -s -- '*.go'; git diff -- '*.go' | git hash-object --stdin)
if [ "$before" != "$after" ]; then
  git diff --stat -- '*.go' >&2
  echo "tidegate: generated code is stale: run make generate" >&2
  exit 1
fi

if command -v shellcheck >/dev/null; then
  shellcheck -x .ci/run e2e/scripts/*.sh
fi
echo "lint: clean"
