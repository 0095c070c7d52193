'use strict';
// Request and reply over a temporary queue.

const { Client } = require('./connection.js');
const { build, describe } = require('./message.js');
const { source, isThere } = require('./receive.js');

class Request extends Client {
    start() {
        this.received = 0;
        const c = this.connect();
        c.on('receiver_open', (context) => {
            if (isThere(context.receiver.source)) {
                this.address = context.receiver.source.address;
                this.event('attached', { address: this.address });
                this.ask();
            }
        });
        c.on('sendable', () => this.ask());
        c.on('message', (context) => this.reply(context.message));
        for (const refusal of ['rejected', 'released', 'modified']) {
            c.on(refusal, () => this.fail(`request ${refusal}`));
        }
        this.sender = c.open_sender({ target: { address: this.fields.address, capabilities: [this.fields.kind] } });
        c.open_receiver({ source: { dynamic: true }, credit_window: 10 });
    }

    ask() {
        if (this.waiting || !this.address || !this.sender.sendable() || this.result !== undefined) {
            return;
        }
        const seq = this.fields.first + this.received;
        this.waiting = `${this.fields.producer}-${seq}`;
        this.sender.send({ ...build(this.fields, seq), message_id: this.waiting, reply_to: this.address });
    }

    reply(message) {
        if (message.correlation_id !== this.waiting) {
            this.fail('a reply without the request\'s correlation-id');
            return;
        }
        this.event('reply', { ...describe(message), seq: this.fields.first + this.received });
        this.waiting = undefined;
        this.received++;
        if (this.received === this.fields.count) {
            this.finish({ received: this.received });
        } else {
            this.ask();
        }
    }
}

class Respond extends Client {
    start() {
        this.received = 0;
        this.senders = new Map(); // by reply-to
        const c = this.connect();
        c.on('receiver_open', (context) => {
            if (isThere(context.receiver.source)) {
                this.event('attached', { address: context.receiver.source.address });
            }
        });
        c.on('message', (context) => this.answer(context.message));
        // A reply counts once the server has it.
        c.on('accepted', () => {
            this.received++;
            if (this.received === this.fields.count) {
                this.finish({ received: this.received });
            }
        });
        c.open_receiver({ source: source(this.fields), credit_window: this.fields.credit });
    }

    // answer hands the reply to rhea at once: it keeps what has no credit yet.
    answer(request) {
        const to = request.reply_to;
        if (!this.senders.has(to)) {
            this.senders.set(to, this.connection.open_sender(to));
        }
        this.senders.get(to).send({ to, correlation_id: request.message_id, body: request.body });
    }
}

module.exports = { Request, Respond };
