package org.tidegate.e2e.jms;

import jakarta.jms.IllegalStateException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TransactionRolledBackException;
import java.util.List;

/** Local transactions (jms 6.2.7). */
final class Transactions extends Chapter {
    private Session transacted() throws Exception {
        return connect().createSession(true, Session.SESSION_TRANSACTED);
    }

    private void prepare(int first, int last) throws Exception {
        Session session = transacted();
        send(session, queue(session), first, last);
        session.commit();
    }

    @Scenario
    void sendIsSeenAtCommit() throws Exception {
        Session session = transacted();
        check(session.getTransacted(), "a transacted session must say so");
        same(Session.SESSION_TRANSACTED, session.getAcknowledgeMode(), "its acknowledge mode");
        Session other = session();
        MessageConsumer consumer = other.createConsumer(queue(other));
        send(session, queue(session), 1, 3);
        nothing(consumer);
        session.commit();
        takeAll(consumer, 1, 3, 1);
    }

    @Scenario
    void rolledBackSendIsGone() throws Exception {
        Session session = transacted();
        send(session, queue(session), 1, 3);
        session.rollback();
        send(session, queue(session), 4, 4);
        session.commit();
        same(List.of(4), left(), "what was committed");
    }

    @Scenario
    void commitAcknowledges() throws Exception {
        prepare(1, 5);
        Session session = transacted();
        takeAll(session.createConsumer(queue(session)), 1, 3, 1);
        session.commit();
        session.close();
        same(List.of(4, 5), left(), "what was not received");
    }

    @Scenario
    void rollbackOrder() throws Exception {
        prepare(1, 1000);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        for (int count = 1; count <= 5; count++) {
            takeAll(consumer, 1, 500, count); // the other 500 are in the client's buffer
            session.rollback();
        }
        takeAll(consumer, 1, 500, 6);
        takeAll(consumer, 501, 1000, 1);
        session.commit();
        nothing(consumer);
    }

