#include "command.hpp"

#include <iostream>
#include <mutex>

std::string Command::text(const std::string& name, const std::string& otherwise) const {
    return has(name) ? fields_[name].get<std::string>() : otherwise;
}

long Command::number(const std::string& name, long otherwise) const {
    return has(name) ? fields_[name].get<long>() : otherwise;
}

bool Command::flag(const std::string& name, bool otherwise) const {
    return has(name) ? fields_[name].get<bool>() : otherwise;
}

void Command::event(const std::string& name, json more) const {
    static std::mutex output;
    more["id"] = fields_.value("id", 0);
    more["event"] = name;
    // A body need not be UTF-8, a line must.
    std::string line = more.dump(-1, ' ', false, json::error_handler_t::replace);
    std::lock_guard<std::mutex> lock(output);
    std::cout << line << '\n' << std::flush;
}
