'use strict';
// Sends with a window of unanswered messages. rhea connects again and attaches
// its links by itself; what was unanswered it forgets, so sending that again is
// its users' business.

const { Client } = require('./connection.js');
const { build } = require('./message.js');

const SETTLED = 1; // snd-settle-mode (amqp 2.8.2)
const UNSETTLED = 0;

class Send extends Client {
    start() {
        this.next = this.fields.first;
        this.last = this.fields.first + this.fields.count - 1;
        this.resend = [];
        this.inFlight = new Map(); // rhea's delivery → number, in the order of sending
        this.counts = { accepted: 0, refused: 0, reconnects: 0 };
        this.attachedBefore = false;

        const c = this.connect();
        c.on('sender_open', (context) => this.opened(context.sender));
        c.on('sendable', () => this.pump());
        c.on('accepted', (context) => this.answered(context.delivery, 'accepted'));
        c.on('released', (context) => this.answered(context.delivery, 'released'));
        c.on('modified', (context) => this.answered(context.delivery, 'modified'));
        c.on('rejected', (context) => this.answered(context.delivery, 'rejected'));
        this.sender = c.open_sender({
            // Without an address each message says where it goes.
            target: this.fields.relay ? {} : { address: this.fields.address, capabilities: [this.fields.kind] },
            snd_settle_mode: this.fields.settled ? SETTLED : UNSETTLED,
            treat_modified_as_released: false,
        });
    }

    opened(sender) {
        if (!this.fields.relay && !(sender.target && sender.target.address)) {
            return; // refused: a detach with the reason follows (amqp 2.6.3)
        }
        this.event('attached', { address: sender.target.address });
        if (this.attachedBefore) {
            this.counts.reconnects++;
        }
        this.attachedBefore = true;
        this.pump();
    }

    disconnected(context) {
        const lost = [...this.inFlight.values()];
        this.inFlight.clear();
        this.resend = [...lost, ...this.resend];
        if (lost.length > 0) {
            this.event('lost', { unanswered: lost });
        }
        super.disconnected(context);
    }

    // pump sends while the window has room. rhea counts credit down only when it
    // writes, so what this very call sent is counted here.
    pump() {
        let room = this.sender.sendable() ? this.sender.credit : 0;
        while (room > 0 && this.inFlight.size < this.fields.window && this.result === undefined) {
            let seq;
            if (this.resend.length > 0) {
                seq = this.resend.shift();
            } else if (this.next <= this.last) {
                seq = this.next++;
            } else {
                break;
            }
            room--;
            const delivery = this.sender.send(build(this.fields, seq));
            if (this.fields.settled) {
                this.tell(seq, 'accepted');
            } else {
                this.inFlight.set(delivery, seq);
            }
        }
        this.check();
    }

    answered(delivery, outcome) {
        const seq = this.inFlight.get(delivery);
        if (seq === undefined) {
            return; // an answer to what was given up with its connection
        }
        this.inFlight.delete(delivery);
        const error = outcome === 'rejected' && delivery.remote_state && delivery.remote_state.error;
        this.tell(seq, outcome, error ? { condition: error.condition, error: error.description } : {});
        this.pump();
    }

    tell(seq, outcome, more) {
        this.counts[outcome === 'accepted' ? 'accepted' : 'refused']++;
        this.event('outcome', { seq, outcome, ...more });
    }

    check() {
        if (this.inFlight.size === 0 && this.resend.length === 0 && this.next > this.last) {
            this.finish(this.counts);
        }
    }
}

module.exports = { Send };
