#!/usr/bin/env bash
# Brings the client libraries that the scenarios drive, from the package
# registries, and leaves one launcher for each in .cache/clients. Quick when
# all is there; the brokers of e2e/peers come with peers.sh, which runs last. The
# toolchains (Go, a JDK with Maven, Python 3, Node.js with npm, a C++ compiler with
# make) must be.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need java "install a JDK, 17 or newer (Debian: default-jdk-headless)"
need javac "install a JDK, 17 or newer, not only a runtime (Debian: default-jdk-headless)"
need mvn "install Maven 3.8 or newer (Debian: maven)"
need python3 "install Python 3.9 or newer"
need node "install Node.js 18 or newer (Debian: nodejs)"
need npm "install npm (Debian: npm)"
need g++ "install a C++17 compiler (Debian: g++)"
need make "install GNU make (Debian: make)"
source e2e/scripts/fetch.sh

exec 9>"$clients/.lock" # two makes at once install once
flock 9

# Go: go-amqp comes through go.mod.
go build -o "$clients/go" ./e2e/clients/go

# Java, from Maven Central, versions pinned in each pom.xml: the driver of Qpid JMS,
# twice from the same sources, 2.x (jakarta.jms) and 1.x (javax.jms), and the
# programs on Spring Boot, Camel and RabbitMQ's client.
maven java clients/java target/jakarta org.tidegate.e2e.Driver
maven java-javax clients/java target/javax org.tidegate.e2e.Driver -Pjavax
maven spring clients/spring target org.tidegate.e2e.spring.Program
maven camel clients/camel target org.tidegate.e2e.camel.Program
maven rabbitmq clients/rabbitmq target org.tidegate.e2e.rabbitmq.Program
maven demo clients/demo target org.tidegate.demo.Orders # as demo.sh

# Python: proton from PyPI, built here so that it finds Cyrus SASL: without it
# (as in Debian's own package) proton knows neither PLAIN's siblings nor SCRAM.
proton=0.40.0
python=$cache/venv/bin/python3
proton_works() {
  "$python" -c "
import proton, proton.utils
assert '.'.join(map(str, proton.VERSION)) == '$proton' and proton.SASL.extended()" >/dev/null 2>&1
}
if ! proton_works; then
  echo "building proton $proton"
  debian gcc libc6-dev pkg-config libssl-dev libsasl2-dev libsasl2-modules
  python3 -m venv --clear "$cache/venv"
  "$python" -m pip install -q --disable-pip-version-check --no-cache-dir --no-binary python-qpid-proton "python-qpid-proton==$proton"
  if ! proton_works; then
    echo "tidegate: proton was built without Cyrus SASL: install gcc, pkg-config and the headers of OpenSSL and Cyrus SASL (Debian: libssl-dev libsasl2-dev libsasl2-modules)" >&2
    exit 1
  fi
fi
launcher python "'$python'" -u "'$PWD/e2e/clients/python/driver.py'"

# JavaScript: rhea from npm, pinned by package-lock.json, which names no host:
# the registry is the one that npm is set up for. Update it with
# npm install --no-audit --omit-lockfile-registry-resolved=true.
js_dir=$PWD/e2e/clients/javascript
stamp=$js_dir/node_modules/.installed
if [ ! -e "$stamp" ] || [ "$js_dir/package-lock.json" -nt "$stamp" ]; then
  echo "installing rhea"
  (cd "$js_dir" && npm ci --no-audit --no-fund --loglevel=error --omit-lockfile-registry-resolved=true >/dev/null && touch "$stamp")
fi
launcher javascript node "'$js_dir/driver.js'"

# C++: Proton C++ from Debian (the source on PyPI has only Proton's C core), with
# nlohmann-json for the lines and OpenSSL for the sums. make knows what is newer.
cpp_dir=$PWD/e2e/clients/cpp
cpp_works() {
  printf '#include <nlohmann/json.hpp>\n#include <openssl/evp.h>\n#include <proton/container.hpp>\n' |
    g++ -std=c++17 -fsyntax-only -x c++ - 2>/dev/null
}
if [ ! -x "$cache/cpp/driver" ] && ! cpp_works; then
  echo "installing Proton C++"
  debian libqpid-proton-cpp12-dev nlohmann-json3-dev libssl-dev
  if ! cpp_works; then
    echo "tidegate: the headers of Proton C++ 0.37 or newer, nlohmann-json 3 or OpenSSL are missing: install them (Debian: libqpid-proton-cpp12-dev nlohmann-json3-dev libssl-dev)" >&2
    exit 1
  fi
fi
make -s -C "$cpp_dir" -j2 OUT="$cache/cpp"
launcher cpp "'$cache/cpp/driver'"

flock -u 9
bash e2e/scripts/peers.sh
