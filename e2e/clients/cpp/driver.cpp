// Drives Qpid Proton C++ over the line protocol of ../PROTOCOL.md. Each command
// runs in a thread of its own with a container of its own.
#include <proton/version.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "client.hpp"
#include "values.hpp"

json capabilities() {
    return {
        {"client", "proton-cpp"},
        {"version", std::to_string(PN_VERSION_MAJOR) + "." + std::to_string(PN_VERSION_MINOR) + "." + std::to_string(PN_VERSION_POINT)},
        {"can",
         {"topic", "text", "settled", "reconnect", "batch", "drain", "selector", "browse", "dynamic", "request", "respond",
          "frame-size", "sasl-plain", "anonymous", "durable", "map", "list", "nested", "types", "message-id",
          "correlation-id", "char", "symbols", "tls", "sasl-external", "relay", "fields", "all-fields", "annotations",
          "no-local", "shared", "modify-plain", "sole"}},
        {"cannot",
         {{"transactions", "Proton C++ 0.37, which is what Debian has, knows no transactions"},
          {"modify-annotations", "delivery::modify() of Proton C++ takes no annotations"},
          {"undeliverable", "delivery::modify() of Proton C++ has no word for undeliverable-here"},
          {"conditions", "Proton C++ 0.37 does not hand over why a message was rejected"},
          {"settle-second", "Proton C++ has the delivery modes at-most-once and at-least-once only"},
          {"websocket", "Proton C++'s container dials TCP and TLS only"},
          {"sasl-scram", "Debian builds Proton without Cyrus SASL, which brings SCRAM"},
          {"modify", "delivery::modify() of Proton C++ has no word for delivery-failed: it answers like release"}}},
        {"types", value_types},
    };
}

namespace {

std::unique_ptr<Client> make(const std::string& name, const Command& command) {
    if (name == "connect") return make_connect(command);
    if (name == "send") return make_send(command);
    if (name == "receive") return make_receive(command);
    if (name == "unsubscribe") return make_unsubscribe(command);
    if (name == "request") return make_request(command);
    if (name == "respond") return make_respond(command);
    return nullptr;
}

void run(const Command& command) {
    std::string name = command.text("cmd");
    if (name == "capabilities") {
        command.event("done", capabilities());
    } else if (std::unique_ptr<Client> client = make(name, command)) {
        client->run();
    } else {
        command.event("error", {{"error", "no command " + name}});
    }
}

} // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        json fields = json::parse(line, nullptr, false);
        Command command(fields.is_object() ? fields : json::object()); // no object: no command
        if (command.text("cmd") == "quit") {
            break;
        }
        std::thread([command] { run(command); }).detach();
    }
    std::_Exit(0); // commands under way end with the process
}
