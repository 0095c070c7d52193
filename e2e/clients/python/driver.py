"""Drives Qpid Proton over the line protocol of ../PROTOCOL.md.

Each command runs in a thread of its own with a container of its own; a proton
container belongs to the thread that runs it.
"""

import json
import sys
import threading
import time

import proton
from proton import Delivery, Endpoint, Link, Message, Terminus, symbol
from proton.handlers import MessagingHandler, TransactionHandler
from proton.reactor import Container, DurableSubscription, Filter, LinkOption

import messages
import values

CAN = [
    "topic", "text", "settled", "reconnect", "settle-second", "batch", "drain", "selector",
    "browse", "dynamic", "request", "respond", "frame-size", "sasl-plain", "sasl-scram", "anonymous",
    "modify", "durable", "map", "list", "nested", "types", "message-id", "correlation-id", "char", "symbols",
    "tls", "sasl-external", "relay", "fields", "all-fields", "annotations", "no-local", "shared", "modify-plain", "modify-annotations",
    "undeliverable", "transactions", "sole", "conditions",
]
CANNOT = {"websocket": "proton-python's container dials TCP and TLS only"}
DEFAULTS = {
    "first": 1, "size": 64, "window": 1, "timeout_ms": 60_000, "idle_ms": 5_000, "credit": 100,
    "batch": 1, "kind": "queue", "producer": "", "count": 0, "durable": True,
}
OUTCOMES = {
    Delivery.ACCEPTED: "accepted", Delivery.REJECTED: "rejected",
    Delivery.RELEASED: "released", Delivery.MODIFIED: "modified",
}
ACKS = {
    "accept": Delivery.ACCEPTED, "release": Delivery.RELEASED,
    "reject": Delivery.REJECTED, "modify": Delivery.MODIFIED,
}

TRANSACTIONAL = 0x34  # the delivery state inside a transaction (amqp 4.5.8)

output_lock = threading.Lock()


class Capability(LinkOption):
    """Says at the remote terminus what kind of node an address names."""

    def __init__(self, *words):
        self.words = words

    def apply(self, link):
        terminus = link.source if link.is_receiver else link.target
        terminus.capabilities.put_array(False, proton.Data.SYMBOL)
        terminus.capabilities.enter()
        for word in self.words:
            terminus.capabilities.put_symbol(symbol(word))
        terminus.capabilities.exit()


class Modes(LinkOption):
    """The settlement modes of a link."""

    def __init__(self, settled=False, second=False):
        self.settled, self.second = settled, second

    def apply(self, link):
        link.snd_settle_mode = Link.SND_SETTLED if self.settled else Link.SND_UNSETTLED
        link.rcv_settle_mode = Link.RCV_SECOND if self.second else Link.RCV_FIRST


class Browse(LinkOption):
    def apply(self, link):
        link.source.distribution_mode = Terminus.DIST_MODE_COPY


class Filters(Filter):
    """A JMS selector, and the filter that leaves out what the connection itself sent."""

    def __init__(self, selector, no_local):
        filters = {}
        if selector:
            filters[symbol("selector")] = proton.Described(symbol("apache.org:selector-filter:string"), selector)
        if no_local:
            filters[symbol("no-local")] = proton.Described(symbol("apache.org:no-local-filter:list"), [])
        super().__init__(filters)


class Failed(Exception):
    def __init__(self, text, condition=None):
        super().__init__(text)
        self.condition = condition


class Timer:
    """Calls back on the container's thread."""

    def __init__(self, callback):
        self.callback = callback

    def on_timer_task(self, _):
        self.callback()


