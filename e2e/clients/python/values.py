"""Values with their AMQP type, as PROTOCOL.md writes them: "int:7", and lists and
maps of those."""

import uuid

import proton

MAKERS = {
    "null": lambda text: None,
    "boolean": lambda text: text == "true",
    "ubyte": lambda text: proton.ubyte(int(text)),
    "ushort": lambda text: proton.ushort(int(text)),
    "uint": lambda text: proton.uint(int(text)),
    "ulong": lambda text: proton.ulong(int(text)),
    "byte": lambda text: proton.byte(int(text)),
    "short": lambda text: proton.short(int(text)),
    "int": lambda text: proton.int32(int(text)),
    "long": int,
    "float": lambda text: proton.float32(float(text)),
    "double": float,
    "char": proton.char,
    "timestamp": lambda text: proton.timestamp(int(text)),
    "uuid": uuid.UUID,
    "binary": bytes.fromhex,
    "string": str,
    "symbol": proton.symbol,
}

# The classes in which proton hands values over.
NAMES = {
    proton.ubyte: "ubyte", proton.ushort: "ushort", proton.uint: "uint", proton.ulong: "ulong",
    proton.byte: "byte", proton.short: "short", proton.int32: "int", int: "long",
    proton.float32: "float", float: "double", proton.char: "char", proton.timestamp: "timestamp",
    uuid.UUID: "uuid", str: "string", proton.symbol: "symbol",
}


def make(written):
    """The value for proton of a written one."""
    if isinstance(written, list):
        return [make(w) for w in written]
    if isinstance(written, dict):
        return {name: make(w) for name, w in written.items()}
    name, _, text = written.partition(":")
    return MAKERS[name](text)


def tell(value):
    """Writes a value that proton handed over."""
    if value is None:
        return "null:"
    if isinstance(value, bool):
        return f"boolean:{str(value).lower()}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"binary:{bytes(value).hex()}"
    if isinstance(value, (list, tuple)):
        return [tell(v) for v in value]
    if isinstance(value, dict):
        return {str(name): tell(v) for name, v in value.items()}
    name = NAMES.get(type(value), type(value).__name__)
    # The classes of numbers print themselves with their class.
    text = int(value) if isinstance(value, int) else float(value) if isinstance(value, float) else str(value)
    return f"{name}:{text}"


def tell_id(value):
    """Writes a message-id or correlation-id; proton has no class of its own for ulong there."""
    if isinstance(value, int):
        return f"ulong:{int(value)}"
    return tell(value)