    @Scenario
    void rollbackGoesAhead() throws Exception {
        prepare(1, 3);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 3, 1);
        prepare(4, 6);
        session.rollback();
        takeAll(consumer, 1, 3, 2);
        takeAll(consumer, 4, 6, 1);
        session.commit();
    }

    @Scenario
    void rollbackForAnother() throws Exception {
        prepare(1, 3);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 2, 1);
        session.rollback();
        session.close();
        Session other = session();
        MessageConsumer next = other.createConsumer(queue(other));
        takeAll(next, 1, 2, 2);
        takeAll(next, 3, 3, 1);
    }

    @Scenario
    void sendAndReceiveAreOne() throws Exception {
        prepare(1, 2);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        MessageProducer queue = session.createProducer(session.createQueue(named("out")));
        Session other = session();
        MessageConsumer subscriber = other.createConsumer(topic(other));
        MessageProducer topic = session.createProducer(topic(session));
        for (int count = 1; count <= 2; count++) {
            for (int n = 1; n <= 2; n++) {
                Message message = take(consumer);
                same(count, message.getIntProperty("JMSXDeliveryCount"), "JMSXDeliveryCount");
                queue.send(message);
                topic.send(message);
            }
            nothing(subscriber);
            if (count == 1) {
                session.rollback();
            }
        }
        session.commit();
        takeAll(subscriber, 1, 2, 1);
        nothing(subscriber);
        session.close();
        same(List.of(), left(), "what was received");
        same(List.of(1, 2), left(named("out")), "what was sent");
    }

    @Scenario
    void afterConsumerClose() throws Exception {
        prepare(1, 4);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 2, 1);
        consumer.close();
        session.rollback();
        consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 2, 2);
        consumer.close();
        session.commit();
        same(List.of(3, 4), left(), "what was not received");
    }

    @Scenario
    void closeRollsBack() throws Exception {
        prepare(1, 2);
        Session session = transacted();
        takeAll(session.createConsumer(queue(session)), 1, 2, 1);
        send(session, session.createQueue(named("out")), 1, 2);
        session.close();
        same(List.of(1, 2), left(), "what was received in the open transaction");
        same(List.of(), left(named("out")), "what was sent in the open transaction");
    }

    @Scenario
    void alwaysOneOpen() throws Exception {
        Session session = transacted();
        session.commit();
        session.rollback();
        session.commit();
        for (int n = 1; n <= 20; n++) {
            send(session, queue(session), n, n);
            session.commit();
        }
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 20, 1);
        session.commit();
    }

    @Scenario
    void sideBySide() throws Exception {
        var connection = connect();
        Session a = connection.createSession(true, Session.SESSION_TRANSACTED);
        Session b = connection.createSession(true, Session.SESSION_TRANSACTED);
        send(a, queue(a), 1, 2);
        send(b, queue(b), 3, 4);
        a.rollback();
        b.commit();
        same(List.of(3, 4), left(), "what the second session committed");
    }

    @Scenario
    void lostConnection() throws Exception {
        prepare(1, 3);
        Cable cable = cable();
        var lost = over(cable, false);
        lost.start();
        Session session = lost.createSession(true, Session.SESSION_TRANSACTED);
        takeAll(session.createConsumer(queue(session)), 1, 2, 1);
        send(session, session.createQueue(named("out")), 1, 2);
        cable.cut();
        Session other = session();
        MessageConsumer consumer = other.createConsumer(queue(other));
        for (int n = 1; n <= 3; n++) {
            Message message = take(consumer);
            same(n, message.getIntProperty("n"), "the message's number");
            check(n == 3 || message.getJMSRedelivered(), "message " + n + " must be flagged as redelivered");
        }
        same(List.of(), left(named("out")), "what was sent in the transaction");
        refused(JMSException.class, session::commit);
    }

    @Scenario
    void inDoubt() throws Exception {
        Cable cable = cable();
        Session session = over(cable, true).createSession(true, Session.SESSION_TRANSACTED);
        send(session, queue(session), 1, 2);
        cable.cut();
        refused(TransactionRolledBackException.class, () -> {
            send(session, queue(session), 3, 3);
            session.commit();
        });
        send(session, queue(session), 4, 4);
        session.commit();
        same(List.of(4), left(), "what was committed");
    }

    @Scenario
    void destinationDeleted() throws Exception {
        prepare(1, 2);
        Session owner = session();
        TemporaryQueue temporary = owner.createTemporaryQueue();
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 1, 1);
        send(session, session.createQueue(named("out")), 1, 1);
        send(session, temporary, 1, 1);
        temporary.delete();
        TransactionRolledBackException e = refused(TransactionRolledBackException.class, session::commit);
        check(e.getMessage().contains(temporary.getQueueName()), "commit does not say why it failed: " + e);
        send(session, session.createQueue(named("next")), 3, 3);
        session.commit(); // this one has none of that
        session.close();
        same(List.of(3), left(named("next")), "what was sent with the next one");
        same(List.of(1, 2), left(), "what was received with the one that could not be committed, and not");
        same(List.of(), left(named("out")), "what was sent with the one that could not be committed");
    }

    @Scenario
    void acknowledgeDoesNothing() throws Exception {
        prepare(1, 1);
        Session session = transacted();
        take(session.createConsumer(queue(session))).acknowledge();
        session.rollback();
        session.close();
        same(List.of(1), left(), "what was acknowledged and rolled back");
    }

    @Scenario
    void notTransacted() throws Exception {
        Session session = session();
        refused(IllegalStateException.class, session::commit);
        refused(IllegalStateException.class, session::rollback);
    }

    @Scenario
    void inListeners() throws Exception {
        prepare(1, 3);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        var seen = new java.util.concurrent.LinkedBlockingQueue<String>();
        consumer.setMessageListener(message -> {
            try {
                int n = message.getIntProperty("n");
                int count = message.getIntProperty("JMSXDeliveryCount");
                if (n == 2 && count == 1) {
                    session.rollback();
                } else {
                    session.commit();
                }
                seen.add(n + "/" + count);
            } catch (Exception e) {
                seen.add(e.toString());
            }
        });
        for (String want : List.of("1/1", "2/1", "2/2", "3/1")) {
            same(want, seen.poll(PATIENCE, java.util.concurrent.TimeUnit.MILLISECONDS), "message/count");
        }
    }

    /** The server rolls a transaction back that is open for too long; the client learns of it by its commit. */
    @Scenario(special = true)
    void timeOut() throws Exception {
        prepare(1, 2);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 1, 1);
        send(session, session.createQueue(named("out")), 1, 1);
        consumer.close();
        Session other = session();
        MessageConsumer waiting = other.createConsumer(queue(other), "n = 1");
        takeAll(waiting, 1, 1, 2); // comes when the time is up
        TransactionRolledBackException e = refused(TransactionRolledBackException.class, session::commit);
        check(e.getMessage().contains("transaction-timeout"), "commit does not say why it failed: " + e);
        same(List.of(), left(named("out")), "what was sent in it");
        send(session, session.createQueue(named("out")), 2, 2);
        session.commit(); // the next one
        same(List.of(2), left(named("out")), "what was sent in the next one");
        same(List.of(2), left(), "what was not taken");
    }
}
