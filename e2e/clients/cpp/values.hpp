// Values with their AMQP type, as PROTOCOL.md writes them: "int:7", and lists and
// maps of those.
#pragma once

#include <proton/message_id.hpp>
#include <proton/scalar.hpp>
#include <proton/value.hpp>

#include "command.hpp"

// The AMQP types that Proton C++ makes values of.
extern const char* const value_types[18];

proton::scalar make_scalar(const std::string& written);
proton::value make_value(const json& written);
proton::message_id make_id(const std::string& written);

json tell(const proton::value& value);

// A property as JSON has it.
json plain(const proton::scalar& value);
