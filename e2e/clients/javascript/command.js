'use strict';
// One command: its fields with their defaults, and the way its events go out.

const DEFAULTS = {
    kind: 'queue', producer: '', first: 1, count: 0, size: 64, durable: true, window: 1,
    credit: 100, idle_ms: 5000, batch: 1, ack: 'accept', timeout_ms: 60000,
};

const OVERDUE = 'timed out';

// event writes one event as one whole line; writes to a pipe are synchronous.
function event(id, name, more) {
    process.stdout.write(JSON.stringify({ ...more, id, event: name }) + '\n');
}

class Command {
    constructor(fields) {
        this.fields = { ...DEFAULTS, ...fields };
        this.ended = false;
        this.overdue = setTimeout(() => this.fail(OVERDUE), this.fields.timeout_ms);
    }

    event(name, more) {
        event(this.fields.id, name, more);
    }

    // end tells the last event, once. A second end is a late echo of the first.
    end(name, more) {
        if (this.ended) {
            return;
        }
        this.ended = true;
        clearTimeout(this.overdue);
        this.event(name, more);
    }
}

module.exports = { Command, event, OVERDUE };
