#!/usr/bin/env bash
# How installs are made, for the scripts beside it; sourced after lib.sh, not run.
# Leaves launchers in .cache/clients.
clients=$cache/clients
mkdir -p "$clients"
need flock "install util-linux"

# launcher NAME COMMAND...: writes the file that the harness starts.
launcher() {
  local name=$1
  shift
  printf '#!/bin/sh\nexec %s "$@"\n' "$*" > "$clients/$name.new"
  chmod +x "$clients/$name.new"
  mv "$clients/$name.new" "$clients/$name"
}

# debian PACKAGE...: installs Debian's packages where that is possible.
debian() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 || return 0
}

# maven NAME FOLDER TARGET MAIN-CLASS [OPTION...]: builds e2e/FOLDER into its
# TARGET, unless that is newer than the sources, and writes the launcher NAME. One
# core's worth of compiler and a small heap: several of these run at once.
maven() {
  local name=$1 dir=$PWD/e2e/$2 target=$PWD/e2e/$2/$3 main=$4
  shift 4
  if [ ! -e "$target/built" ] || [ -n "$(find "$dir/pom.xml" "$dir/src" -newer "$target/built" -print -quit)" ]; then
    echo "building $name"
    rm -rf "$target"
    mkdir -p "$target"
    touch "$target/begun" # what changes during the build is newer
    (cd "$dir" && mvn -q -B "$@" package && mv "$target/begun" "$target/built")
  fi
  launcher "$name" java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -cp "'$target/classes:$target/lib/*'" "$main"
}
