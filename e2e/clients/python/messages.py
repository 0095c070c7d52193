"""Messages as ../PROTOCOL.md describes them."""

import hashlib

from proton import Message, symbol

import values

# The fields of the properties section that are told, by proton's names for them.
FIELDS = {
    "to": "address", "subject": "subject", "reply_to": "reply_to", "user_id": "user_id", "content_type": "content_type",
    "content_encoding": "content_encoding", "absolute_expiry_time": "expiry_time", "creation_time": "creation_time",
    "group_id": "group_id", "group_sequence": "group_sequence", "reply_to_group_id": "reply_to_group_id",
}
SYMBOLS = {"content_type", "content_encoding"}
TIMES = {"absolute_expiry_time", "creation_time"}


def filling(producer, seq, size):
    """The body of message seq: size bytes."""
    unit = f"{producer}/{seq};"
    return (unit * (size // len(unit) + 1))[:size].encode()


def body_of(message):
    body = message.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, memoryview)):
        return bytes(body)
    return b""


def plain(value):
    """A property as JSON has it."""
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def describe(message, typed=False):
    body = body_of(message)
    properties = dict(message.properties or {})
    event = {
        "size": len(body), "sha256": hashlib.sha256(body).hexdigest(),
        "properties": {name: plain(value) for name, value in properties.items()},
        "producer": properties.get("producer"), "seq": properties.get("seq"),
        "durable": message.durable, "priority": message.priority,
        "delivery_count": message.delivery_count,
        "redelivered": message.delivery_count > 0,
    }
    if len(body) <= 256:
        event["text"] = body.decode(errors="replace")
    if typed:
        event["typed_properties"] = {name: values.tell(value) for name, value in properties.items()}
        for field, value in ("message_id", message.id), ("correlation_id", message.correlation_id):
            if value is not None:
                event[field] = values.tell_id(value)
        event["fields"] = {
            name: tell_field(name, getattr(message, own)) for name, own in FIELDS.items() if getattr(message, own)}
        event["annotations"] = {str(name): values.tell(value) for name, value in (message.annotations or {}).items()}
        if not message.inferred or isinstance(message.body, list):  # an amqp-value section or a sequence, not data
            event["value"] = values.tell(message.body)
    return event


def tell_field(name, value):
    """Writes a field; proton hands all of them over in Python's own types."""
    if name in SYMBOLS:
        return f"symbol:{value}"
    if name in TIMES:
        return f"timestamp:{round(value * 1000)}"
    if name == "group_sequence":
        return f"uint:{value}"
    return values.tell(value)


def set_field(message, name, written):
    value = values.make(written)
    if name in TIMES:
        value = value / 1000  # seconds, as proton has them
    setattr(message, FIELDS[name], value)


def build(command, seq):
    """Message seq of a command."""
    text = command.get("text")
    body = text.encode() if text is not None else filling(command.producer, seq, command.size)
    properties = {"producer": command.producer, "seq": seq}
    for name, value in (command.get("properties") or {}).items():
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        properties[name] = value
    properties.update(values.make(command.get("typed_properties") or {}))
    message = Message(durable=command.durable, properties=properties, inferred=True)
    if command.get("message_id") is not None:
        message.id = values.make(command.get("message_id"))
    if command.get("correlation_id") is not None:
        message.correlation_id = values.make(command.get("correlation_id"))
    if command.get("value") is not None:
        message.inferred = False
        message.body = values.make(command.get("value"))
    elif command.get("body") == "text" or text is not None:
        message.inferred = False
        message.body = body.decode()
    else:
        message.body = body
    if command.get("priority") is not None:
        message.priority = command.get("priority")
    if command.get("ttl_ms"):
        message.ttl = command.get("ttl_ms") / 1000
    for name, written in (command.get("fields") or {}).items():
        set_field(message, name, written)
    annotations = {symbol(name): values.make(written) for name, written in (command.get("annotations") or {}).items()}
    if command.get("delay_ms"):
        annotations[symbol("x-opt-delivery-delay")] = command.get("delay_ms")
    if annotations:
        message.annotations = annotations
    if command.get("relay"):
        message.address = command.address
    return message
