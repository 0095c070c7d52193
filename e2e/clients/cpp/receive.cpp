// Receives, answers and tells messages.
#include <proton/delivery.hpp>
#include <proton/delivery_mode.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/source.hpp>
#include <proton/symbol.hpp>
#include <proton/tracker.hpp>

#include <chrono>
#include <vector>

#include "client.hpp"
#include "messages.hpp"

namespace {

using Clock = std::chrono::steady_clock;

class Receive : public Client {
  public:
    explicit Receive(Command c)
        : Client(std::move(c)), count(command.number("count", 0)), batch(static_cast<size_t>(command.number("batch", 1))),
          credit(command.number("credit", 100)), drain(command.flag("drain")), ack(command.text("ack", "accept")),
          idle(command.number("idle_ms", 5'000)) {}

  private:
    struct Batched {
        proton::delivery delivery;
        json told;
    };

    void opened(proton::connection& c) override {
        proton::source_options s = source();
        proton::receiver_options o;
        o.source(s).auto_accept(false).credit_window(drain ? 0 : static_cast<int>(credit));
        o.delivery_mode(command.flag("settled") ? proton::delivery_mode::AT_MOST_ONCE : proton::delivery_mode::AT_LEAST_ONCE);
        if (!link_name().empty()) {
            o.name(link_name());
        }
        receiver = c.open_receiver(command.flag("dynamic") ? "" : command.text("address"), o);
    }

    void on_receiver_open(proton::receiver& r) override {
        if (r.source().address().empty()) {
            return; // refused: a detach with the reason follows (amqp 2.6.3)
        }
        command.event("attached", {{"address", r.source().address()}});
        last = Clock::now();
        if (command.has("publish")) {
            sender = connection.open_sender(command.text("address"), proton::sender_options().target(target()));
        }
        if (drain) {
            r.add_credit(static_cast<uint32_t>(credit));
            r.drain();
        }
        waiting = true;
    }

    // What the receiver's own connection sends.
    void on_sendable(proton::sender& s) override {
        while (sent < command.number("publish", 0) && s.credit() > 0) {
            s.send(build(command, ++sent));
        }
    }

    void on_tracker_accept(proton::tracker&) override {
        if (++published == command.number("publish", 0)) {
            command.event("published");
        }
    }

    // tick ends the command when no message came for long enough.
    void tick() override {
        if (waiting && !drain && Clock::now() >= last + idle) {
            stop("idle");
        }
    }

    void on_message(proton::delivery& d, proton::message& m) override {
        if (!reason.empty() || (count > 0 && taken == count)) {
            return; // more than was asked for: given back when the link closes
        }
        taken++;
        last = Clock::now();
        batched.push_back({d, describe(m, command.flag("typed"))});
        if (batched.size() >= batch || taken == count) {
            answer();
        }
    }

    void answer() {
        std::vector<Batched> answering;
        answering.swap(batched);
        for (Batched& b : answering) {
            if (ack == "accept") {
                b.delivery.accept();
            } else if (ack == "release") {
                b.delivery.release();
            } else if (ack == "reject") {
                b.delivery.reject();
            } else if (ack == "modify") {
                b.delivery.modify();
            } else if (ack != "none") {
                fail("Proton C++ has no answer " + ack);
                return;
            }
            command.event("message", b.told);
            told++;
        }
        if (count > 0 && told == count) {
            stop("count");
        }
    }

    void on_receiver_drain_finish(proton::receiver&) override {
        answer();
        stop("drained");
    }

    // stop gives up the link and, once the server has said the same, the connection.
    void stop(const char* why) {
        if (!reason.empty() || ended()) {
            return;
        }
        reason = why;
        answer();
        if (durable_subscription()) {
            receiver.detach(); // closing it would delete the subscription
        } else {
            receiver.close();
        }
    }

    void on_receiver_close(proton::receiver& r) override {
        if (reason.empty()) {
            Client::on_receiver_close(r);
        } else {
            finish({{"received", told}, {"reason", reason}});
        }
    }

    void on_receiver_detach(proton::receiver& r) override { on_receiver_close(r); }

    const long count;
    const size_t batch;
    const long credit;
    const bool drain;
    const std::string ack;
    const std::chrono::milliseconds idle;
    long taken = 0, told = 0, sent = 0, published = 0;
    std::vector<Batched> batched; // not answered yet
    std::string reason;
    bool waiting = false; // for messages
    Clock::time_point last;
    proton::receiver receiver;
    proton::sender sender;
};

// Takes up a durable subscription and closes it for good.
class Unsubscribe : public Client {
    using Client::Client;

    void opened(proton::connection& c) override {
        proton::source_options s = source("topic");
        proton::receiver_options o;
        o.source(s).credit_window(0).name(link_name());
        c.open_receiver(command.text("address"), o);
    }

    void on_receiver_open(proton::receiver& r) override {
        if (!r.source().address().empty()) {
            closing = true;
            r.close();
        }
    }

    void on_receiver_close(proton::receiver& r) override {
        if (closing) {
            finish(json::object());
        } else {
            Client::on_receiver_close(r);
        }
    }

    bool closing = false;
};

} // namespace

std::unique_ptr<Client> make_receive(Command command) { return std::make_unique<Receive>(std::move(command)); }
std::unique_ptr<Client> make_unsubscribe(Command command) { return std::make_unique<Unsubscribe>(std::move(command)); }
