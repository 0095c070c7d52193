# Shared by the scripts beside it; sourced, not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cache=$PWD/.cache
mkdir -p "$cache/bin"

# need COMMAND HOW: ends with what to install when a toolchain is missing.
need() {
  command -v "$1" >/dev/null 2>&1 && return
  echo "tidegate: $1 is missing: $2" >&2
  exit 1
}

# minutes SECONDS: prints them as minutes with one decimal.
minutes() { awk -v s="$1" 'BEGIN { printf "%.1f", s / 60 }'; }

need go "install Go 1.26 or newer (https://go.dev/dl)"
