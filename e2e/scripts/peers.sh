#!/usr/bin/env bash
# Brings the brokers that e2e/peers starts and leaves a launcher for each in
# .cache/clients. Quick when all is there. None is started here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source e2e/scripts/fetch.sh

exec 9>"$clients/.lock" # as install.sh
flock 9

# NATS: its version is go.mod's. Without cgo and symbols it is half as large.
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$clients/nats-server" github.com/nats-io/nats-server/v2

# RabbitMQ: Debian's, on Debian's Erlang. Its package starts a service when it is
# installed, which nobody here wants: policy-rc.d forbids it meanwhile. The
# instances of the tests have nothing to do with that service.
rabbitmq_home() { ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/ 2>/dev/null | sort -V | tail -1; }
rabbitmq_works() { [ -x "$(rabbitmq_home)sbin/rabbitmq-server" ] && command -v erl >/dev/null && command -v epmd >/dev/null; }
if ! rabbitmq_works; then
  echo "installing RabbitMQ"
  policy=/usr/sbin/policy-rc.d
  if [ "$(id -u)" = 0 ] && [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
  fi
  debian rabbitmq-server
  # Nor at the next start of the machine.
  if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
    systemctl -q disable --now rabbitmq-server.service epmd.socket epmd.service 2>/dev/null || true
  fi
  if ! rabbitmq_works; then
    echo "tidegate: RabbitMQ is missing: as root, run \`apt-get install rabbitmq-server\` and \`systemctl disable --now rabbitmq-server epmd.socket\` (other systems: RabbitMQ 3.10 or newer below /usr/lib/rabbitmq/lib, with erl and epmd on the PATH)" >&2
    exit 1
  fi
fi
launcher rabbitmq-server "'$(rabbitmq_home)sbin/rabbitmq-server'"
# Erlang looks for each module in each plugin's folder, of which there are dozens
# that hardly a test wants: with those of the broker alone a start takes half the time.
plain=$cache/rabbitmq-plain
if [ "$(readlink "$plain/sbin")" != "$(rabbitmq_home)sbin" ]; then
  rm -rf "$plain"
  mkdir -p "$plain/plugins"
  for plugin in "$(rabbitmq_home)"plugins/*; do
    case $(basename "$plugin") in
    rabbitmq_prelaunch*) ;;
    rabbitmq_* | amqp_client* | amqp10_client* | cow* | gun* | prometheus* | eetcd* | jose* | quantile*) continue ;;
    esac
    ln -s "$plugin" "$plain/plugins/"
  done
  ln -s "$(rabbitmq_home)sbin" "$plain/sbin" # last: it says that the rest is there
fi
launcher rabbitmq-server-plain env "RABBITMQ_SCRIPTS_DIR='$plain/sbin'" "'$plain/sbin/rabbitmq-server'"
launcher epmd "'$(command -v epmd)'"

# ActiveMQ Artemis and ActiveMQ Classic, from Maven Central, embedded in small programs.
need java "install a JDK, 17 or newer (Debian: default-jdk-headless)"
need javac "install a JDK, 17 or newer, not only a runtime (Debian: default-jdk-headless)"
need mvn "install Maven 3.8 or newer (Debian: maven)"
maven artemis-broker peers/artemis target org.tidegate.e2e.artemis.Broker
maven activemq-broker peers/activemq target org.tidegate.e2e.activemq.Broker
