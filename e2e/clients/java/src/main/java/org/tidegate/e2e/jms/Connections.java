package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.ConnectionConsumer;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.ConnectionMetaData;
import jakarta.jms.Destination;
import jakarta.jms.IllegalStateException;
import jakarta.jms.InvalidClientIDException;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.QueueConnection;
import jakarta.jms.QueueReceiver;
import jakarta.jms.QueueSender;
import jakarta.jms.QueueSession;
import jakarta.jms.ServerSession;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TopicConnection;
import jakarta.jms.TopicPublisher;
import jakarta.jms.TopicSession;
import jakarta.jms.TopicSubscriber;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.naming.Context;

/** Connections (jms 6.1) and what their end means. */
final class Connections extends Chapter {
    @Scenario
    void beginsStopped() throws Exception {
        Session sender = session();
        Connection connection = unstarted();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        send(sender, queue(sender), 1, 1);
        nothing(consumer);
        connection.start();
        takeAll(consumer, 1, 1, 1);
    }

    @Scenario
    void stopAndStart() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        connection.stop();
        connection.stop();
        send(session, queue(session), 1, 2); // a stopped connection still sends
        nothing(consumer);
        connection.start();
        connection.start();
        takeAll(consumer, 1, 2, 1);
    }

    @Scenario
    void clientIDInUse() throws Exception {
        Connection first = identified();
        Connection second = unstarted();
        refused(InvalidClientIDException.class, () -> second.setClientID(named()));
        first.close();
        Connection third = unstarted();
        third.setClientID(named());
        same(named(), third.getClientID(), "the client id");
    }

    @Scenario
    void clientIDComesFirst() throws Exception {
        Connection used = connect();
        refused(IllegalStateException.class, () -> used.setClientID(named()));
        Connection twice = identified();
        refused(IllegalStateException.class, () -> twice.setClientID(named("other")));
    }

    @Scenario
    void clientIDOfTheFactory() throws Exception {
        Connection connection = connect("jms.clientID=" + named());
        same(named(), connection.getClientID(), "the client id");
        refused(IllegalStateException.class, () -> connection.setClientID(named("other")));
    }

    @Scenario
    void metaData() throws Exception {
        ConnectionMetaData about = connect().getMetaData();
        check(about.getJMSMajorVersion() >= 2, "JMS's major version is " + about.getJMSMajorVersion());
        check(about.getJMSVersion().startsWith(about.getJMSMajorVersion() + "." + about.getJMSMinorVersion()),
                "JMS's version is " + about.getJMSVersion());
        check(about.getJMSProviderName() != null && about.getProviderVersion() != null, "the provider has no name or version");
        List<?> names = Collections.list(about.getJMSXPropertyNames());
        check(names.containsAll(List.of("JMSXGroupID", "JMSXGroupSeq", "JMSXDeliveryCount")), "JMSX properties: " + names);
    }

    @Scenario
    void closed() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        connection.close();
        connection.close();
        refused(IllegalStateException.class, () -> connection.createSession(false, Session.AUTO_ACKNOWLEDGE));
        refused(IllegalStateException.class, () -> session.createMessage());
        refused(IllegalStateException.class, () -> producer.send(null));
        refused(IllegalStateException.class, consumer::receive);
        session.close();
        producer.close();
        consumer.close();
    }

    @Scenario
    void closeRollsBack() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 3);
        Connection connection = connect();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        takeAll(session.createConsumer(queue(session)), 1, 2, 1);
        send(session, session.createQueue(named("out")), 1, 3);
        connection.close();
        same(List.of(1, 2, 3), left(), "what was received in the open transaction");
        same(List.of(), left(named("out")), "what was sent in the open transaction");
    }

    @Scenario
    void closeKeepsAcknowledged() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 5);
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        takeAll(session.createConsumer(queue(session)), 1, 3, 1);
        connection.close();
        same(List.of(4, 5), left(), "what was not received");
    }

    @Scenario
    void lost() throws Exception {
        Cable cable = cable();
        Connection connection = over(cable, false);
        LinkedBlockingQueue<JMSException> heard = new LinkedBlockingQueue<>();
        connection.setExceptionListener(heard::add);
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        cable.cut();
        check(heard.poll(PATIENCE, TimeUnit.MILLISECONDS) != null, "the listener heard nothing of the lost connection");
        refused(JMSException.class, () -> connection.createSession(false, Session.AUTO_ACKNOWLEDGE));
        refused(JMSException.class, consumer::receiveNoWait);
        connection.close();
        check(heard.isEmpty(), "the listener heard more than once: " + heard);
    }

    /** Goes on once the thread waits for something, or has ended. */
    private static void untilItWaits(Thread thread) {
        while (thread.getState() == Thread.State.NEW || thread.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
    }

    @Scenario
    void closeEndsReceive() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        CompletableFuture<Object> got = new CompletableFuture<>();
        Thread waiting = new Thread(() -> {
            try {
                got.complete(consumer.receive());
            } catch (JMSException e) {
                got.completeExceptionally(e);
            }
        });
        waiting.start();
        untilItWaits(waiting);
        connection.close();
        same(null, got.get(PATIENCE, TimeUnit.MILLISECONDS), "what receive returned");
    }

    @Scenario
    void stopWaits() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean done = new AtomicBoolean();
        session.createConsumer(queue(session)).setMessageListener(message -> {
            inside.countDown();
            try {
                done.set(go.await(PATIENCE, TimeUnit.MILLISECONDS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Session sender = session();
        send(sender, queue(sender), 1, 1);
        check(inside.await(PATIENCE, TimeUnit.MILLISECONDS), "the message did not come");
        CompletableFuture<Boolean> stopped = new CompletableFuture<>();
        Thread stopping = new Thread(() -> {
            try {
                connection.stop();
                stopped.complete(done.get());
            } catch (JMSException e) {
                stopped.completeExceptionally(e);
            }
        });
        stopping.start();
        untilItWaits(stopping);
        go.countDown();
        same(true, stopped.get(PATIENCE, TimeUnit.MILLISECONDS), "the listener was done when stop returned");
    }

    @Scenario
    void failover() throws Exception {
        Cable cable = cable();
        Connection connection = over(cable, true);
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue temporary = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(queue(session));
        MessageConsumer own = session.createConsumer(temporary);
        send(session, queue(session), 1, 1);
        takeAll(consumer, 1, 1, 1);
        cable.cut();
        send(session, queue(session), 2, 2);
        int n = take(consumer).getIntProperty("n");
        if (n == 1) { // its acknowledgement was perhaps cut off
            n = take(consumer).getIntProperty("n");
        }
        same(2, n, "the message behind the cut");
        send(session, temporary, 3, 3);
        takeAll(own, 3, 3, 1); // made anew
    }

    @Scenario
    void clientIDInUseUnderFailover() throws Exception {
        Connection first = identified();
        Cable cable = cable();
        Connection second = over(cable, true);
        CompletableFuture<String> in = new CompletableFuture<>();
        new Thread(() -> {
            try {
                second.setClientID(named());
                second.start();
                in.complete(second.getClientID());
            } catch (JMSException e) {
                in.completeExceptionally(e);
            }
        }).start();
        check(cable.untilDialled(3), "a client whose id is in use must dial again"); // so it was refused, twice
        check(!in.isDone(), "two connections have the client id");
        first.close();
        same(named(), in.get(PATIENCE, TimeUnit.MILLISECONDS), "the client id, once it is free");
    }

    @Scenario
    void naming() throws Exception {
        Context names = naming(Map.of("queue.orders", named(), "topic.prices", named()));
        Connection connection = ((ConnectionFactory) names.lookup("server")).createConnection();
        try {
            connection.start();
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            for (String name : List.of("orders", "prices")) {
                Destination found = (Destination) names.lookup(name);
                MessageConsumer consumer = session.createConsumer(found);
                send(session, found, 1, 2);
                takeAll(consumer, 1, 2, 1);
            }
        } finally {
            connection.close();
        }
    }

    @Scenario
    void connectionConsumer() throws Exception {
        Connection connection = unstarted();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        LinkedBlockingQueue<Object> got = new LinkedBlockingQueue<>();
        session.setMessageListener(message -> {
            try {
                got.add(message.getIntProperty("n"));
            } catch (JMSException e) {
                got.add(e);
            }
        });
        ServerSession worker = new ServerSession() {
            @Override
            public Session getSession() {
                return session;
            }

            @Override
            public void start() {
                session.run();
            }
        };
        ConnectionConsumer consumer = connection.createConnectionConsumer(queue(session), null, () -> worker, 10);
        connection.start();
        Session sender = session();
        send(sender, queue(sender), 1, 5);
        for (int n = 1; n <= 5; n++) {
            same(n, got.poll(PATIENCE, TimeUnit.MILLISECONDS), "what the listener of the session got");
        }
        consumer.close();
    }

    @Scenario
    void queueDomain() throws Exception {
        QueueConnection connection = factory().createQueueConnection();
        try {
            connection.start();
            QueueSession session = connection.createQueueSession(false, Session.AUTO_ACKNOWLEDGE);
            QueueReceiver receiver = session.createReceiver(queue(session), "n > 1");
            QueueSender sender = session.createSender(queue(session));
            same(queue(session), sender.getQueue(), "the sender's queue");
            for (int n = 1; n <= 2; n++) {
                sender.send(numbered(session, n));
            }
            takeAll(receiver, 2, 2, 1);
            refused(IllegalStateException.class, () -> session.createTopic("a"));
            refused(IllegalStateException.class, session::createTemporaryTopic);
            refused(IllegalStateException.class, () -> session.unsubscribe("a"));
        } finally {
            connection.close();
        }
    }

    @Scenario
    void topicDomain() throws Exception {
        TopicConnection connection = factory("jms.clientID=" + named()).createTopicConnection();
        try {
            connection.start();
            TopicSession session = connection.createTopicSession(false, Session.AUTO_ACKNOWLEDGE);
            TopicSubscriber subscriber = session.createSubscriber(topic(session));
            TopicSubscriber durable = session.createDurableSubscriber(topic(session), "sub", "n > 1", false);
            TopicPublisher publisher = session.createPublisher(topic(session));
            same(topic(session), publisher.getTopic(), "the publisher's topic");
            for (int n = 1; n <= 2; n++) {
                publisher.publish(numbered(session, n));
            }
            takeAll(subscriber, 1, 2, 1);
            takeAll(durable, 2, 2, 1);
            durable.close();
            session.unsubscribe("sub");
            refused(IllegalStateException.class, () -> session.createQueue("a"));
            refused(IllegalStateException.class, session::createTemporaryQueue);
        } finally {
            connection.close();
        }
    }

    @Scenario
    void manySessions() throws Exception {
        Connection connection = connect();
        for (int i = 1; i <= 100; i++) {
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue(named(String.valueOf(i))));
            send(session, session.createQueue(named(String.valueOf(i))), i, i);
            takeAll(consumer, i, i, 1);
        }
    }
}
