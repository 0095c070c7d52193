#include "messages.hpp"

#include <openssl/evp.h>
#include <proton/annotation_key.hpp>
#include <proton/binary.hpp>
#include <proton/codec/map.hpp>
#include <proton/duration.hpp>
#include <proton/timestamp.hpp>

#include <cmath>
#include <map>

#include "values.hpp"

namespace {

// The body of message seq: size bytes.
std::string filling(const std::string& producer, long seq, size_t size) {
    std::string unit = producer + "/" + std::to_string(seq) + ";";
    std::string body;
    body.reserve(size + unit.size());
    while (body.size() < size) {
        body += unit;
    }
    body.resize(size);
    return body;
}

proton::scalar property(const json& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_string()) return value.get<std::string>();
    double number = value.get<double>();
    if (number == std::floor(number)) return static_cast<int64_t>(number);
    return number;
}

// The body's bytes, whichever section carries it.
std::string bytes(const proton::message& message) {
    switch (message.body().type()) {
    case proton::BINARY: {
        proton::binary b = proton::get<proton::binary>(message.body());
        return std::string(b.begin(), b.end());
    }
    case proton::STRING: return proton::get<std::string>(message.body());
    default: return "";
    }
}

std::string sha256(const std::string& body) {
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(body.data(), body.size(), sum, &size, EVP_sha256(), nullptr);
    return tell(proton::binary(sum, sum + size)).get<std::string>().substr(sizeof("binary:") - 1);
}

// The fields of the properties section, but for the ids.
void set_field(proton::message& m, const std::string& name, const proton::scalar& v) {
    if (name == "user_id") {
        proton::binary b = proton::get<proton::binary>(v);
        m.user(std::string(b.begin(), b.end()));
    } else if (name == "absolute_expiry_time") {
        m.expiry_time(proton::get<proton::timestamp>(v));
    } else if (name == "creation_time") {
        m.creation_time(proton::get<proton::timestamp>(v));
    } else if (name == "group_sequence") {
        m.group_sequence(static_cast<int32_t>(proton::get<uint32_t>(v)));
    } else {
        using Setter = void (proton::message::*)(const std::string&);
        static const std::map<std::string, Setter> setters = {
            {"to", &proton::message::to}, {"subject", &proton::message::subject}, {"reply_to", &proton::message::reply_to},
            {"content_type", &proton::message::content_type}, {"content_encoding", &proton::message::content_encoding},
            {"group_id", &proton::message::group_id}, {"reply_to_group_id", &proton::message::reply_to_group_id},
        };
        (m.*setters.at(name))(proton::coerce<std::string>(v));
    }
}

// Proton does not tell a field that is absent from one that is empty or 0.
json tell_fields(const proton::message& m) {
    std::string user = m.user();
    json told = json::object();
    const std::map<std::string, proton::scalar> fields = {
        {"to", m.to()}, {"subject", m.subject()}, {"reply_to", m.reply_to()}, {"user_id", proton::binary(user.begin(), user.end())},
        {"content_type", proton::symbol(m.content_type())}, {"content_encoding", proton::symbol(m.content_encoding())},
        {"absolute_expiry_time", m.expiry_time()}, {"creation_time", m.creation_time()}, {"group_id", m.group_id()},
        {"group_sequence", static_cast<uint32_t>(m.group_sequence())}, {"reply_to_group_id", m.reply_to_group_id()},
    };
    for (const auto& [name, value] : fields) {
        std::string text = tell(proton::value(value)).get<std::string>();
        std::string of_type = text.substr(text.find(':') + 1);
        if (!of_type.empty() && of_type != "0") {
            told[name] = text;
        }
    }
    return told;
}

} // namespace

proton::message build(const Command& command, long seq) {
    std::string producer = command.text("producer");
    proton::message message;
    message.durable(command.flag("durable", true));
    message.properties().put("producer", producer);
    message.properties().put("seq", static_cast<int64_t>(seq));
    if (command.has("properties")) {
        for (const auto& [name, value] : command.field("properties").items()) {
            message.properties().put(name, property(value));
        }
    }
    if (command.has("typed_properties")) {
        for (const auto& [name, value] : command.field("typed_properties").items()) {
            message.properties().put(name, make_scalar(value.get<std::string>()));
        }
    }
    if (command.has("value")) {
        message.body(make_value(command.field("value")));
    } else if (command.has("text")) {
        message.body(command.text("text"));
    } else {
        std::string body = filling(producer, seq, static_cast<size_t>(command.number("size", 64)));
        if (command.text("body", "data") == "text") {
            message.body(body);
        } else {
            message.body(proton::binary(body.begin(), body.end()));
            message.inferred(true); // as a data section
        }
    }
    if (command.has("priority")) {
        message.priority(static_cast<uint8_t>(command.number("priority", 4)));
    }
    if (command.number("ttl_ms", 0) > 0) {
        message.ttl(proton::duration(static_cast<uint64_t>(command.number("ttl_ms", 0))));
    }
    if (command.has("message_id")) {
        message.id(make_id(command.text("message_id")));
    }
    if (command.has("correlation_id")) {
        message.correlation_id(make_id(command.text("correlation_id")));
    }
    if (command.has("fields")) {
        for (const auto& [name, value] : command.field("fields").items()) {
            set_field(message, name, make_scalar(value.get<std::string>()));
        }
    }
    if (command.has("annotations")) {
        for (const auto& [name, value] : command.field("annotations").items()) {
            message.message_annotations().put(proton::symbol(name), make_scalar(value.get<std::string>()));
        }
    }
    if (command.number("delay_ms", 0) > 0) {
        message.message_annotations().put(proton::symbol("x-opt-delivery-delay"), static_cast<int64_t>(command.number("delay_ms", 0)));
    }
    if (command.flag("relay")) {
        message.to(command.text("address"));
    }
    return message;
}

json describe(const proton::message& message, bool typed) {
    std::string body = bytes(message);
    std::map<std::string, proton::scalar> properties;
    if (!message.properties().empty()) {
        proton::get(message.properties().value(), properties);
    }
    json told = {
        {"size", body.size()},
        {"sha256", sha256(body)},
        {"durable", message.durable()},
        {"priority", message.priority()},
        {"delivery_count", message.delivery_count()},
        {"redelivered", message.delivery_count() > 0},
        {"properties", json::object()},
    };
    for (const auto& [name, value] : properties) {
        told["properties"][name] = plain(value);
    }
    for (const char* name : {"producer", "seq"}) {
        if (properties.count(name) > 0) {
            told[name] = plain(properties[name]);
        }
    }
    if (body.size() <= 256) {
        told["text"] = body;
    }
    if (typed) {
        told["typed_properties"] = json::object();
        for (const auto& [name, value] : properties) {
            told["typed_properties"][name] = tell(value);
        }
        told["fields"] = tell_fields(message);
        std::map<proton::annotation_key, proton::value> annotations;
        if (!message.message_annotations().empty()) {
            proton::get(message.message_annotations().value(), annotations);
        }
        told["annotations"] = json::object();
        for (const auto& [name, value] : annotations) {
            told["annotations"][proton::to_string(name)] = tell(value);
        }
        if (!message.id().empty()) {
            told["message_id"] = tell(message.id());
        }
        if (!message.correlation_id().empty()) {
            told["correlation_id"] = tell(message.correlation_id());
        }
        if (!message.inferred() || message.body().type() == proton::LIST) { // an amqp-value section or a sequence
            told["value"] = tell(message.body());
        }
    }
    return told;
}
