package org.tidegate.e2e;

import com.google.gson.JsonObject;
import jakarta.jms.Connection;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TemporaryTopic;
import jakarta.jms.Topic;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Receives, answers and tells messages. */
final class Receive {
    /** Qpid JMS's own mode: acknowledge() answers this one message. */
    private static final int INDIVIDUAL_ACKNOWLEDGE = 101;
    /** Says how acknowledge() answers. */
    static final String ACK_TYPE = "JMS_AMQP_ACK_TYPE";
    private static final Map<String, Integer> ACK_TYPES =
            Map.of("accept", 1, "reject", 2, "release", 3, "modify", 4);

    /** Modified, with delivery-failed and undeliverable-here. */
    private static final int UNDELIVERABLE = 5;

    private final Client client;
    private final Command command;
    private final long count;
    private final long idle;

    Receive(Client client) {
        this.client = client;
        this.command = client.command;
        this.count = command.number("count", 0);
        this.idle = command.number("idle_ms", 5_000);
    }

    JsonObject run() throws Exception {
        boolean drain = command.flag("drain", false);
        Map<String, String> options = new HashMap<>();
        // Without prefetch the library asks for single credits and drains them when it gives up.
        options.put("jms.prefetchPolicy.all", drain ? "0" : String.valueOf(command.number("credit", 100)));
        if (command.flag("settled", false)) {
            options.put("jms.presettlePolicy.presettleConsumers", "true");
        }
        Connection connection = client.open(options);
        int batch = (int) command.number("batch", 1);
        boolean transacted = command.has("transaction");
        Session session = transacted ? connection.createSession(true, Session.SESSION_TRANSACTED)
                : connection.createSession(false, batch > 1 ? Session.CLIENT_ACKNOWLEDGE : INDIVIDUAL_ACKNOWLEDGE);
        if (command.flag("browse", false)) {
            return browse(session);
        }
        String selector = command.text("selector", null);
        MessageConsumer consumer;
        if (command.flag("dynamic", false) && command.text("kind", "queue").endsWith("topic")) {
            TemporaryTopic topic = session.createTemporaryTopic();
            consumer = session.createConsumer(topic, selector);
            command.attached(topic.getTopicName());
        } else if (command.flag("dynamic", false)) {
            TemporaryQueue queue = session.createTemporaryQueue();
            consumer = session.createConsumer(queue, selector);
            command.attached(queue.getQueueName());
        } else {
            consumer = command.has("subscription") ? subscriber(session, selector)
                    : session.createConsumer(client.destination(session), selector, command.flag("no_local", false));
            command.attached(command.text("address", ""));
        }
        publish(session);
        long n = 0;
        String reason = "count";
        List<Message> pending = new ArrayList<>();
        while (count == 0 || n < count) {
            Message message = drain ? consumer.receiveNoWait() : consumer.receive(idle);
            if (message == null) {
                if (client.isOverdue()) {
                    throw new IllegalStateException("timed out");
                }
                reason = drain ? "drained" : "idle";
                break;
            }
            n++;
            pending.add(message);
            if (pending.size() >= batch) {
                settle(pending);
            }
        }
        settle(pending);
        if (transacted && !client.discharge(session)) {
            return done(n, reason); // closing the connection does the rest
        }
        consumer.close();
        return done(n, reason);
    }

    private MessageConsumer subscriber(Session session, String selector) throws Exception {
        Topic topic = session.createTopic(command.text("address", ""));
        String name = command.text("subscription", "");
        if (!command.flag("shared", false)) {
            return session.createDurableConsumer(topic, name, selector, command.flag("no_local", false));
        }
        return command.flag("volatile", false) ? session.createSharedConsumer(topic, name, selector)
                : session.createSharedDurableConsumer(topic, name, selector);
    }

    /** Sends messages of the command's own over the receiver's connection. */
    private void publish(Session session) throws Exception {
        long count = command.number("publish", 0);
        if (count == 0) {
            return;
        }
        MessageProducer producer = session.createProducer(client.destination(session));
        for (long seq = 1; seq <= count; seq++) {
            producer.send(client.message(session, seq));
        }
        command.event("published", new JsonObject());
    }

    /** Answers messages; in a session's CLIENT_ACKNOWLEDGE mode the last one's answer is everyone's. */
    private void settle(List<Message> pending) throws Exception {
        if (pending.isEmpty()) {
            return;
        }
        Integer type = ACK_TYPES.get(command.text("ack", "accept"));
        if (type != null && command.flag("undeliverable", false)) {
            type = UNDELIVERABLE;
        }
        if (type != null && !command.has("transaction")) {
            Message last = pending.get(pending.size() - 1);
            last.setIntProperty(ACK_TYPE, type);
            last.acknowledge();
        }
        for (Message message : pending) {
            command.event("message", Client.describe(message, command.flag("typed", false)));
        }
        pending.clear();
    }

    private JsonObject browse(Session session) throws Exception {
        QueueBrowser browser = session.createBrowser((Queue) client.destination(session), command.text("selector", null));
        command.attached(command.text("address", ""));
        long n = 0;
        Enumeration<?> messages = browser.getEnumeration();
        while ((count == 0 || n < count) && messages.hasMoreElements()) {
            command.event("message", Client.describe((Message) messages.nextElement()));
            n++;
        }
        browser.close();
        return done(n, count != 0 && n == count ? "count" : "end");
    }

    JsonObject unsubscribe() throws Exception {
        Session session = client.open(Map.of()).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.unsubscribe(command.text("subscription", ""));
        return new JsonObject();
    }

    private static JsonObject done(long received, String reason) {
        JsonObject done = new JsonObject();
        done.addProperty("received", received);
        done.addProperty("reason", reason);
        return done;
    }
}
