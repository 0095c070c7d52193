'use strict';
// Messages as the protocol describes them.

const { createHash } = require('node:crypto');
const rhea = require('rhea');
const { wrap, wrapMap, tell, tellMap } = require('./values.js');

// Descriptors of body sections (amqp 3.2.6, 3.2.7).
const DATA = 0x75;
const SEQUENCE = 0x76;

// filling is the body of message seq: size bytes.
function filling(producer, seq, size) {
    const unit = `${producer}/${seq};`;
    return unit.repeat(Math.floor(size / unit.length) + 1).slice(0, size);
}

function property(value) {
    if (typeof value !== 'number') {
        return value;
    }
    return Number.isInteger(value) ? rhea.types.wrap_long(value) : rhea.types.wrap_double(value);
}

function body(fields, seq) {
    if (fields.value !== undefined) {
        return wrap(fields.value);
    }
    if (fields.text !== undefined) {
        return fields.text;
    }
    const text = filling(fields.producer, seq, fields.size);
    return fields.body === 'text' ? text : rhea.message.data_section(Buffer.from(text));
}

// The fields of the properties section that are told, with the types that rhea
// gives them by itself.
const FIELDS = {
    to: 'string', subject: 'string', reply_to: 'string', user_id: 'binary', content_type: 'symbol', content_encoding: 'symbol',
    absolute_expiry_time: 'timestamp', creation_time: 'timestamp', group_id: 'string', group_sequence: 'uint',
    reply_to_group_id: 'string',
};

// field is the plain value for one of them.
function field(written) {
    const colon = written.indexOf(':');
    const [type, text] = [written.slice(0, colon), written.slice(colon + 1)];
    if (type === 'binary') {
        return Buffer.from(text, 'hex');
    }
    return type === 'timestamp' || type === 'uint' ? Number(text) : text;
}

function tellFields(message) {
    const told = {};
    for (const [name, type] of Object.entries(FIELDS)) {
        const value = message[name];
        if (value !== undefined && value !== null) {
            const text = type === 'binary' ? value.toString('hex') : type === 'timestamp' ? Number(value) : value;
            told[name] = `${type}:${text}`;
        }
    }
    return told;
}

// build makes message seq of a command.
function build(fields, seq) {
    const properties = { producer: fields.producer, seq: rhea.types.wrap_long(seq) };
    for (const [name, value] of Object.entries(fields.properties || {})) {
        properties[name] = property(value);
    }
    Object.assign(properties, wrapMap(fields.typed_properties || {}));
    const message = { durable: fields.durable, application_properties: properties, body: body(fields, seq) };
    if (fields.priority !== undefined) {
        message.priority = fields.priority;
    }
    if (fields.ttl_ms) {
        message.ttl = fields.ttl_ms;
    }
    for (const id of ['message_id', 'correlation_id']) {
        if (fields[id] !== undefined) {
            message[id] = wrap(fields[id]);
        }
    }
    for (const [name, written] of Object.entries(fields.fields || {})) {
        message[name] = field(written);
    }
    const annotations = wrapMap(fields.annotations || {});
    if (fields.delay_ms) {
        annotations['x-opt-delivery-delay'] = rhea.types.wrap_long(fields.delay_ms);
    }
    if (Object.keys(annotations).length > 0) {
        message.message_annotations = annotations;
    }
    if (fields.relay) {
        message.to = fields.address;
    }
    return message;
}

// bytes of a body, whichever section carries it.
function bytes(message) {
    const b = message.body;
    if (typeof b === 'string') {
        return Buffer.from(b);
    }
    if (b && b.typecode === DATA) {
        return b.multiple ? Buffer.concat(b.content) : b.content;
    }
    return Buffer.alloc(0);
}

// tellId writes a message-id or correlation-id: rhea knows ulong as a number or
// eight bytes, uuid and binary as bytes.
function tellId(id) {
    return id === undefined || id === null ? undefined : tell(id);
}

// describe is what the protocol tells about a message.
function describe(message, typed) {
    const b = bytes(message);
    const properties = message.application_properties || {};
    const count = message.delivery_count || 0;
    const told = {
        size: b.length,
        sha256: createHash('sha256').update(b).digest('hex'),
        properties,
        producer: properties.producer,
        seq: properties.seq,
        durable: Boolean(message.durable),
        priority: message.priority === undefined ? 4 : message.priority,
        delivery_count: count,
        redelivered: count > 0,
    };
    if (b.length <= 256) {
        told.text = b.toString();
    }
    if (typed) {
        told.typed_properties = tellMap(properties);
        told.fields = tellFields(message);
        told.annotations = tellMap(message.message_annotations);
        told.message_id = tellId(message.message_id);
        told.correlation_id = tellId(message.correlation_id);
        const section = message.body && message.body.typecode;
        if (section === SEQUENCE) {
            told.value = tell(message.body.multiple ? message.body.content.flat() : message.body.content);
        } else if (section !== DATA) {
            told.value = tell(message.body);
        }
    }
    return told;
}

module.exports = { build, describe };
