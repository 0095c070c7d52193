#include "client.hpp"

#include <proton/codec/encoder.hpp>
#include <proton/codec/vector.hpp>
#include <proton/duration.hpp>
#include <proton/error_condition.hpp>
#include <proton/map.hpp>
#include <proton/receiver.hpp>
#include <proton/reconnect_options.hpp>
#include <proton/sender.hpp>
#include <proton/session.hpp>
#include <proton/ssl.hpp>
#include <proton/symbol.hpp>
#include <proton/value.hpp>
#include <proton/work_queue.hpp>

#include <vector>

namespace {

// How long Proton waits before it dials again.
const proton::duration redial(20);

const proton::duration tick_time(25);

const char unauthorized[] = "amqp:unauthorized-access";

} // namespace

void Client::run() {
    try {
        container_ = std::make_unique<proton::container>(*this);
        container_->run();
    } catch (const std::exception& e) { // a driver's mistake is told, not lost
        if (!result_) {
            failed_ = true;
            words_ = e.what();
        }
    }
    tell();
}

void Client::tell() {
    if (told_) {
        return;
    }
    told_ = true;
    if (result_ && !failed_) {
        command.event("done", *result_);
    } else {
        command.event("error", {{"error", words_}, {"condition", condition_}});
    }
}

proton::connection_options Client::options() const {
    proton::connection_options o;
    std::string mechanisms = "ANONYMOUS";
    if (command.has("user")) {
        o.user(command.text("user"));
        o.password(command.text("password"));
        mechanisms = "PLAIN";
    }
    o.sasl_enabled(true).sasl_allow_insecure_mechs(true).sasl_allowed_mechs(command.text("sasl", mechanisms));
    if (command.has("ca")) {
        // Not VERIFY_PEER_NAME: Proton looks for names only, never for an address.
        std::string ca = command.text("ca");
        proton::ssl_client_options ssl(ca, proton::ssl::VERIFY_PEER);
        if (command.has("cert")) {
            ssl = proton::ssl_client_options(
                proton::ssl_certificate(command.text("cert"), command.text("key")), ca, proton::ssl::VERIFY_PEER);
        }
        o.ssl_client_options(ssl);
    }
    if (command.has("container")) {
        o.container_id(command.text("container"));
    }
    if (command.has("max_frame_size")) {
        o.max_frame_size(static_cast<uint32_t>(command.number("max_frame_size", 0)));
    }
    if (command.flag("sole")) {
        o.desired_capabilities({proton::symbol("sole-connection-for-container")});
    }
    if (command.flag("reconnect")) {
        o.reconnect(proton::reconnect_options().delay(redial).delay_multiplier(1).max_delay(redial));
    }
    return o;
}

void Client::on_container_start(proton::container& c) {
    due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(command.number("timeout_ms", 60'000));
    ticking();
    c.connect(command.text("url"), options());
}

void Client::ticking() {
    if (told_) {
        return;
    }
    if (std::chrono::steady_clock::now() >= due_) {
        failed_ = true;
        words_ = "timed out";
        tell();
        container_->stop();
        return;
    }
    if (opened_) {
        connection.work_queue().add([this] { tick(); }); // where the connection's own events run: it must not be touched from here
    }
    container_->schedule(tick_time, [this] { ticking(); });
}

void Client::on_connection_open(proton::connection& c) {
    connection = c;
    opened_ = true;
    if (!c.reconnected()) { // Proton opens links again by itself
        opened(c);
    }
}

void Client::finish(json result) {
    if (!ended()) {
        result_ = std::move(result);
        connection.close();
    }
}

void Client::fail(const std::string& words, const std::string& condition) {
    if (ended()) {
        return;
    }
    failed_ = true;
    words_ = words;
    condition_ = condition;
    tell();
    container_->stop();
}

void Client::on_connection_error(proton::connection& c) { fail(c.error().description(), c.error().name()); }
void Client::on_connection_close(proton::connection&) { fail("connection closed without a reason"); }
void Client::on_session_error(proton::session& s) { fail(s.error().description(), s.error().name()); }
void Client::on_sender_error(proton::sender& l) { fail(l.error().description(), l.error().name()); }
void Client::on_sender_close(proton::sender&) { fail("sender closed without a reason"); }
void Client::on_receiver_error(proton::receiver& l) { fail(l.error().description(), l.error().name()); }
void Client::on_receiver_close(proton::receiver&) { fail("receiver closed without a reason"); }
void Client::on_error(const proton::error_condition& e) { fail(e.description(), e.name()); }

void Client::on_transport_error(proton::transport& t) {
    lost();
    if (!command.flag("reconnect") || t.error().name() == unauthorized) {
        fail("transport: " + t.error().description(), t.error().name());
    }
}

void Client::on_transport_close(proton::transport&) {
    fail("connection lost");
    tell();
}

bool Client::durable_subscription() const { return command.has("subscription") && !command.flag("volatile"); }

std::string Client::link_name() const { return command.text("link", command.text("subscription")); }

namespace {

// A value with a descriptor, as filters are.
template <class T> proton::value described(const char* descriptor, const T& v) {
    proton::value made;
    proton::codec::encoder(made) << proton::codec::start::described() << proton::symbol(descriptor) << v << proton::codec::finish();
    return made;
}

} // namespace

proton::target_options Client::target() const {
    proton::target_options o;
    if (command.flag("relay")) { // each message says where it goes
        return o.anonymous(true);
    }
    o.capabilities({proton::symbol(command.text("kind", "queue"))});
    return o;
}

proton::source_options Client::source(const std::string& kind) const {
    proton::source_options o;
    std::vector<proton::symbol> words{kind.empty() ? command.text("kind", "queue") : kind};
    for (const char* word : {"shared", "global"}) {
        if (command.flag(word)) {
            words.push_back(word);
        }
    }
    o.capabilities(words);
    o.dynamic(command.flag("dynamic"));
    if (command.flag("browse")) {
        o.distribution_mode(proton::source::COPY);
    }
    proton::source::filter_map filters;
    if (command.has("selector")) {
        filters.put("selector", described("apache.org:selector-filter:string", command.text("selector")));
    }
    if (command.flag("no_local")) {
        filters.put("no-local", described("apache.org:no-local-filter:list", std::vector<proton::value>()));
    }
    if (!filters.empty()) {
        o.filters(filters);
    }
    if (durable_subscription()) {
        o.durability_mode(proton::source::UNSETTLED_STATE).expiry_policy(proton::source::NEVER);
    }
    return o;
}

namespace {

class Connect : public Client {
    using Client::Client;
    void opened(proton::connection&) override { finish(json::object()); }
};

} // namespace

std::unique_ptr<Client> make_connect(Command command) { return std::make_unique<Connect>(std::move(command)); }
