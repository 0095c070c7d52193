// Sends with a window of unanswered messages. Proton connects again and opens its
// links again by itself; what was unanswered it forgets, so sending that again is
// its users' business.
#include <proton/delivery_mode.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/target.hpp>
#include <proton/tracker.hpp>

#include <deque>
#include <map>

#include "client.hpp"
#include "messages.hpp"

namespace {

class Send : public Client {
  public:
    explicit Send(Command c)
        : Client(std::move(c)), settled(command.flag("settled")), window(static_cast<size_t>(command.number("window", 1))),
          next(command.number("first", 1)), end(next + command.number("count", 0)) {}

  private:
    void opened(proton::connection& c) override {
        proton::sender_options o;
        o.target(target());
        o.delivery_mode(settled ? proton::delivery_mode::AT_MOST_ONCE : proton::delivery_mode::AT_LEAST_ONCE);
        relay = command.flag("relay");
        sender = c.open_sender(relay ? "" : command.text("address"), o);
    }

    void on_sender_open(proton::sender& s) override {
        sender = s;
        if (s.target().address().empty() && !relay) {
            return; // refused: a detach with the reason follows (amqp 2.6.3)
        }
        command.event("attached", {{"address", s.target().address()}});
        reconnects += attached ? 1 : 0;
        attached = true;
        pump();
    }

    void on_sendable(proton::sender&) override { pump(); }

    void lost() override {
        std::vector<long> unanswered;
        for (const auto& [seq, tracker] : in_flight) {
            unanswered.push_back(seq);
        }
        in_flight.clear();
        resend.insert(resend.begin(), unanswered.begin(), unanswered.end());
        if (!unanswered.empty()) {
            command.event("lost", {{"unanswered", unanswered}});
        }
    }

    void pump() {
        while (sender.credit() > 0 && in_flight.size() < window && !ended()) {
            long seq;
            if (!resend.empty()) {
                seq = resend.front();
                resend.pop_front();
            } else if (next < end) {
                seq = next++;
            } else {
                break;
            }
            proton::tracker tracker = sender.send(build(command, seq));
            if (settled) {
                answer(seq, "accepted");
            } else {
                in_flight.emplace(seq, tracker);
            }
        }
        if (in_flight.empty() && resend.empty() && next == end) {
            finish({{"accepted", accepted}, {"refused", refused}, {"reconnects", reconnects}});
        }
    }

    void on_tracker_accept(proton::tracker& t) override { answered(t, "accepted"); }
    void on_tracker_reject(proton::tracker& t) override { answered(t, "rejected"); }
    void on_tracker_release(proton::tracker& t) override {
        answered(t, t.state() == proton::transfer::MODIFIED ? "modified" : "released");
    }

    void answered(proton::tracker& t, const char* outcome) {
        // The oldest is answered first, or nearly so.
        for (auto it = in_flight.begin(); it != in_flight.end(); ++it) {
            if (it->second == t) {
                long seq = it->first;
                in_flight.erase(it);
                answer(seq, outcome);
                pump();
                return;
            }
        }
    }

    void answer(long seq, const std::string& outcome) {
        (outcome == "accepted" ? accepted : refused)++;
        command.event("outcome", {{"seq", seq}, {"outcome", outcome}});
    }

    const bool settled;
    const size_t window;
    long next, end;
    std::deque<long> resend;
    std::map<long, proton::tracker> in_flight; // by number, which is the order of sending
    long accepted = 0, refused = 0, reconnects = 0;
    bool attached = false, relay = false;
    proton::sender sender;
};

} // namespace

std::unique_ptr<Client> make_send(Command command) { return std::make_unique<Send>(std::move(command)); }
