package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.IllegalStateException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Acknowledge modes, recover, close and redelivery (jms 3.6, 6.2.10 and following). */
final class Acknowledgement extends Chapter {
    /** Qpid JMS's modes beyond those of JMS: one message each; none at all. */
    private static final int INDIVIDUAL = 101;
    private static final List<Integer> NONE = List.of(100, 257);

    private void prepare(int count) throws Exception {
        Session session = session();
        send(session, queue(session), 1, count);
    }

    @Scenario
    void auto() throws Exception {
        prepare(3);
        Session session = connect().createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 2, 1);
        take(consumer).acknowledge(); // changes nothing
        session.close();
        same(List.of(), left(), "what is left once all was received");
    }

    @Scenario
    void dupsOk() throws Exception {
        prepare(3);
        Session session = connect().createSession(false, Session.DUPS_OK_ACKNOWLEDGE);
        takeAll(session.createConsumer(queue(session)), 1, 3, 1);
        session.close();
        same(List.of(), left(), "what is left once all was received and the session closed");
    }

    @Scenario
    void client() throws Exception {
        prepare(5);
        Session session = connect().createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        Message first = take(consumer);
        takeAll(consumer, 2, 3, 1);
        first.acknowledge(); // all that the session consumed, whichever message says so
        takeAll(consumer, 4, 4, 1);
        session.close();
        same(List.of(4, 5), left(), "what was not acknowledged");
    }

    @Scenario
    void clientOverConsumers() throws Exception {
        prepare(2);
        Session sender = session();
        send(sender, sender.createQueue(named("b")), 3, 3);
        Session session = connect().createSession(false, Session.CLIENT_ACKNOWLEDGE);
        takeAll(session.createConsumer(queue(session)), 1, 2, 1);
        take(session.createConsumer(session.createQueue(named("b")))).acknowledge();
        session.close();
        same(List.of(), left(), "what another consumer of the session received");
        same(List.of(), left(named("b")), "what was acknowledged itself");
    }

    @Scenario
    void closeUnacknowledged() throws Exception {
        prepare(4);
        Session session = connect().createSession(false, Session.CLIENT_ACKNOWLEDGE);
        takeAll(session.createConsumer(queue(session)), 1, 2, 1);
        session.close();
        Session again = session();
        MessageConsumer consumer = again.createConsumer(queue(again));
        takeAll(consumer, 1, 2, 2);
        takeAll(consumer, 3, 4, 1);
    }

    @Scenario
    void recover() throws Exception {
        prepare(4);
        Session session = connect().createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        take(consumer).acknowledge();
        takeAll(consumer, 2, 3, 1);
        session.recover();
        takeAll(consumer, 2, 3, 2);
        Message last = take(consumer);
        same(4, last.getIntProperty("n"), "the message behind those that came again");
        last.acknowledge();
        session.close();
        same(List.of(), left(), "what is left");
    }

    @Scenario
    void recoverTransacted() throws Exception {
        Session session = connect().createSession(true, Session.SESSION_TRANSACTED);
        refused(IllegalStateException.class, session::recover);
    }

    @Scenario
    void afterConsumerClose() throws Exception {
        prepare(3);
        Session session = connect().createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        Message first = take(consumer);
        consumer.close();
        first.acknowledge();
        session.close();
        same(List.of(2, 3), left(), "what was not acknowledged");
    }

    @Scenario
    void afterSessionClose() throws Exception {
        prepare(1);
        Session session = connect().createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Message first = take(session.createConsumer(queue(session)));
        session.close();
        refused(IllegalStateException.class, first::acknowledge);
        same(List.of(1), left(), "what was not acknowledged");
    }

    @Scenario
    void individual() throws Exception {
        prepare(5);
        Session session = connect().createSession(false, INDIVIDUAL);
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 1, 1);
        Message second = take(consumer);
        takeAll(consumer, 3, 3, 1);
        Message fourth = take(consumer);
        fourth.acknowledge();
        second.acknowledge();
        session.close();
        same(List.of(1, 3, 5), left(), "what was not acknowledged, in order");
    }

    @Scenario
    void orderAfterALostConnection() throws Exception {
        prepare(100);
        Cable cable = cable();
        Connection connection = over(cable, false);
        connection.start();
        Session session = connection.createSession(false, INDIVIDUAL);
        MessageConsumer consumer = session.createConsumer(queue(session));
        for (int n = 1; n <= 20; n++) {
            same(n, take(consumer).getIntProperty("n"), "the message's number");
        }
        cable.cut(); // twenty were received, eighty are in the client's buffer or on their way
        Session again = session();
        MessageConsumer next = again.createConsumer(queue(again));
        for (int n = 1; n <= 100; n++) {
            Message message = take(next);
            same(n, message.getIntProperty("n"), "the message's number");
            check(n > 20 || message.getJMSRedelivered(), "message " + n + " must be flagged as redelivered");
        }
        nothing(next);
    }

    @Scenario
    void presettledConsumers() throws Exception {
        goneUnacknowledged(Session.CLIENT_ACKNOWLEDGE, "jms.prefetchPolicy.all=2", "jms.presettlePolicy.presettleConsumers=true");
    }

    @Scenario
    void noAcknowledge() throws Exception {
        for (int mode : NONE) {
            goneUnacknowledged(mode, "jms.prefetchPolicy.all=2");
        }
    }

    /** Takes one of six messages, with two at most on their way, and never acknowledges it. */
    private void goneUnacknowledged(int mode, String... options) throws Exception {
        prepare(6);
        Connection connection = connect(options);
        Session session = connection.createSession(false, mode);
        takeAll(session.createConsumer(queue(session)), 1, 1, 1);
        connection.close();
        List<Integer> left = left();
        check(!left.contains(1), "what was received is gone without an acknowledgement: " + left);
        check(left.contains(6), "what the server never sent must still be there: " + left);
    }

    @Scenario
    void consumerCloseGivesBack() throws Exception {
        prepare(10);
        Session session = connect().createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 3, 1);
        consumer.close();
        Session again = session();
        MessageConsumer next = again.createConsumer(queue(again));
        takeAll(next, 4, 10, 1); // only buffered by the client: their count is as it was
        nothing(next);
    }

    @Scenario
    void clientInListener() throws Exception {
        prepare(3);
        Session session = connect().createSession(false, Session.CLIENT_ACKNOWLEDGE);
        LinkedBlockingQueue<Object> got = new LinkedBlockingQueue<>();
        session.createConsumer(queue(session)).setMessageListener(message -> {
            try {
                int n = message.getIntProperty("n");
                if (n == 2) {
                    message.acknowledge();
                }
                got.add(n);
            } catch (JMSException e) {
                got.add(e);
            }
        });
        for (int n = 1; n <= 3; n++) {
            same(n, got.poll(PATIENCE, TimeUnit.MILLISECONDS), "what the listener got");
        }
        session.close();
        same(List.of(3), left(), "what was not acknowledged");
    }

    @Scenario
    void badMode() throws Exception {
        Connection connection = connect();
        refused(JMSException.class, () -> connection.createSession(false, 17));
    }
}
