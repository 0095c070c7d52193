package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.IllegalStateException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageListener;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Receiving, synchronously and by listeners (jms 8), queues and topics (jms 4). */
final class Consumers extends Chapter {
    @Scenario
    void receiveForms() throws Exception {
        Session session = session();
        MessageConsumer consumer = session.createConsumer(queue(session));
        same(null, consumer.receiveNoWait(), "receiveNoWait on an empty queue");
        same(null, consumer.receive(1), "receive(1) on an empty queue");
        send(session, queue(session), 1, 3);
        same(1, consumer.receive().getIntProperty("n"), "receive()");
        same(2, consumer.receive(PATIENCE).getIntProperty("n"), "receive(timeout)");
        same(3, consumer.receiveNoWait().getIntProperty("n"), "receiveNoWait()");
        same(null, consumer.receiveNoWait(), "receiveNoWait at the end");
    }

    @Scenario
    void withoutPrefetch() throws Exception {
        Session session = connect("jms.prefetchPolicy.all=0").createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        same(null, consumer.receiveNoWait(), "receiveNoWait on an empty queue");
        send(session, queue(session), 1, 4);
        takeAll(consumer, 1, 2, 1);
        same(3, consumer.receiveNoWait().getIntProperty("n"), "receiveNoWait()");
        same(List.of(4), left(), "what was not asked for");
    }

    @Scenario
    void listener() throws Exception {
        Session session = session();
        MessageConsumer consumer = session.createConsumer(queue(session));
        LinkedBlockingQueue<Message> got = new LinkedBlockingQueue<>();
        MessageListener listener = got::add;
        consumer.setMessageListener(listener);
        check(consumer.getMessageListener() == listener, "the consumer must tell its listener");
        refused(IllegalStateException.class, consumer::receiveNoWait);
        Session sender = session();
        send(sender, queue(sender), 1, 50);
        for (int n = 1; n <= 50; n++) {
            Message message = got.poll(PATIENCE, TimeUnit.MILLISECONDS);
            check(message != null, "message " + n + " did not come");
            same(n, message.getIntProperty("n"), "the message's number");
        }
    }

    @Scenario
    void listenersOfASession() throws Exception {
        Connection connection = unstarted();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        CountDownLatch all = new CountDownLatch(40);
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        for (int i = 0; i < 4; i++) {
            session.createConsumer(session.createQueue(named("" + i))).setMessageListener(message -> {
                most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                Thread.yield();
                inside.decrementAndGet();
                all.countDown();
            });
            Session sender = session();
            send(sender, sender.createQueue(named("" + i)), 1, 10);
        }
        connection.start();
        check(all.await(PATIENCE, TimeUnit.MILLISECONDS), all.getCount() + " messages did not come");
        same(1, most.get(), "listeners of one session at work at once");
    }