class Command(MessagingHandler):
    """One command: a connection and what is done over it."""

    def __init__(self, fields, **handler):
        super().__init__(auto_accept=False, auto_settle=False, prefetch=0, **handler)
        self.__dict__.update({**DEFAULTS, **fields})
        self.fields = fields
        self.failure = None
        self.finished = False

    def get(self, name):
        return self.fields.get(name)

    def event(self, name, **more):
        line = json.dumps({"id": self.id, "event": name, **more})
        with output_lock:
            print(line, flush=True)

    def run(self):
        try:
            result = self.go()
            self.event("done", **(result or {}))
        except Failed as failure:
            self.event("error", error=str(failure), condition=failure.condition or "")
        except Exception as failure:  # a driver's mistake is told, not lost
            self.event("error", error=f"{type(failure).__name__}: {failure}")

    def go(self):
        self.container = Container(self)
        if self.get("container"):
            self.container.container_id = self.get("container")
        self.container.run()
        if self.failure:
            raise self.failure
        return self.result()

    def result(self):
        return {}

    # What every connection needs.

    def on_start(self, event):
        event.reactor.schedule(self.timeout_ms / 1000, Timer(self.overdue))
        options = {"reconnect": None if self.get("reconnect") else False}
        if self.get("sole"):
            options["desired_capabilities"] = symbol("sole-connection-for-container")
        if self.get("max_frame_size"):
            options["max_frame_size"] = self.get("max_frame_size")
        if self.get("user"):
            options.update(user=self.get("user"), password=self.get("password") or "", sasl_enabled=True)
        options["allowed_mechs"] = self.get("sasl") or ("PLAIN SCRAM-SHA-512 SCRAM-SHA-256" if self.get("user") else "ANONYMOUS")
        if self.get("ca"):
            domain = proton.SSLDomain(proton.SSLDomain.MODE_CLIENT)
            domain.set_trusted_ca_db(self.get("ca"))
            # Not VERIFY_PEER_NAME: proton looks for names only, never for an address.
            domain.set_peer_authentication(proton.SSLDomain.VERIFY_PEER)
            if self.get("cert"):
                domain.set_credentials(self.get("cert"), self.get("key"), None)
            options["ssl_domain"] = domain
        self.connection = event.container.connect(self.get("url"), allow_insecure_mechs=True, heartbeat=60, **options)
        self.attach(event)

    def attach(self, event):
        pass

    def overdue(self):
        if not self.finished:
            self.fail("timed out")

    def fail(self, text, condition=None):
        if self.failure is None and not self.finished:
            self.failure = Failed(text, condition)
        self.stop()

    def stop(self):
        self.finished = True
        self.connection.close()
        self.container.stop()

    def finish(self):
        """Closes in order; on_connection_closed ends the loop."""
        self.finished = True
        self.connection.close()

    def on_connection_closed(self, event):
        self.container.stop()

    def remote_error(self, endpoint, what):
        condition = endpoint.remote_condition
        if condition:
            self.fail(f"{what}: {condition.description or condition.name}", condition.name)
        else:
            self.fail(f"{what} without a reason")

    def on_connection_error(self, event):
        self.remote_error(event.connection, "connection closed")

    def on_session_error(self, event):
        self.remote_error(event.session, "session ended")

    def on_link_error(self, event):
        self.remote_error(event.link, "link detached")

    def on_link_closing(self, event):
        if not self.finished:
            self.fail("link detached without a reason")

    def on_transport_error(self, event):
        condition = event.transport.condition
        # Proton never reconnects after a refusal of its credentials.
        if not self.get("reconnect") or condition and condition.name == "amqp:unauthorized-access":
            self.fail(f"transport: {condition.description if condition else 'closed'}", condition.name if condition else None)

    def on_disconnected(self, event):
        if not self.get("reconnect") and not self.finished:
            self.fail("connection lost")


class Connect(Command):
    def on_connection_opened(self, event):
        self.finish()


class Capabilities(Command):
    def go(self):
        version = ".".join(str(n) for n in proton.VERSION)
        return {"client": "proton-python", "version": version, "can": CAN, "cannot": CANNOT, "types": list(values.MAKERS)}


class Sending(Command):
    """Shared by send, request and respond: what a message looks like."""

    def message(self, seq):
        return messages.build(self, seq)


class Transaction(TransactionHandler):
    """The one transaction of a command."""

    def __init__(self, command, container, connection):
        super().__init__()
        self.command = command
        self.open = self.ending = False
        self.transaction = container.declare_transaction(connection, handler=self)

    def on_transaction_declared(self, event):
        self.open = True
        self.command.declared()

    def on_transaction_declare_failed(self, event):
        self.command.fail("transaction not declared")

    def send(self, sender, message):
        return self.transaction.send(sender, message)

    def accept(self, delivery):
        self.transaction.accept(delivery)

    def end(self, how, then):
        if self.ending:
            return
        self.ending, self.then = True, then
        if how == "commit":
            self.transaction.commit()
        elif how == "rollback":
            self.transaction.abort()
        else:  # left open
            then()

    def on_transaction_committed(self, event):
        self.then()

    def on_transaction_aborted(self, event):
        self.then()

    def on_transaction_commit_failed(self, event):
        condition = event.delivery.remote.condition
        self.command.fail("commit failed", condition.name if condition else None)


