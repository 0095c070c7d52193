package org.tidegate.e2e;

import com.google.gson.JsonObject;
import jakarta.jms.Connection;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Receives, answers and tells messages. */
final class Receive {
    /** Qpid JMS's own mode: acknowledge() answers this one message. */
    private static final int INDIVIDUAL_ACKNOWLEDGE = 101;
    private static final Map<String, Integer> ACK_TYPES =
            Map.of("accept", 1, "reject", 2, "release", 3, "modify", 4);

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
        Session session = connection.createSession(false, batch > 1 ? Session.CLIENT_ACKNOWLEDGE : INDIVIDUAL_ACKNOWLEDGE);
        if (command.flag("browse", false)) {
            return browse(session);
        }
        MessageConsumer consumer = session.createConsumer(client.destination(session), command.text("selector", null));
        attached();
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
        consumer.close();
        return done(n, reason);
    }

    /** Answers messages; in a session's CLIENT_ACKNOWLEDGE mode the last one's answer is everyone's. */
    private void settle(List<Message> pending) throws Exception {
        if (pending.isEmpty()) {
            return;
        }
        Integer type = ACK_TYPES.get(command.text("ack", "accept"));
        if (type != null) {
            Message last = pending.get(pending.size() - 1);
            last.setIntProperty("JMS_AMQP_ACK_TYPE", type);
            last.acknowledge();
        }
        for (Message message : pending) {
            JsonObject event = Client.describe(message);
            event.getAsJsonObject("properties").remove("JMS_AMQP_ACK_TYPE");
            command.event("message", event);
        }
        pending.clear();
    }

    private JsonObject browse(Session session) throws Exception {
        QueueBrowser browser = session.createBrowser((Queue) client.destination(session), command.text("selector", null));
        attached();
        long n = 0;
        Enumeration<?> messages = browser.getEnumeration();
        while ((count == 0 || n < count) && messages.hasMoreElements()) {
            command.event("message", Client.describe((Message) messages.nextElement()));
            n++;
        }
        browser.close();
        return done(n, count != 0 && n == count ? "count" : "end");
    }

    private void attached() {
        JsonObject event = new JsonObject();
        event.addProperty("address", command.text("address", ""));
        command.event("attached", event);
    }

    private static JsonObject done(long received, String reason) {
        JsonObject done = new JsonObject();
        done.addProperty("received", received);
        done.addProperty("reason", reason);
        return done;
    }
}
