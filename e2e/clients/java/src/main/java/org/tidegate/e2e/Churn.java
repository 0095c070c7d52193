package org.tidegate.e2e;

import com.google.gson.JsonObject;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes and closes what programs make and close all the time. */
final class Churn {
    private final Client client;
    private final Command command;
    private final long count;

    Churn(Client client) {
        this.client = client;
        this.command = client.command;
        this.count = command.number("count", 0);
    }

    /** Requests, each with a session and a temporary queue of its own. */
    JsonObject calls() throws Exception {
        Connection connection = client.open(Map.of());
        for (long seq = 1; seq <= count; seq++) {
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            TemporaryQueue replies = session.createTemporaryQueue();
            MessageConsumer consumer = session.createConsumer(replies);
            Message request = client.message(session, seq);
            request.setJMSReplyTo(replies);
            session.createProducer(client.destination(session)).send(request);
            Message reply = consumer.receive(command.number("timeout_ms", 60_000));
            if (reply == null || !request.getJMSMessageID().equals(reply.getJMSCorrelationID())) {
                throw new IllegalStateException("no reply to request " + seq);
            }
            consumer.close();
            replies.delete();
            session.close();
        }
        return done();
    }

    /** Sends, each over a connection, a session and a producer of its own, as a JmsTemplate without a pool does. */
    JsonObject cycles() throws Exception {
        for (long seq = 1; seq <= count; seq++) {
            try (Connection connection = client.open(Map.of())) {
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(client.destination(session));
                producer.send(client.message(session, seq));
                producer.close();
                session.close();
            }
        }
        return done();
    }

    /** As many sessions on one connection, all open at once, each with a producer and a consumer that work. */
    JsonObject sessions() throws Exception {
        Connection connection = client.open(Map.of());
        List<Session> sessions = new ArrayList<>();
        List<MessageConsumer> consumers = new ArrayList<>();
        for (long i = 1; i <= count; i++) {
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            Queue queue = session.createQueue(command.text("address", "") + "." + i);
            consumers.add(session.createConsumer(queue));
            session.createProducer(queue).send(client.message(session, i));
            sessions.add(session);
        }
        command.event("attached", new JsonObject());
        for (MessageConsumer consumer : consumers) {
            if (consumer.receive(command.number("timeout_ms", 60_000)) == null) {
                throw new JMSException("a session that receives nothing");
            }
        }
        for (Session session : sessions) {
            session.close();
        }
        return done();
    }

    private JsonObject done() {
        JsonObject done = new JsonObject();
        done.addProperty("accepted", count);
        return done;
    }
}