class Send(Sending):
    def __init__(self, fields):
        super().__init__(fields)
        self.next = self.first
        self.resend = []
        self.in_flight = {}  # delivery -> seq, in the order of sending
        self.accepted = self.refused = self.reconnects = 0
        self.transaction = None

    def result(self):
        return {"accepted": self.accepted, "refused": self.refused, "reconnects": self.reconnects}

    def attach(self, event):
        options = [Capability(self.kind), Modes(settled=bool(self.get("settled")))]
        target = None if self.get("relay") else self.address
        if self.get("transaction"):
            self.transaction = Transaction(self, self.container, self.connection)
        self.sender = event.container.create_sender(self.connection, target, options=options)

    def on_link_opened(self, event):
        if event.link != self.sender:
            return  # the coordinator's
        self.event("attached", address=event.link.remote_target.address)
        if self.accepted + self.refused or self.resend or self.in_flight:
            self.reconnects += 1
        self.pump()

    def on_sendable(self, event):
        self.pump()

    def declared(self):
        self.pump()

    def on_disconnected(self, event):
        # What proton's own example of a reconnecting sender does: what was not
        # confirmed is sent again once the link is back.
        lost = list(self.in_flight.values())
        self.in_flight.clear()
        self.resend = lost + self.resend
        if lost:
            self.event("lost", unanswered=lost)
        super().on_disconnected(event)

    def pump(self):
        if self.transaction and not self.transaction.open:
            return
        while self.sender.credit and len(self.in_flight) < self.window and not self.finished:
            if self.resend:
                seq = self.resend.pop(0)
            elif self.next < self.first + self.count:
                seq = self.next
                self.next += 1
            else:
                break
            if self.transaction:
                delivery = self.transaction.send(self.sender, self.message(seq))
            else:
                delivery = self.sender.send(self.message(seq))
            if self.get("settled"):
                delivery.settle()
                self.answer(seq, "accepted")
            else:
                self.in_flight[delivery] = seq
        if not self.in_flight and not self.resend and self.next == self.first + self.count and not self.finished:
            if self.transaction:
                self.transaction.end(self.get("transaction"), self.finish)
            else:
                self.finish()

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery.link.is_receiver or not delivery.updated:
            return
        if delivery not in self.in_flight:
            return
        outcome = OUTCOMES.get(delivery.remote_state)
        if delivery.remote_state == TRANSACTIONAL:
            outcome = OUTCOMES[delivery.remote.data[1].descriptor]  # of [transaction, outcome]
        if outcome is None:
            return
        seq = self.in_flight.pop(delivery)
        more = {}
        if outcome == "rejected" and delivery.remote.condition:
            more = {"condition": delivery.remote.condition.name, "error": delivery.remote.condition.description}
        delivery.settle()
        self.answer(seq, outcome, **more)
        self.pump()

    def answer(self, seq, outcome, **more):
        if outcome == "accepted":
            self.accepted += 1
        else:
            self.refused += 1
        self.event("outcome", seq=seq, outcome=outcome, **more)


class Receiving(Command):
    """Shared by receive and respond: attaching a receiver."""

    def attach(self, event):
        words = [self.kind] + [word for word in ("shared", "global") if self.get(word)]
        options = [Capability(*words), Modes(settled=bool(self.get("settled")), second=self.get("settle") == "second")]
        if self.get("selector") or self.get("no_local"):
            options.append(Filters(self.get("selector"), self.get("no_local")))
        if self.get("browse"):
            options.append(Browse())
        if self.durable_subscription():
            options.append(DurableSubscription())
        dynamic = bool(self.get("dynamic"))
        self.receiver = event.container.create_receiver(
            self.connection, None if dynamic else self.address, name=self.get("link") or self.get("subscription"),
            dynamic=dynamic, options=options)

    def durable_subscription(self):
        return self.get("subscription") and not self.get("volatile")

    def on_link_opened(self, event):
        if event.link.is_receiver:
            self.event("attached", address=event.receiver.remote_source.address)
            self.opened(event)


