package org.tidegate.e2e;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import jakarta.jms.CompletionListener;
import jakarta.jms.Destination;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.net.URI;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import org.apache.qpid.jms.JmsConnection;
import org.apache.qpid.jms.JmsConnectionListener;
import org.apache.qpid.jms.message.JmsInboundMessageDispatch;

/**
 * Sends with completion listeners, a window of them in flight. With failover the library connects again by
 * itself, but completes what was unanswered with an exception: sending it again is its users' business.
 */
final class Send {
    private final Client client;
    private final Command command;
    private final TreeSet<Long> inFlight = new TreeSet<>();
    private final TreeSet<Long> resend = new TreeSet<>();
    // The library tells of a lost connection and of the sends it took along in no particular order.
    private final TreeSet<Long> told = new TreeSet<>();
    private final TreeSet<Long> untold = new TreeSet<>();
    private final boolean reconnect;
    private final Semaphore window;
    private int accepted;
    private int refused;
    private int reconnects;

    Send(Client client) {
        this.client = client;
        this.command = client.command;
        this.reconnect = command.flag("reconnect", false);
        this.window = new Semaphore((int) command.number("window", 1));
    }

    JsonObject run() throws Exception {
        boolean settled = command.flag("settled", false);
        JmsConnection connection = (JmsConnection) client.open(
                settled ? Map.of("jms.presettlePolicy.presettleProducers", "true") : Map.of());
        connection.addConnectionListener(new Interruptions());
        boolean transacted = command.has("transaction");
        Session session = transacted ? connection.createSession(true, Session.SESSION_TRANSACTED)
                : connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Destination destination = client.destination(session);
        boolean relay = command.flag("relay", false);
        MessageProducer producer = session.createProducer(relay ? null : destination);
        if (command.has("delay_ms")) {
            producer.setDeliveryDelay(command.number("delay_ms", 0));
        }
        command.attached(command.text("address", ""));
        long first = command.number("first", 1);
        long count = command.number("count", 0);
        int priority = (int) command.number("priority", Message.DEFAULT_PRIORITY);
        long ttl = command.number("ttl_ms", 0);
        long next = first;
        int all = (int) command.number("window", 1);
        while (true) {
            Long again = takeResend();
            if (again == null && next == first + count) {
                // All permits back: all answered, one way or the other.
                window.acquire(all);
                window.release(all);
                again = takeResend();
                if (again == null) {
                    break;
                }
            }
            long seq = again != null ? again : next++;
            Message message = client.message(session, seq);
            window.acquire();
            synchronized (this) {
                inFlight.add(seq);
            }
            if (relay) {
                producer.send(destination, message, client.deliveryMode(), priority, ttl, new Completion(seq));
            } else {
                producer.send(message, client.deliveryMode(), priority, ttl, new Completion(seq));
            }
        }
        if (transacted) {
            client.discharge(session);
        }
        JsonObject done = new JsonObject();
        synchronized (this) {
            done.addProperty("accepted", accepted);
            done.addProperty("refused", refused);
            done.addProperty("reconnects", reconnects);
        }
        return done;
    }

    private synchronized Long takeResend() {
        return resend.pollFirst();
    }

    private final class Completion implements CompletionListener {
        private final long seq;

        Completion(long seq) {
            this.seq = seq;
        }

        @Override
        public void onCompletion(Message message) {
            JsonObject event = new JsonObject();
            event.addProperty("outcome", "accepted");
            answered(event, true);
        }

        @Override
        public void onException(Message message, Exception e) {
            String words = Client.words(e);
            // The words may be those of a cause: what the library gave up while
            // writing it is as unanswered as the rest.
            if (reconnect && words.contains("connection loss")) {
                lost();
                return;
            }
            JsonObject event = new JsonObject();
            // What the library calls the outcomes other than accepted.
            String outcome = words.contains("RELEASED") ? "released" : words.contains("MODIFIED") ? "modified" : "rejected";
            event.addProperty("outcome", outcome);
            event.addProperty("error", words);
            event.addProperty("condition", Client.condition(e));
            answered(event, false);
        }

        /** The connection was lost before an answer came: this goes out again. */
        private void lost() {
            synchronized (Send.this) {
                inFlight.remove(seq);
                resend.add(seq);
                if (!told.remove(seq)) {
                    untold.add(seq);
                }
            }
            window.release();
        }

        private void answered(JsonObject event, boolean good) {
            synchronized (Send.this) {
                inFlight.remove(seq);
                if (good) {
                    accepted++;
                } else {
                    refused++;
                }
                event.addProperty("seq", seq);
                command.event("outcome", event);
            }
            window.release();
        }
    }

    private final class Interruptions implements JmsConnectionListener {
        @Override
        public void onConnectionInterrupted(URI remote) {
            synchronized (Send.this) {
                reconnects++;
                TreeSet<Long> lost = new TreeSet<>(inFlight);
                lost.addAll(untold);
                untold.clear();
                told.clear();
                told.addAll(inFlight);
                if (lost.isEmpty()) {
                    return;
                }
                JsonArray unanswered = new JsonArray();
                lost.forEach(unanswered::add);
                JsonObject event = new JsonObject();
                event.add("unanswered", unanswered);
                command.event("lost", event);
            }
        }

        @Override
        public void onConnectionRestored(URI remote) {
            command.attached(command.text("address", ""));
        }

        @Override
        public void onConnectionEstablished(URI remote) {
        }

        @Override
        public void onConnectionFailure(Throwable error) {
            System.err.println("connection failed: " + error);
        }

        @Override
        public void onInboundMessage(JmsInboundMessageDispatch envelope) {
        }

        @Override
        public void onSessionClosed(Session session, Throwable cause) {
        }

        @Override
        public void onConsumerClosed(MessageConsumer consumer, Throwable cause) {
        }

        @Override
        public void onProducerClosed(MessageProducer producer, Throwable cause) {
        }
    }
}
