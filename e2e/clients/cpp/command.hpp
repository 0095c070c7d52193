// One command: its fields with their defaults, and the way its events go out.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

using json = nlohmann::json;

class Command {
  public:
    explicit Command(json fields) : fields_(std::move(fields)) {}

    bool has(const std::string& name) const { return fields_.contains(name) && !fields_[name].is_null(); }
    const json& field(const std::string& name) const { return fields_.at(name); }
    std::string text(const std::string& name, const std::string& otherwise = "") const;
    long number(const std::string& name, long otherwise) const;
    bool flag(const std::string& name, bool otherwise = false) const;

    // Writes one event as one whole line.
    void event(const std::string& name, json more = json::object()) const;

  private:
    json fields_;
};