    @Scenario
    void listenerThrows() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 4);
        throwing(Session.AUTO_ACKNOWLEDGE);
        send(sender, queue(sender), 1, 4);
        throwing(Session.DUPS_OK_ACKNOWLEDGE);
    }

    /** A listener that throws at the first two attempts of message 2, of four: only that one is redelivered. */
    private void throwing(int mode) throws Exception {
        Session session = connect().createSession(false, mode);
        MessageConsumer consumer = session.createConsumer(queue(session));
        LinkedBlockingQueue<List<Object>> got = new LinkedBlockingQueue<>();
        consumer.setMessageListener(message -> {
            int n = 0;
            int count = 0;
            try {
                n = message.getIntProperty("n");
                count = message.getIntProperty("JMSXDeliveryCount");
                got.add(List.of(n, count, message.getJMSRedelivered()));
            } catch (jakarta.jms.JMSException e) {
                got.add(List.of(e));
            }
            if (n == 2 && count < 3) {
                throw new IllegalArgumentException("as wanted");
            }
        });
        Set<List<Object>> all = new HashSet<>();
        for (int i = 0; i < 6; i++) {
            all.add(got.poll(PATIENCE, TimeUnit.MILLISECONDS));
        }
        same(Set.of(List.of(1, 1, false), List.of(2, 1, false), List.of(2, 2, true), List.of(2, 3, true), List.of(3, 1, false),
                List.of(4, 1, false)), all, "number, count and redelivered of what the listener got");
        session.close();
        same(List.of(), left(), "what is left");
    }

    @Scenario
    void listenerThrowsClosed() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 4);
        Session session = session();
        MessageConsumer consumer = session.createConsumer(queue(session));
        LinkedBlockingQueue<Integer> got = new LinkedBlockingQueue<>();
        consumer.setMessageListener(message -> {
            try {
                consumer.close();
                got.add(message.getIntProperty("n"));
            } catch (jakarta.jms.JMSException e) {
                got.add(-1);
            }
            throw new IllegalArgumentException("as wanted");
        });
        same(1, got.poll(PATIENCE, TimeUnit.MILLISECONDS), "what the listener got");
        MessageConsumer other = sender.createConsumer(queue(sender));
        List<List<Object>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) { // what was buffered is given back before the listener returns
            Message m = take(other);
            all.add(List.of(m.getIntProperty("n"), m.getIntProperty("JMSXDeliveryCount"), m.getJMSRedelivered()));
        }
        same(Set.of(List.of(1, 2, true), List.of(2, 1, false), List.of(3, 1, false), List.of(4, 1, false)), Set.copyOf(all),
                "number, count and redelivered of what the listener left");
    }

    @Scenario
    void closeInListener() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 3);
        Session session = session();
        MessageConsumer consumer = session.createConsumer(queue(session));
        LinkedBlockingQueue<Object> got = new LinkedBlockingQueue<>();
        consumer.setMessageListener(message -> {
            try {
                consumer.close();
                got.add(message.getIntProperty("n"));
            } catch (jakarta.jms.JMSException e) {
                got.add(e);
            }
        });
        same(1, got.poll(PATIENCE, TimeUnit.MILLISECONDS), "what the listener told");
        same(List.of(2, 3), left(), "what the listener did not get");
        // A browser shows what a consumer holds: message 1, until the listener has returned and acknowledged. Neither the
        // session's close nor the connection's stop waits for that (docs/jms.md).
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE);
        while (sender.createBrowser(queue(sender)).getEnumeration().hasMoreElements()) {
            check(System.nanoTime() < end, "the listener's message is not acknowledged");
        }
        session.close();
        same(List.of(), left(), "what is left");
    }

    @Scenario
    void closeSessionInListener() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        LinkedBlockingQueue<Object> got = new LinkedBlockingQueue<>();
        session.createConsumer(queue(session)).setMessageListener(message -> {
            try {
                refused(IllegalStateException.class, session::close);
                refused(IllegalStateException.class, connection::stop);
                refused(IllegalStateException.class, connection::close);
                got.add("refused");
            } catch (RuntimeException e) {
                got.add(e);
            }
        });
        Session sender = session();
        send(sender, queue(sender), 1, 1);
        same("refused", got.poll(PATIENCE, TimeUnit.MILLISECONDS), "session close, connection stop and close");
    }

    @Scenario
    void closed() throws Exception {
        Session session = session();
        MessageConsumer consumer = session.createConsumer(queue(session));
        consumer.close();
        consumer.close();
        refused(IllegalStateException.class, consumer::receiveNoWait);
        refused(IllegalStateException.class, consumer::getMessageSelector);
    }

    @Scenario
    void oneOfManyOnAQueue() throws Exception {
        Session a = session();
        Session b = session();
        MessageConsumer first = a.createConsumer(queue(a));
        MessageConsumer second = b.createConsumer(queue(b));
        send(a, queue(a), 1, 10);
        TreeSet<Integer> all = new TreeSet<>();
        for (MessageConsumer consumer : List.of(first, second)) {
            int last = 0;
            for (Message m = consumer.receiveNoWait(); m != null; m = consumer.receiveNoWait()) {
                int n = m.getIntProperty("n");
                check(all.add(n), "message " + n + " came twice");
                check(n > last, "message " + n + " came behind " + last);
                last = n;
            }
        }
        same(10, all.size(), "messages that came to either");
    }

    @Scenario
    void eachOnATopic() throws Exception {
        Session a = session();
        send(a, topic(a), 1, 1); // to nobody
        Session b = session();
        MessageConsumer first = a.createConsumer(topic(a));
        MessageConsumer second = b.createConsumer(topic(b));
        send(a, topic(a), 2, 6);
        takeAll(first, 2, 6, 1);
        takeAll(second, 2, 6, 1);
        second.close();
        send(a, topic(a), 7, 7);
        MessageConsumer third = b.createConsumer(topic(b));
        nothing(third);
        takeAll(first, 7, 7, 1);
    }

    @Scenario
    void queueAndTopicOfOneName() throws Exception {
        Session session = session();
        MessageConsumer subscriber = session.createConsumer(topic(session));
        MessageConsumer receiver = session.createConsumer(queue(session));
        send(session, queue(session), 1, 1);
        nothing(subscriber);
        takeAll(receiver, 1, 1, 1);
        send(session, topic(session), 2, 2);
        nothing(receiver);
        takeAll(subscriber, 2, 2, 1);
    }

    @Scenario
    void noLocal() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(topic(session), null, true);
        Session same = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        send(same, topic(same), 1, 1);
        Session other = session();
        send(other, topic(other), 2, 2);
        takeAll(consumer, 2, 2, 1);
        nothing(consumer);
    }

    @Scenario
    void queueWaits() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 5); // nobody is there yet
        Session session = session();
        takeAll(session.createConsumer(queue(session)), 1, 5, 1);
    }

    @Scenario
    void names() throws Exception {
        Session session = session();
        for (String name : List.of("with spaces", "a/b/c", "größe", "x:y", "100%", "UPPER.lower")) {
            MessageConsumer consumer = session.createConsumer(session.createQueue(named(name)));
            send(session, session.createQueue(named(name)), 1, 1);
            Message got = take(consumer);
            same(session.createQueue(named(name)), got.getJMSDestination(), "JMSDestination");
            consumer.close();
        }
        Session other = session();
        send(other, other.createQueue(named("upper.lower")), 2, 2);
        same(List.of(), left(named("UPPER.lower")), "names differ by case");
    }
}
