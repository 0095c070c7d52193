package org.tidegate.e2e.jms;

import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.JMSProducer;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Delivery delay (jms 7.9). The server runs on this machine, so that its clock is ours: a message that comes before its
 * JMSDeliveryTime is early. None of these asks how late one is.
 */
final class Delays extends Chapter {
    private static final long HOUR = 3_600_000;

    private static void send(Session session, MessageProducer producer, int n, long delay) throws JMSException {
        producer.setDeliveryDelay(delay);
        producer.send(numbered(session, n));
    }

    /** Takes the messages of these numbers in this order, none before its time. */
    private static void take(MessageConsumer consumer, Integer... numbers) throws JMSException {
        for (int n : numbers) {
            Message message = take(consumer);
            long now = System.currentTimeMillis();
            same(n, message.getIntProperty("n"), "the message's number");
            check(now >= message.getJMSDeliveryTime(), "message " + n + " came " + (message.getJMSDeliveryTime() - now) + " ms early");
            same(false, message.getJMSRedelivered(), "JMSRedelivered of message " + n);
        }
    }

    /** Sends, by a delay of so many ms or more, messages that are all there when it returns. */
    private interface Sending {
        void with(long delay) throws Exception;
    }

    /** Has messages sent before the first of them is due, or their order says nothing. A slow machine may need more than one try. */
    private static void inTime(long delay, Sending sending, Call drop) throws Exception {
        while (true) {
            long due = System.currentTimeMillis() + delay;
            sending.with(delay);
            if (System.currentTimeMillis() < due) {
                return;
            }
            check(delay < PATIENCE, "the messages were not sent within " + delay + " ms");
            drop.run();
            delay *= 3;
        }
    }

    @Scenario
    void inTheOrderOfTimes() throws Exception {
        for (int mode : List.of(DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT)) {
            Session session = session();
            MessageProducer producer = session.createProducer(session.createQueue(named("" + mode)));
            MessageConsumer consumer = session.createConsumer(session.createQueue(named("" + mode)));
            producer.setDeliveryMode(mode);
            long[] due = new long[8];
            List<Integer> want = new ArrayList<>();
            inTime(700, delay -> {
                want.clear();
                for (int n = 0; n < due.length; n++) {
                    Message message = numbered(session, n);
                    producer.setDeliveryDelay(delay + List.of(600, 0, 300, 0).get(n % 4));
                    producer.send(message);
                    due[n] = message.getJMSDeliveryTime();
                    want.add(n);
                }
                browsed(session, named("" + mode)); // answered behind all of them, of which some are not
            }, () -> dropAll(consumer, due.length));
            want.sort(Comparator.comparingLong(n -> due[n])); // of one time as they were sent
            take(consumer, want.toArray(new Integer[0]));
        }
    }

    private static void dropAll(MessageConsumer consumer, int count) throws JMSException {
        for (int n = 0; n < count; n++) {
            take(consumer);
        }
    }

    /** With one delay, however short, messages come as they were sent. */
    @Scenario
    void inTheOrderOfSending() throws Exception {
        for (long delay : List.of(1L, 20L)) {
            Session session = session();
            MessageProducer producer = session.createProducer(session.createQueue(named("" + delay)));
            MessageConsumer consumer = session.createConsumer(session.createQueue(named("" + delay)));
            producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
            Integer[] all = new Integer[200];
            for (int n = 1; n <= all.length; n++) {
                all[n - 1] = n;
                send(session, producer, n, delay);
            }
            take(consumer, all);
        }
    }

