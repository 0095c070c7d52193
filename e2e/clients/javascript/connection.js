'use strict';
// What the library can express, and the connection of one command.

const fs = require('node:fs');
const rhea = require('rhea');
const WebSocket = require('ws');
const { Command, OVERDUE } = require('./command.js');

const VERSION = require('rhea/package.json').version;

function capabilities() {
    return {
        client: 'rhea',
        version: VERSION,
        can: [
            'topic', 'text', 'settled', 'reconnect', 'settle-second', 'batch', 'drain', 'selector', 'browse', 'dynamic',
            'request', 'respond', 'frame-size', 'sasl-plain', 'anonymous', 'modify', 'durable', 'map', 'list', 'nested',
            'message-id', 'correlation-id', 'char', 'tls', 'sasl-external', 'websocket', 'relay', 'fields', 'all-fields',
            'annotations', 'no-local', 'shared', 'modify-plain', 'modify-annotations', 'undeliverable', 'sole', 'conditions',
        ],
        cannot: {
            'sasl-scram': 'rhea has the mechanisms ANONYMOUS, PLAIN, EXTERNAL and XOAUTH2 only',
            symbols: 'rhea hands symbols over as strings',
            transactions: 'rhea has neither a coordinator to attach to nor transactional states',
            types: 'rhea hands values over as JavaScript\'s own: numbers without their width, UUIDs and whole numbers past 53 bits as bytes',
        },
        types: [
            'null', 'boolean', 'ubyte', 'ushort', 'uint', 'ulong', 'byte', 'short', 'int', 'long', 'float', 'double',
            'char', 'timestamp', 'uuid', 'binary', 'string', 'symbol',
        ],
    };
}

// How long rhea waits before it dials again.
const REDIAL_MS = 20;

// Client is a command with a connection.
class Client extends Command {
    // connect opens the connection; everything that can go wrong with it fails the command.
    connect() {
        const url = new URL(this.fields.url);
        const options = {
            host: url.hostname,
            port: Number(url.port),
            sasl_mechanisms: this.mechanisms(),
            reconnect: this.fields.reconnect ? REDIAL_MS : false,
        };
        if (this.fields.container) {
            options.container_id = this.fields.container;
        }
        if (this.fields.sole) {
            options.desired_capabilities = ['sole-connection-for-container'];
        }
        if (this.fields.max_frame_size) {
            options.max_frame_size = this.fields.max_frame_size;
        }
        const container = rhea.create_container();
        const secrets = this.secrets();
        if (url.protocol === 'amqps:') {
            Object.assign(options, secrets, { transport: 'tls' });
        } else if (url.protocol.startsWith('ws')) {
            const dial = container.websocket_connect(WebSocket);
            // As rhea's users in browsers ask for it.
            options.connection_details = dial(this.fields.url, ['binary', 'AMQPWSB10', 'amqp'], secrets);
        }
        this.connection = container.create_connection(options);
        this.listen();
        this.connection.connect();
        return this.connection;
    }

    // secrets is what TLS needs: whom to trust, and who we are.
    secrets() {
        const { ca, cert, key } = this.fields;
        const read = (file) => (file ? fs.readFileSync(file) : undefined);
        return { ca: read(ca), cert: read(cert), key: read(key), servername: 'localhost' };
    }

    mechanisms() {
        const { sasl, user, password } = this.fields;
        const mechanisms = rhea.sasl.client_mechanisms();
        const wanted = sasl || (user ? 'PLAIN' : 'ANONYMOUS');
        if (wanted === 'PLAIN') {
            mechanisms.enable_plain(user || '', password || '');
        } else if (wanted === 'ANONYMOUS') {
            mechanisms.enable_anonymous('anonymous');
        } else if (wanted === 'EXTERNAL') {
            mechanisms.enable_external();
        } else {
            throw new Error(`rhea has no SASL mechanism ${wanted}`);
        }
        return mechanisms;
    }

    listen() {
        const c = this.connection;
        // A server that shuts down says so: rhea's own default is to connect again.
        c.on('connection_error', (context) => {
            if (!(this.fields.reconnect && context.error.condition === 'amqp:connection:forced')) {
                this.fail(context.error);
            }
        });
        c.on('connection_close', (context) => {
            if (!context.connection.error || this.result !== undefined) {
                this.closed();
            }
        });
        for (const part of ['session', 'sender', 'receiver']) {
            // Later: rhea tells the answers that it read before the detach after it.
            c.on(`${part}_error`, (context) => setImmediate(() => this.fail(context[part].error)));
            c.on(`${part}_close`, (context) => this.detached(part, context));
        }
        c.on('protocol_error', (e) => this.fail(e));
        c.on('error', (e) => this.fail(e));
        c.on('disconnected', (context) => this.disconnected(context));
    }

    // detached: a link or session that ends before the command did is a failure.
    detached(part, context) {
        if (this.result === undefined && !context[part].error) {
            this.fail(`${part} closed without a reason`);
        }
    }

    disconnected(context) {
        if (this.result !== undefined) {
            this.closed();
        } else if (!context.reconnecting) {
            this.fail(context.error || 'connection lost');
        }
    }

    // finish closes the connection in order; its end is the command's.
    finish(result) {
        if (this.result === undefined) {
            this.result = result;
            this.connection.close();
        }
    }

    closed() {
        if (this.result === undefined) {
            this.fail('connection closed without a reason');
        } else {
            this.end('done', this.result);
        }
    }

    // fail ends the command with an error; what comes while it is closing is no
    // failure any more (a temporary queue may go before the link to it).
    fail(e) {
        if (this.result !== undefined && e !== OVERDUE) {
            return;
        }
        const { condition, description, message } = e || {};
        this.end('error', { error: description || message || String(e), condition: condition || '' });
        if (this.connection) {
            this.connection.set_reconnect(false);
            this.connection.close();
        }
    }
}

class Connect extends Client {
    start() {
        this.connect().on('connection_open', () => this.finish({}));
    }
}

module.exports = { capabilities, Client, Connect };
