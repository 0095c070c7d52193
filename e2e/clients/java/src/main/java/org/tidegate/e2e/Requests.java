package org.tidegate.e2e;

import com.google.gson.JsonObject;
import jakarta.jms.Connection;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import java.util.Map;

/** Request and reply over a temporary queue. */
final class Requests {
    private final Client client;
    private final Command command;

    Requests(Client client) {
        this.client = client;
        this.command = client.command;
    }

    JsonObject request() throws Exception {
        Connection connection = client.open(Map.of());
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        MessageProducer producer = session.createProducer(client.destination(session));
        command.attached(replies.getQueueName());
        long first = command.number("first", 1);
        long count = command.number("count", 0);
        for (long seq = first; seq < first + count; seq++) {
            Message message = client.message(session, seq);
            message.setJMSReplyTo(replies);
            producer.send(message);
            Message reply = consumer.receive(command.number("timeout_ms", 60_000));
            if (reply == null) {
                throw new IllegalStateException("no reply");
            }
            if (!message.getJMSMessageID().equals(reply.getJMSCorrelationID())) {
                throw new IllegalStateException("a reply without the request's correlation-id");
            }
            JsonObject event = Client.describe(reply);
            event.addProperty("seq", seq);
            command.event("reply", event);
        }
        consumer.close();
        replies.delete();
        return done(count);
    }

    JsonObject respond() throws Exception {
        Connection connection = client.open(Map.of());
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(client.destination(session));
        MessageProducer producer = session.createProducer(null);
        command.attached(command.text("address", ""));
        long count = command.number("count", 0);
        for (long n = 0; n < count; n++) {
            Message request = consumer.receive();
            if (request == null) {
                throw new IllegalStateException("timed out");
            }
            // The body as it came: made again in the session, as an application would.
            Message reply = request instanceof jakarta.jms.TextMessage text
                    ? session.createTextMessage(text.getText()) : copy(session, request);
            reply.setJMSCorrelationID(request.getJMSMessageID());
            producer.send(request.getJMSReplyTo(), reply);
            request.acknowledge();
        }
        return done(count);
    }

    private static Message copy(Session session, Message request) throws Exception {
        jakarta.jms.BytesMessage reply = session.createBytesMessage();
        reply.writeBytes(Client.body(request));
        return reply;
    }

    private static JsonObject done(long received) {
        JsonObject done = new JsonObject();
        done.addProperty("received", received);
        return done;
    }
}
