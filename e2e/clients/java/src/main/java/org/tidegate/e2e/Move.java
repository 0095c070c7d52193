package org.tidegate.e2e;

import com.google.gson.JsonObject;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TransactionRolledBackException;
import java.util.List;
import java.util.Map;

/** Moves messages from a queue to two queues and a topic, each in a transaction of its own. */
final class Move {
    private final Client client;
    private final Command command;

    Move(Client client) {
        this.client = client;
        this.command = client.command;
    }

    JsonObject run() throws Exception {
        String address = command.text("address", "");
        Connection connection = client.open(Map.of());
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(session.createQueue(address));
        List<MessageProducer> producers = List.of(session.createProducer(session.createQueue(address + ".a")),
                session.createProducer(session.createQueue(address + ".b")),
                session.createProducer(session.createTopic(address + ".t")));
        command.attached(address);
        long count = command.number("count", 0);
        long moved = 0;
        String reason = "count";
        while (moved < count) {
            try {
                Message message = consumer.receive();
                if (message == null) {
                    reason = "lost";
                    break;
                }
                for (MessageProducer producer : producers) {
                    producer.send(message);
                }
                session.commit();
            } catch (TransactionRolledBackException e) { // the server says so: it is there
                throw e;
            } catch (JMSException e) {
                reason = "lost";
                break;
            }
            moved++;
            command.event("moved", new JsonObject());
        }
        JsonObject done = new JsonObject();
        done.addProperty("accepted", moved);
        done.addProperty("reason", reason);
        return done;
    }
}