class Receive(Receiving):
    def __init__(self, fields):
        super().__init__(fields)
        self.taken = self.told = 0
        self.batched = []    # (delivery, description), not answered yet
        self.unsettled = {}  # delivery -> description, waiting for the server in mode second
        self.reason = None
        self.last = time.monotonic()
        self.transaction = None
        self.sender, self.sent = None, 0
        self.published = []  # not answered yet, of what this connection sent itself

    def result(self):
        return {"received": self.told, "reason": self.reason}

    def opened(self, event):
        if self.get("publish"):
            self.publish_own()
        if self.get("transaction"):
            self.transaction = Transaction(self, self.container, self.connection)
        else:
            self.start()

    def declared(self):
        self.start()

    def start(self):
        self.last = time.monotonic()
        if self.get("drain"):
            self.receiver.drain(self.credit)
            return
        self.receiver.flow(self.credit if not self.count else min(self.credit, self.count))
        self.watch()

    def publish_own(self):
        """Sends messages over the receiver's own connection."""
        self.sender = self.container.create_sender(self.connection, self.address, options=[Capability(self.kind)])

    def on_sendable(self, event):
        if event.link == self.sender and self.sent < (self.get("publish") or 0):
            while self.sent < self.get("publish") and self.sender.credit:
                self.sent += 1
                self.published.append(self.sender.send(messages.build(self, self.sent)))

    def watch(self):
        left = self.idle_ms / 1000 - (time.monotonic() - self.last)
        if self.finished:
            return
        if left <= 0:
            self.end("idle")
        else:
            self.container.schedule(left + 0.001, Timer(self.watch))

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery in self.published and delivery.updated:
            self.published.remove(delivery)
            delivery.settle()
            if not self.published:
                self.event("published")
        if not delivery.link.is_receiver:
            return
        if delivery in self.unsettled and delivery.settled:
            description = self.unsettled.pop(delivery)
            delivery.settle()
            self.tell(description)
        elif delivery.readable and not delivery.partial and delivery.link.current == delivery:
            self.take(delivery)
        self.check_drained()

    def take(self, delivery):
        message = Message()
        message.decode(delivery.link.recv(delivery.pending))
        delivery.link.advance()
        self.taken += 1
        self.last = time.monotonic()
        self.batched.append((delivery, messages.describe(message, self.get("typed"))))
        if len(self.batched) >= self.batch or self.taken == self.count:
            self.answer()
        if not self.get("drain"):
            outstanding = self.receiver.credit
            if outstanding <= self.credit // 2 and (not self.count or self.taken + outstanding < self.count):
                more = self.credit - outstanding
                if self.count:
                    more = min(more, self.count - self.taken - outstanding)
                self.receiver.flow(more)

    def answer(self):
        batched, self.batched = self.batched, []
        ack = self.get("ack") or "accept"
        for delivery, description in batched:
            if delivery.settled:
                delivery.settle()
                self.tell(description)
            elif ack == "none":
                self.tell(description)
            elif self.transaction:
                self.transaction.accept(delivery)
                self.tell(description)
            else:
                if ack == "modify":
                    delivery.local.failed = self.fields.get("failed", True)
                    delivery.local.undeliverable = bool(self.get("undeliverable"))
                    if self.get("modify_annotations"):
                        delivery.local.annotations = {
                            symbol(name): values.make(v) for name, v in self.get("modify_annotations").items()}
                delivery.update(ACKS[ack])
                if self.get("settle") == "second":
                    self.unsettled[delivery] = description
                else:
                    delivery.settle()
                    self.tell(description)

    def tell(self, description):
        self.event("message", **description)
        self.told += 1
        if self.count and self.told == self.count:
            self.end("count")

    def on_link_flow(self, event):
        self.check_drained()

    def check_drained(self):
        if self.get("drain") and not self.finished and not self.receiver.draining() \
                and not self.receiver.queued and not self.unsettled:
            self.answer()
            if not self.unsettled:
                self.end("drained")

    def end(self, reason):
        if self.finished or self.reason:
            return
        self.answer()
        self.reason = self.reason or reason
        if self.transaction:
            self.transaction.end(self.get("transaction"), self.leave)
        else:
            self.leave()

    def leave(self):
        if self.durable_subscription():
            self.receiver.detach()  # closing it would delete the subscription
        else:
            self.receiver.close()
        self.finish()


class Unsubscribe(Receiving):
    """Takes up a durable subscription and closes it for good."""

    def __init__(self, fields):
        super().__init__({**fields, "kind": "topic"})

    def opened(self, event):
        if event.receiver.remote_source.address:  # else refused: a detach with the reason follows (amqp 2.6.3)
            self.finished = True
            self.receiver.close()

    def on_link_closed(self, event):
        self.connection.close()


