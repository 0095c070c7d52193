'use strict';
// Receives, answers and tells messages.

const rhea = require('rhea');
const { Client } = require('./connection.js');
const { build, describe } = require('./message.js');
const { wrapMap } = require('./values.js');

const SECOND = 1; // rcv-settle-mode (amqp 2.8.3)
const SETTLED = 1; // snd-settle-mode (amqp 2.8.2)
const UNSETTLED = 0;
const UNSETTLED_STATE = 2; // terminus-durability (amqp 3.5.5)

const NO_LOCAL = 'apache.org:no-local-filter:list';

// isDurable: the command's subscription stays when it ends.
function isDurable(fields) {
    return fields.subscription && !fields.volatile;
}

// isThere: the link was not refused; rhea makes an empty source of one that is missing.
function isThere(remote) {
    return Boolean(remote && remote.address);
}

// source is where a command receives from.
function source(fields) {
    const s = { capabilities: [fields.kind, ...['shared', 'global'].filter((word) => fields[word])] };
    if (fields.dynamic) {
        s.dynamic = true;
    } else {
        s.address = fields.address;
    }
    if (fields.selector) {
        s.filter = rhea.filter.selector(fields.selector);
    }
    if (fields.no_local) {
        s.filter = { ...s.filter, 'no-local': rhea.types.wrap_described([], NO_LOCAL) };
    }
    if (fields.browse) {
        s.distribution_mode = 'copy';
    }
    if (isDurable(fields)) {
        s.durable = UNSETTLED_STATE;
        s.expiry_policy = 'never';
    }
    return s;
}

const ANSWERS = {
    accept: (delivery) => delivery.accept(),
    release: (delivery) => delivery.release(),
    reject: (delivery) => delivery.reject(),
    modify: (delivery, { failed = true, undeliverable = false, modify_annotations }) => delivery.modified({
        delivery_failed: failed,
        undeliverable_here: undeliverable,
        message_annotations: modify_annotations && wrapMap(modify_annotations),
    }),
};

class Receive extends Client {
    start() {
        this.told = 0;
        this.taken = 0;
        this.batched = []; // not answered yet
        this.unsettled = new Map(); // delivery → description, until the server has settled it

        const c = this.connect();
        c.on('receiver_open', (context) => this.opened(context.receiver));
        c.on('message', (context) => this.take(context.delivery, context.message));
        c.on('settled', (context) => this.confirmed(context.delivery));
        c.on('receiver_drained', () => this.drained());
        const options = {
            source: source(this.fields),
            credit_window: this.fields.drain ? 0 : this.fields.credit,
            autoaccept: false,
            rcv_settle_mode: this.fields.settle === 'second' ? SECOND : 0,
            snd_settle_mode: this.fields.settled ? SETTLED : UNSETTLED,
        };
        if (this.fields.link || this.fields.subscription) {
            options.name = this.fields.link || this.fields.subscription;
        }
        this.receiver = c.open_receiver(options);
    }

    opened(receiver) {
        if (!isThere(receiver.source)) {
            return; // refused: a detach with the reason follows (amqp 2.6.3)
        }
        this.event('attached', { address: receiver.source.address });
        if (this.fields.publish) {
            this.publish();
        }
        if (this.fields.drain) {
            receiver.add_credit(this.fields.credit);
            receiver.drain_credit();
        } else {
            this.watch();
        }
    }

    // publish sends messages over the receiver's own connection.
    publish() {
        const { address, kind, publish } = this.fields;
        let answered = 0;
        const sender = this.connection.open_sender({ target: { address, capabilities: [kind] } });
        sender.once('sendable', () => {
            for (let seq = 1; seq <= publish; seq++) {
                sender.send(build(this.fields, seq)); // rhea keeps what has no credit yet
            }
        });
        sender.on('accepted', () => {
            answered++;
            if (answered === publish) {
                this.event('published', {});
            }
        });
    }

    // watch ends the command when no message came for long enough.
    watch() {
        clearTimeout(this.idle);
        this.idle = setTimeout(() => this.stop('idle'), this.fields.idle_ms);
    }

    take(delivery, message) {
        if (this.reason || this.ended || this.fields.count > 0 && this.taken === this.fields.count) {
            return; // more than was asked for: given back when the link closes
        }
        this.taken++;
        if (!this.fields.drain) {
            this.watch();
        }
        this.batched.push({ delivery, told: describe(message, this.fields.typed) });
        if (this.batched.length >= this.fields.batch || this.taken === this.fields.count) {
            this.answer();
        }
        if (this.fields.drain && this.taken === this.fields.credit) {
            this.drained();
        }
    }

    answer() {
        const batched = this.batched;
        this.batched = [];
        for (const { delivery, told } of batched) {
            if (this.fields.ack === 'none') {
                this.tell(told);
                continue;
            }
            ANSWERS[this.fields.ack](delivery, this.fields);
            if (this.fields.settle === 'second' && !delivery.remote_settled) {
                this.unsettled.set(delivery, told);
            } else {
                this.tell(told);
            }
        }
    }

    confirmed(delivery) {
        const told = this.unsettled.get(delivery);
        if (told) {
            this.unsettled.delete(delivery);
            this.tell(told);
        }
    }

    tell(told) {
        this.told++;
        this.event('message', told);
        if (this.fields.count > 0 && this.told === this.fields.count) {
            this.stop('count');
        }
    }

    drained() {
        this.answer();
        this.stop('drained');
    }

    // stop gives up the link and, once the server has said the same, the connection.
    stop(reason) {
        if (this.reason || this.ended) {
            return;
        }
        clearTimeout(this.idle);
        this.reason = reason;
        this.answer();
        if (isDurable(this.fields)) {
            this.receiver.detach(); // closing it would delete the subscription
        } else {
            this.receiver.close();
        }
    }

    detached(part, context) {
        if (part === 'receiver' && this.reason) {
            this.finish({ received: this.told, reason: this.reason });
        } else {
            super.detached(part, context);
        }
    }

    fail(e) {
        clearTimeout(this.idle);
        super.fail(e);
    }
}

// Unsubscribe takes up a durable subscription and closes it for good.
class Unsubscribe extends Client {
    start() {
        const c = this.connect();
        c.on('receiver_open', (context) => {
            if (isThere(context.receiver.source)) {
                this.closing = true;
                context.receiver.close();
            }
        });
        c.open_receiver({ name: this.fields.link || this.fields.subscription, source: source({ ...this.fields, kind: 'topic' }), credit_window: 0 });
    }

    detached(part, context) {
        if (part === 'receiver' && this.closing) {
            this.finish({});
        } else {
            super.detached(part, context);
        }
    }
}

module.exports = { Receive, Unsubscribe, source, isThere };