    @Scenario
    void priorityOfWhatIsDue() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        producer.setDeliveryDelay(100);
        producer.send(numbered(session, 2), DeliveryMode.PERSISTENT, 1, 0);
        producer.send(numbered(session, 1), DeliveryMode.PERSISTENT, 9, 0);
        send(session, producer, 3, 200); // priority 4
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE);
        while (browsed(session, "$sys.delayed.q." + named()).size() > 0) {
            check(System.nanoTime() < end, "messages that are due are held back");
        }
        take(session.createConsumer(queue(session)), 1, 3, 2);
    }

    @Scenario
    void transacted() throws Exception {
        Session session = connect().createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(queue(session));
        Session other = session();
        MessageConsumer consumer = other.createConsumer(queue(other));
        Message late = numbered(session, 1);
        producer.setDeliveryDelay(1);
        producer.send(late);
        send(session, producer, 2, 300);
        while (System.currentTimeMillis() <= late.getJMSDeliveryTime()) {
            Thread.onSpinWait(); // two milliseconds
        }
        nothing(consumer); // its time has come, and the commit has not
        session.commit();
        take(consumer, 1, 2); // the time counts from the send
        send(session, producer, 3, 1);
        send(session, producer, 4, 50);
        session.rollback();
        send(session, producer, 5, 100);
        session.commit();
        take(consumer, 5);
        same(List.of(), browsed(other, "$sys.delayed.q." + named()), "messages held back");
    }

    /** A subscription gets what was sent since it was made (jms 7.9), durable or not. */
    @Scenario
    void topic() throws Exception {
        Session session = identified().createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(topic(session));
        send(session, producer, 0, 300); // nobody is there
        MessageConsumer plain = session.createConsumer(topic(session));
        MessageConsumer durable = session.createDurableConsumer(topic(session), "durable");
        MessageConsumer odd = session.createConsumer(topic(session), "n = 1");
        send(session, producer, 1, 400);
        send(session, producer, 2, 600);
        durable.close(); // it need not be there in between
        MessageConsumer late = session.createConsumer(topic(session));
        send(session, producer, 3, 800);
        take(plain, 1, 2, 3);
        take(session.createDurableConsumer(topic(session), "durable"), 1, 2, 3);
        take(odd, 1);
        take(late, 3);
    }

    @Scenario
    void timeToLive() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        producer.setDeliveryDelay(300);
        producer.send(numbered(session, 1), DeliveryMode.PERSISTENT, 4, 100); // over before it is due
        producer.send(numbered(session, 2), DeliveryMode.PERSISTENT, 4, HOUR);
        take(session.createConsumer(queue(session)), 2);
    }

    @Scenario
    void temporaryQueue() throws Exception {
        Session session = session();
        Queue temporary = session.createTemporaryQueue();
        MessageProducer producer = session.createProducer(temporary);
        send(session, producer, 1, 100);
        take(session.createConsumer(temporary), 1);
    }

    @Scenario
    void completion() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        Producers.Answers answers = new Producers.Answers();
        producer.setDeliveryDelay(HOUR);
        producer.send(numbered(session, 1), answers);
        answers.wants(1, 1); // without waiting for the hour
        nothing(consumer);
        send(session, producer, 2, 50);
        take(consumer, 2);
    }

    @Scenario
    void simplified() throws Exception {
        JMSContext context = context(JMSContext.AUTO_ACKNOWLEDGE);
        Queue queue = context.createQueue(named());
        JMSConsumer consumer = context.createConsumer(queue);
        JMSProducer producer = context.createProducer();
        same(0L, producer.getDeliveryDelay(), "the delay by default");
        long[] delayed = new long[1];
        inTime(1500, delay -> {
            delayed[0] = delay;
            producer.setDeliveryDelay(delay);
            same(delay, producer.getDeliveryDelay(), "the delay");
            producer.send(queue, "second");
            producer.setDeliveryDelay(0).send(queue, "first");
        }, () -> {
            check(consumer.receive(PATIENCE) != null && consumer.receive(PATIENCE) != null, "the messages did not come");
        });
        same("first", consumer.receiveBody(String.class, PATIENCE), "the first body");
        Message got = consumer.receive(PATIENCE);
        long now = System.currentTimeMillis();
        same("second", got.getBody(String.class), "the second body");
        same(got.getJMSTimestamp() + delayed[0], got.getJMSDeliveryTime(), "JMSDeliveryTime");
        check(now >= got.getJMSDeliveryTime(), "it came early");
    }

    @Scenario
    void anonymousProducer() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(null);
        MessageConsumer consumer = session.createConsumer(queue(session));
        inTime(1500, delay -> {
            producer.setDeliveryDelay(delay);
            producer.send(queue(session), numbered(session, 2));
            producer.setDeliveryDelay(0);
            producer.send(queue(session), numbered(session, 1));
        }, () -> dropAll(consumer, 2));
        take(consumer, 1, 2);
    }

    private static List<Integer> browsed(Session session, String queue) throws JMSException {
        return numbers(session.createBrowser(session.createQueue(queue)));
    }

    /** The holding queues of ems 7.8: to be browsed, and nothing else. */
    @Scenario
    void heldBackMessagesAreVisible() throws Exception {
        Session session = session();
        send(session, session.createProducer(queue(session)), 1, HOUR);
        session.createConsumer(topic(session));
        send(session, session.createProducer(topic(session)), 2, HOUR);
        String ofQueue = "$sys.delayed.q." + named();
        String ofTopic = "$sys.delayed.t." + named();
        same(List.of(1), browsed(session, ofQueue), "messages held back for the queue");
        same(List.of(2), browsed(session, ofTopic), "messages held back for the topic");
        same(List.of(1), browsed(session, ofQueue), "and again");
        for (String name : List.of(ofQueue, ofTopic)) {
            Queue queue = session.createQueue(name);
            refused(JMSSecurityException.class, () -> session.createConsumer(queue));
            refused(JMSSecurityException.class, () -> session.createProducer(queue));
            MessageProducer anonymous = session.createProducer(null);
            refused(JMSSecurityException.class, () -> anonymous.send(queue, session.createMessage()));
        }
        same(List.of(), browsed(session, named()), "messages of the queue itself");
    }
}