class Move(Receiving):
    """Moves messages from a queue to two queues and a topic, each in a transaction of its own."""

    def __init__(self, fields):
        super().__init__(fields)
        self.moved = 0
        self.reason = "count"
        self.current = None  # the delivery and message that is moved
        self.sent = []

    def result(self):
        return {"accepted": self.moved, "reason": self.reason}

    def attach(self, event):
        super().attach(event)
        self.senders = [
            event.container.create_sender(self.connection, self.address + end, options=[Capability(kind)])
            for end, kind in ((".a", "queue"), (".b", "queue"), (".t", "topic"))]

    def opened(self, event):
        self.receiver.flow(1)

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery.link.is_receiver:
            if delivery.readable and not delivery.partial and delivery.link.current == delivery:
                message = Message()
                message.decode(delivery.link.recv(delivery.pending))
                delivery.link.advance()
                self.current = delivery, message
                self.transaction = Transaction(self, self.container, self.connection)
        elif delivery in self.sent and delivery.updated:
            self.sent.remove(delivery)
            delivery.settle()
            if not self.sent:
                self.transaction.accept(self.current[0])
                self.transaction.end("commit", self.committed)

    def declared(self):
        _, message = self.current
        self.sent = [self.transaction.send(sender, message) for sender in self.senders]

    def committed(self):
        self.moved += 1
        self.event("moved")
        if self.moved == self.count:
            self.finish()
        else:
            self.receiver.flow(1)

    def on_transport_error(self, event):
        self.lost()

    def on_disconnected(self, event):
        self.lost()

    def lost(self):
        if not self.finished:
            self.reason = "lost"
            self.stop()


class Request(Sending):
    """Sends with a node of the server's making as reply-to."""

    def __init__(self, fields):
        super().__init__(fields)
        self.received = 0
        self.waiting = None

    def result(self):
        return {"received": self.received}

    def attach(self, event):
        self.sender = event.container.create_sender(self.connection, self.address, options=[Capability(self.kind)])
        self.replies = event.container.create_receiver(self.connection, None, dynamic=True)
        self.replies.flow(10)

    def on_link_opened(self, event):
        if event.link.is_receiver:
            self.event("attached", address=self.replies.remote_source.address)
        self.pump()

    def on_sendable(self, event):
        self.pump()

    def pump(self):
        if self.waiting is not None or not self.sender.credit or not self.replies.remote_source.address:
            return
        seq = self.first + self.received
        message = self.message(seq)
        message.id = f"{self.producer}-{seq}"
        message.reply_to = self.replies.remote_source.address
        self.waiting = message.id
        self.sender.send(message)

    def on_delivery(self, event):
        delivery = event.delivery
        if not delivery.link.is_receiver:
            if delivery.updated:
                if delivery.remote_state != Delivery.ACCEPTED:
                    self.fail(f"request {OUTCOMES.get(delivery.remote_state)}")
                delivery.settle()
            return
        if not delivery.readable or delivery.partial or delivery.link.current != delivery:
            return
        reply = Message()
        reply.decode(delivery.link.recv(delivery.pending))
        delivery.link.advance()
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()
        self.replies.flow(1)
        if reply.correlation_id != self.waiting:
            self.fail("a reply without the request's correlation-id")
            return
        self.event("reply", **{**messages.describe(reply), "seq": self.first + self.received})
        self.received += 1
        self.waiting = None
        if self.received == self.count:
            self.finish()
        else:
            self.pump()


class Respond(Receiving):
    """Echoes messages to their reply-to."""

    def __init__(self, fields):
        super().__init__(fields)
        self.received = 0
        self.senders = {}
        self.waiting = []  # (sender, reply) without credit yet
        self.replies = set()

    def result(self):
        return {"received": self.received}

    def opened(self, event):
        self.receiver.flow(min(self.credit, self.count))

    def on_sendable(self, event):
        self.pump()

    def pump(self):
        later = []
        for sender, reply in self.waiting:
            if sender.credit:
                self.replies.add(sender.send(reply))
            else:
                later.append((sender, reply))
        self.waiting = later

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery in self.replies:
            if delivery.updated:
                self.replies.discard(delivery)
                delivery.settle()
                self.received += 1
                if self.received == self.count:
                    self.finish()
            return
        if not delivery.readable or delivery.partial or delivery.link.current != delivery:
            return
        request = Message()
        request.decode(delivery.link.recv(delivery.pending))
        delivery.link.advance()
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()
        to = request.reply_to
        if to not in self.senders:
            self.senders[to] = self.container.create_sender(self.connection, to)
        body = request.body
        if isinstance(body, memoryview):  # of the request's memory, which goes before a reply that waits for credit
            body = body.tobytes()
        reply = Message(address=to, correlation_id=request.id, body=body, inferred=request.inferred)
        self.waiting.append((self.senders[to], reply))
        self.pump()


COMMANDS = {
    "capabilities": Capabilities, "connect": Connect, "send": Send,
    "receive": Receive, "unsubscribe": Unsubscribe, "request": Request, "respond": Respond, "move": Move,
}


def main():
    for line in sys.stdin:
        fields = json.loads(line)
        if fields["cmd"] == "quit":
            return
        command = COMMANDS.get(fields["cmd"])
        if command is None:
            Command(fields).event("error", error=f"no command {fields['cmd']}")
            continue
        threading.Thread(target=command(fields).run, daemon=True).start()


main()
