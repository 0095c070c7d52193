package org.tidegate.e2e;

import com.google.gson.JsonObject;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TransactionRolledBackException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Transacted batches over two queues and a topic with a durable subscription: {@code put} sends {@code size} messages to each in a
 * transaction a batch, {@code take} receives a batch from each and sends a receipt in the same transaction.
 */
final class Batches {
    private static final long PATIENCE = 30_000;

    private final Command command;
    private final Client client;
    private final String address;
    private final int size;

    Batches(Client client) {
        this.client = client;
        this.command = client.command;
        this.address = command.text("address", "");
        this.size = (int) command.number("size", 1);
    }

    /** Sends batches from {@code first} on, {@code count} in all. */
    JsonObject put() throws Exception {
        Session session = client.open(Map.of()).createSession(true, Session.SESSION_TRANSACTED);
        List<MessageProducer> producers = List.of(session.createProducer(session.createQueue(address + ".a")),
                session.createProducer(session.createQueue(address + ".b")),
                session.createProducer(session.createTopic(address + ".t")));
        long next = command.number("first", 1);
        long last = next + command.number("count", 0) - 1;
        try {
            for (; next <= last; next++) {
                for (MessageProducer producer : producers) {
                    for (int n = 1; n <= size; n++) {
                        Message message = session.createTextMessage(next + "/" + n);
                        message.setLongProperty("seq", next);
                        message.setIntProperty("n", n);
                        producer.send(message);
                    }
                }
                session.commit();
                committed(next);
            }
        } catch (JMSException e) {
            return lost(e);
        }
        return done("count");
    }

    /** Takes batches until there is none; one that is not whole, in its order, is an error. */
    JsonObject take() throws Exception {
        Connection connection = client.open(Map.of());
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer a;
        List<MessageConsumer> consumers = new ArrayList<>();
        MessageProducer receipts;
        try {
            a = session.createConsumer(session.createQueue(address + ".a"));
            consumers.add(a);
            consumers.add(session.createConsumer(session.createQueue(address + ".b")));
            consumers.add(session.createDurableConsumer(session.createTopic(address + ".t"), command.text("subscription", "")));
            receipts = session.createProducer(session.createQueue(address + ".receipts"));
            while (true) {
                Message first = a.receiveNoWait();
                if (first == null) {
                    return done("drained");
                }
                long batch = first.getLongProperty("seq");
                for (MessageConsumer consumer : consumers) {
                    for (int n = 1; n <= size; n++) {
                        Message message = consumer == a && n == 1 ? first : consumer.receive(PATIENCE);
                        whole(batch, n, message);
                    }
                }
                Message receipt = session.createMessage();
                receipt.setStringProperty("producer", "receipts");
                receipt.setLongProperty("seq", batch);
                receipts.send(receipt);
                session.commit();
                committed(batch);
            }
        } catch (JMSException e) {
            return lost(e);
        }
    }

    /** A commit that the server refuses names a condition; what a lost connection fails does not. */
    private static JsonObject lost(JMSException e) throws JMSException {
        if (e instanceof TransactionRolledBackException && !Client.condition(e).isEmpty()) {
            throw e;
        }
        return done("lost");
    }

    private static void whole(long batch, int n, Message message) throws JMSException {
        if (message == null) { // the connection was lost, or there is none
            throw new JMSException("message " + n + " of batch " + batch + " did not come");
        }
        if (message.getLongProperty("seq") != batch || message.getIntProperty("n") != n) {
            throw new IllegalStateException("batch " + batch + " is not whole: in place of message " + n + " came "
                    + ((jakarta.jms.TextMessage) message).getText());
        }
    }

    private void committed(long batch) {
        JsonObject event = new JsonObject();
        event.addProperty("seq", batch);
        command.event("committed", event);
    }

    private static JsonObject done(String reason) {
        JsonObject done = new JsonObject();
        done.addProperty("reason", reason);
        return done;
    }
}
