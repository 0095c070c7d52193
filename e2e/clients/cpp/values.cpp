#include "values.hpp"

#include <proton/binary.hpp>
#include <proton/codec/map.hpp>
#include <proton/codec/vector.hpp>
#include <proton/null.hpp>
#include <proton/symbol.hpp>
#include <proton/timestamp.hpp>
#include <proton/uuid.hpp>

#include <map>
#include <stdexcept>
#include <vector>

const char* const value_types[18] = {
    "null", "boolean", "ubyte", "ushort", "uint", "ulong", "byte", "short", "int",
    "long", "float", "double", "char", "timestamp", "uuid", "binary", "string", "symbol",
};

namespace {

proton::binary from_hex(const std::string& digits) {
    proton::binary bytes;
    for (size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

std::string to_hex(const proton::binary& bytes) {
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (uint8_t b : bytes) {
        text += digits[b >> 4];
        text += digits[b & 15];
    }
    return text;
}

proton::uuid make_uuid(std::string text) {
    std::string digits;
    for (char c : text) {
        if (c != '-') {
            digits += c;
        }
    }
    proton::binary bytes = from_hex(digits);
    if (bytes.size() != 16) {
        throw std::invalid_argument(text + " is no UUID");
    }
    return proton::uuid::copy(reinterpret_cast<const char*>(bytes.data()));
}

// The one character of a UTF-8 text.
wchar_t decode_char(const std::string& text) {
    unsigned char first = text.empty() ? 0 : static_cast<unsigned char>(text[0]);
    if (first < 0x80) {
        return static_cast<wchar_t>(first);
    }
    wchar_t c = first >= 0xf0 ? first & 0x07 : first >= 0xe0 ? first & 0x0f : first & 0x1f;
    for (size_t i = 1; i < text.size(); i++) {
        c = (c << 6) | (text[i] & 0x3f);
    }
    return c;
}

std::string encode_char(wchar_t wide) {
    uint32_t c = static_cast<uint32_t>(wide);
    std::string text;
    if (c < 0x80) {
        return std::string(1, static_cast<char>(c));
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    text += static_cast<char>(lead[more] | (c >> (6 * more)));
    while (more-- > 0) {
        text += static_cast<char>(0x80 | ((c >> (6 * more)) & 0x3f));
    }
    return text;
}

template <class T> std::string number(const proton::value& v) {
    return json(proton::get<T>(v)).dump();
}

} // namespace

proton::scalar make_scalar(const std::string& written) {
    size_t colon = written.find(':');
    std::string type = written.substr(0, colon);
    std::string text = colon == std::string::npos ? "" : written.substr(colon + 1);
    if (type == "null") return proton::null();
    if (type == "boolean") return text == "true";
    if (type == "ubyte") return static_cast<uint8_t>(std::stoul(text));
    if (type == "ushort") return static_cast<uint16_t>(std::stoul(text));
    if (type == "uint") return static_cast<uint32_t>(std::stoul(text));
    if (type == "ulong") return static_cast<uint64_t>(std::stoull(text));
    if (type == "byte") return static_cast<int8_t>(std::stoi(text));
    if (type == "short") return static_cast<int16_t>(std::stoi(text));
    if (type == "int") return static_cast<int32_t>(std::stol(text));
    if (type == "long") return static_cast<int64_t>(std::stoll(text));
    if (type == "float") return std::stof(text);
    if (type == "double") return std::stod(text);
    if (type == "char") return decode_char(text);
    if (type == "timestamp") return proton::timestamp(std::stoll(text));
    if (type == "uuid") return make_uuid(text);
    if (type == "binary") return from_hex(text);
    if (type == "string") return text;
    if (type == "symbol") return proton::symbol(text);
    throw std::invalid_argument("no type in " + written);
}

proton::value make_value(const json& written) {
    if (written.is_array()) {
        std::vector<proton::value> list;
        for (const json& w : written) {
            list.push_back(make_value(w));
        }
        return list;
    }
    if (written.is_object()) {
        std::map<std::string, proton::value> map;
        for (const auto& [name, w] : written.items()) {
            map[name] = make_value(w);
        }
        return map;
    }
    return make_scalar(written.get<std::string>());
}

proton::message_id make_id(const std::string& written) {
    proton::scalar made = make_scalar(written);
    switch (made.type()) {
    case proton::ULONG: return proton::get<uint64_t>(made);
    case proton::UUID: return proton::get<proton::uuid>(made);
    case proton::BINARY: return proton::get<proton::binary>(made);
    default: return proton::get<std::string>(made);
    }
}

json tell(const proton::value& v) {
    switch (v.type()) {
    case proton::NULL_TYPE: return "null:";
    case proton::BOOLEAN: return "boolean:" + number<bool>(v);
    case proton::UBYTE: return "ubyte:" + number<uint8_t>(v);
    case proton::USHORT: return "ushort:" + number<uint16_t>(v);
    case proton::UINT: return "uint:" + number<uint32_t>(v);
    case proton::ULONG: return "ulong:" + number<uint64_t>(v);
    case proton::BYTE: return "byte:" + number<int8_t>(v);
    case proton::SHORT: return "short:" + number<int16_t>(v);
    case proton::INT: return "int:" + number<int32_t>(v);
    case proton::LONG: return "long:" + number<int64_t>(v);
    case proton::FLOAT: return "float:" + number<float>(v);
    case proton::DOUBLE: return "double:" + number<double>(v);
    case proton::CHAR: return "char:" + encode_char(proton::get<wchar_t>(v));
    case proton::TIMESTAMP: return "timestamp:" + std::to_string(proton::get<proton::timestamp>(v).milliseconds());
    case proton::UUID: return "uuid:" + proton::get<proton::uuid>(v).str();
    case proton::BINARY: return "binary:" + to_hex(proton::get<proton::binary>(v));
    case proton::STRING: return "string:" + proton::get<std::string>(v);
    case proton::SYMBOL: return "symbol:" + std::string(proton::get<proton::symbol>(v));
    case proton::LIST: {
        json list = json::array();
        for (const proton::value& e : proton::get<std::vector<proton::value>>(v)) {
            list.push_back(tell(e));
        }
        return list;
    }
    case proton::MAP: {
        json map = json::object();
        for (const auto& [name, e] : proton::get<std::map<std::string, proton::value>>(v)) {
            map[name] = tell(e);
        }
        return map;
    }
    default: return proton::type_name(v.type()) + ":" + proton::to_string(v);
    }
}

json plain(const proton::scalar& value) {
    switch (value.type()) {
    case proton::NULL_TYPE: return nullptr;
    case proton::BOOLEAN: return proton::get<bool>(value);
    case proton::STRING: return proton::get<std::string>(value);
    case proton::FLOAT:
    case proton::DOUBLE: return proton::coerce<double>(value);
    case proton::ULONG: return proton::get<uint64_t>(value);
    case proton::UBYTE:
    case proton::USHORT:
    case proton::UINT:
    case proton::BYTE:
    case proton::SHORT:
    case proton::INT:
    case proton::LONG: return proton::coerce<int64_t>(value);
    default: return proton::to_string(value);
    }
}
