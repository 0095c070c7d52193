// The connection of one command: a container and a handler of its own, run by the
// command's thread.
#pragma once

#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/source_options.hpp>
#include <proton/target_options.hpp>
#include <proton/transport.hpp>

#include <chrono>
#include <memory>
#include <optional>

#include "command.hpp"

class Client : public proton::messaging_handler {
  public:
    explicit Client(Command command) : command(std::move(command)) {}

    // Runs the command to its last event.
    void run();

  protected:
    // Called once, when the connection is open.
    virtual void opened(proton::connection& connection) = 0;
    // Called at every loss of the connection.
    virtual void lost() {}
    // Called every few milliseconds. A container does not end before the last of
    // its timers, so there are none that wait for long.
    virtual void tick() {}

    // Closes the connection in order; its end is the command's.
    void finish(json result);
    void fail(const std::string& words, const std::string& condition = "");
    bool ended() const { return result_.has_value() || failed_; }

    proton::source_options source(const std::string& kind = "") const; // of the kind the command names, or of this
    proton::target_options target() const;
    // The command's subscription stays when it ends.
    bool durable_subscription() const;
    std::string link_name() const; // empty: the library's choice
    const Command command;

    void on_container_start(proton::container&) override;
    void on_connection_open(proton::connection&) override;
    void on_connection_error(proton::connection&) override;
    void on_connection_close(proton::connection&) override;
    void on_session_error(proton::session&) override;
    void on_sender_error(proton::sender&) override;
    void on_sender_close(proton::sender&) override;
    void on_receiver_error(proton::receiver&) override;
    void on_receiver_close(proton::receiver&) override;
    void on_transport_error(proton::transport&) override;
    void on_transport_close(proton::transport&) override;
    void on_error(const proton::error_condition&) override;

    proton::connection connection;

  private:
    proton::connection_options options() const;
    void ticking();
    void tell(); // the last event, once

    std::unique_ptr<proton::container> container_;
    std::chrono::steady_clock::time_point due_; // when the command is overdue
    std::optional<json> result_;
    bool opened_ = false, failed_ = false, told_ = false;
    std::string words_, condition_;
};

json capabilities();

// The commands; null for a name that is none.
std::unique_ptr<Client> make_connect(Command command);
std::unique_ptr<Client> make_send(Command command);
std::unique_ptr<Client> make_receive(Command command);
std::unique_ptr<Client> make_unsubscribe(Command command);
std::unique_ptr<Client> make_request(Command command);
std::unique_ptr<Client> make_respond(Command command);
