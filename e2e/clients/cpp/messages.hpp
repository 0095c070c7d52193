// Messages as the protocol describes them.
#pragma once

#include <proton/message.hpp>

#include "command.hpp"

// Makes message seq of a command.
proton::message build(const Command& command, long seq);

// What the protocol tells about a message.
json describe(const proton::message& message, bool typed);
