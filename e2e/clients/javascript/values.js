'use strict';
// Values with their AMQP type, as PROTOCOL.md writes them: "int:7", and lists and
// maps of those.

const rhea = require('rhea');

const t = rhea.types;

// eight is a whole number in eight bytes: JavaScript's own numbers have 53 bits.
function eight(text) {
    const b = Buffer.alloc(8);
    b.writeBigUInt64BE(BigInt.asUintN(64, BigInt(text)));
    return b;
}

const WRAPPERS = {
    null: () => t.Null(),
    boolean: (text) => t.wrap_boolean(text === 'true'),
    ubyte: (text) => t.wrap_ubyte(Number(text)),
    ushort: (text) => t.wrap_ushort(Number(text)),
    uint: (text) => t.wrap_uint(Number(text)),
    ulong: (text) => t.wrap_ulong(eight(text)),
    byte: (text) => t.wrap_byte(Number(text)),
    short: (text) => t.wrap_short(Number(text)),
    int: (text) => t.wrap_int(Number(text)),
    long: (text) => t.wrap_long(eight(text)),
    float: (text) => t.wrap_float(Number(text)),
    double: (text) => t.wrap_double(Number(text)),
    char: (text) => t.wrap_char(text.codePointAt(0)),
    timestamp: (text) => t.wrap_timestamp(Number(text)),
    uuid: (text) => t.wrap_uuid(rhea.string_to_uuid(text)),
    binary: (text) => t.wrap_binary(Buffer.from(text, 'hex')),
    string: (text) => t.wrap_string(text),
    symbol: (text) => t.wrap_symbol(text),
};

// wrap makes rhea's value of a written one.
function wrap(written) {
    if (Array.isArray(written)) {
        return t.wrap_list(written.map(wrap));
    }
    if (typeof written === 'object') {
        return t.wrap_map(wrapMap(written));
    }
    const colon = written.indexOf(':');
    const wrapper = WRAPPERS[written.slice(0, colon)];
    if (!wrapper) {
        throw new Error(`no type in ${written}`);
    }
    return wrapper(written.slice(colon + 1));
}

function wrapMap(written) {
    return Object.fromEntries(Object.entries(written).map(([name, v]) => [name, wrap(v)]));
}

// tell writes a value that rhea handed over, as much as it tells of its type.
function tell(value) {
    if (value === null || value === undefined) {
        return 'null:';
    }
    if (Buffer.isBuffer(value)) {
        return 'binary:' + value.toString('hex');
    }
    if (value instanceof Date) {
        return 'timestamp:' + value.getTime();
    }
    if (Array.isArray(value)) {
        return value.map(tell);
    }
    if (typeof value === 'object') {
        return tellMap(value);
    }
    return `${typeof value}:${value}`; // number, string, boolean
}

function tellMap(value) {
    return Object.fromEntries(Object.entries(value || {}).map(([name, v]) => [name, tell(v)]));
}

module.exports = { wrap, wrapMap, tell, tellMap };
