#!/usr/bin/env bash
# run.sh BINARY DATA: say what to try, then start the gateway in the foreground.
set -euo pipefail
binary=$1 data=$2
cat <<TXT

Tidegate will listen on amqp://127.0.0.1:5672 and keep its data in ./$data.
Once it prints "ready", try in another terminal:

  $binary send    --queue orders --text hello
  $binary browse  --queue orders
  $binary receive --queue orders --count 1
  $binary store inspect --live

Ctrl-C stops it; what was stored is there at the next start.

TXT
exec "$binary" serve --data "$data"
