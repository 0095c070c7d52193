'use strict';
// Drives rhea over the line protocol of ../PROTOCOL.md.

const readline = require('node:readline');
const { event } = require('./command.js');
const { capabilities, Connect } = require('./connection.js');
const { Send } = require('./send.js');
const { Receive, Unsubscribe } = require('./receive.js');
const { Request, Respond } = require('./requests.js');

const COMMANDS = {
    connect: Connect, send: Send, receive: Receive, unsubscribe: Unsubscribe, request: Request, respond: Respond,
};

function run(fields) {
    if (fields.cmd === 'capabilities') {
        event(fields.id, 'done', capabilities());
        return;
    }
    const Kind = COMMANDS[fields.cmd];
    if (!Kind) {
        event(fields.id, 'error', { error: `no command ${fields.cmd}` });
        return;
    }
    try {
        const command = new Kind(fields);
        command.start();
    } catch (e) { // a driver's mistake is told, not lost
        event(fields.id, 'error', { error: String(e) });
    }
}

const input = readline.createInterface({ input: process.stdin, terminal: false });
input.on('line', (line) => {
    const fields = JSON.parse(line);
    if (fields.cmd === 'quit') {
        process.exit(0);
    }
    run(fields);
});
input.on('close', () => process.exit(0));
