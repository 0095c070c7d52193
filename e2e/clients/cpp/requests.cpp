// Request and reply over a temporary queue.
#include <proton/delivery.hpp>
#include <proton/message_id.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/source.hpp>
#include <proton/tracker.hpp>

#include <deque>
#include <map>

#include "client.hpp"
#include "messages.hpp"

namespace {

class Request : public Client {
    using Client::Client;

    void opened(proton::connection& c) override {
        sender = c.open_sender(command.text("address"), proton::sender_options().target(target()));
        proton::source_options s;
        s.dynamic(true);
        c.open_receiver("", proton::receiver_options().source(s));
    }

    void on_receiver_open(proton::receiver& r) override {
        address = r.source().address();
        if (!address.empty()) {
            command.event("attached", {{"address", address}});
            ask();
        }
    }

    void on_sendable(proton::sender&) override { ask(); }

    void ask() {
        if (!waiting.empty() || address.empty() || sender.credit() <= 0 || ended()) {
            return;
        }
        long seq = command.number("first", 1) + received;
        waiting = command.text("producer") + "-" + std::to_string(seq);
        proton::message m = build(command, seq);
        m.id(waiting);
        m.reply_to(address);
        sender.send(m);
    }

    void on_tracker_reject(proton::tracker&) override { fail("request rejected"); }
    void on_tracker_release(proton::tracker&) override { fail("request released"); }

    void on_message(proton::delivery&, proton::message& m) override {
        if (m.correlation_id() != proton::message_id(waiting)) {
            fail("a reply without the request's correlation-id");
            return;
        }
        json told = describe(m, false);
        told["seq"] = command.number("first", 1) + received;
        command.event("reply", told);
        waiting.clear();
        if (++received == command.number("count", 0)) {
            finish({{"received", received}});
        } else {
            ask();
        }
    }

    long received = 0;
    std::string address, waiting;
    proton::sender sender;
};

class Respond : public Client {
    using Client::Client;

    void opened(proton::connection& c) override {
        proton::source_options s = source();
        c.open_receiver(command.text("address"), proton::receiver_options().source(s));
    }

    void on_receiver_open(proton::receiver& r) override {
        if (!r.source().address().empty()) {
            command.event("attached", {{"address", r.source().address()}});
        }
    }

    void on_message(proton::delivery&, proton::message& request) override {
        std::string to = request.reply_to();
        if (senders.count(to) == 0) {
            senders[to] = connection.open_sender(to);
        }
        proton::message reply(request.body());
        reply.inferred(request.inferred());
        reply.to(to);
        reply.correlation_id(request.id());
        waiting.emplace_back(to, reply);
        pump();
    }

    void on_sendable(proton::sender&) override { pump(); }

    // pump sends the replies whose link has credit.
    void pump() {
        std::deque<std::pair<std::string, proton::message>> later;
        for (auto& [to, reply] : waiting) {
            if (senders[to].credit() > 0) {
                senders[to].send(reply);
            } else {
                later.emplace_back(to, reply);
            }
        }
        waiting.swap(later);
    }

    // A reply counts once the server has it.
    void on_tracker_accept(proton::tracker&) override {
        if (++received == command.number("count", 0)) {
            finish({{"received", received}});
        }
    }

    long received = 0;
    std::map<std::string, proton::sender> senders; // by reply-to
    std::deque<std::pair<std::string, proton::message>> waiting;
};

} // namespace

std::unique_ptr<Client> make_request(Command command) { return std::make_unique<Request>(std::move(command)); }
std::unique_ptr<Client> make_respond(Command command) { return std::make_unique<Respond>(std::move(command)); }
