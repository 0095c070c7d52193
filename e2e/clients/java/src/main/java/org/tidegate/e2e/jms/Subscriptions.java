package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import java.util.TreeSet;

/** Durable and shared subscriptions (jms 8.3). */
final class Subscriptions extends Chapter {
    private static Session on(Connection connection) throws JMSException {
        return connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    private void publish(int first, int last) throws JMSException {
        Session session = session();
        send(session, topic(session), first, last);
    }

    /** Takes what either consumer has; each message must come to one of them. */
    private static void shared(int first, int last, MessageConsumer... consumers) throws JMSException {
        TreeSet<Integer> all = new TreeSet<>();
        for (MessageConsumer consumer : consumers) {
            for (Message m = consumer.receiveNoWait(); m != null; m = consumer.receiveNoWait()) {
                check(all.add(m.getIntProperty("n")), "message " + m.getIntProperty("n") + " came twice");
            }
        }
        TreeSet<Integer> want = new TreeSet<>();
        for (int n = first; n <= last; n++) {
            want.add(n);
        }
        same(want, all, "messages that came to any of the consumers");
    }

    @Scenario
    void durable() throws Exception {
        Connection connection = identified();
        Session session = on(connection);
        MessageConsumer consumer = session.createDurableConsumer(topic(session), "sub");
        publish(1, 2);
        takeAll(consumer, 1, 1, 1);
        consumer.close();
        publish(3, 4);
        connection.close();
        publish(5, 6);
        Session again = on(identified());
        MessageConsumer next = again.createDurableSubscriber(topic(again), "sub");
        takeAll(next, 2, 6, 1);
        nothing(next);
        next.close();
        again.unsubscribe("sub");
    }

    @Scenario
    void durableNeedsClientID() throws Exception {
        Session session = session();
        refused(JMSException.class, () -> session.createDurableConsumer(topic(session), "sub"));
    }

    @Scenario
    void durableIsOfItsClient() throws Exception {
        Session mine = on(identified());
        mine.createDurableConsumer(topic(mine), "sub").close();
        Connection other = unstarted();
        other.setClientID(named("other"));
        other.start();
        Session theirs = on(other);
        theirs.createDurableConsumer(topic(theirs), "sub").close();
        publish(1, 2);
        takeAll(mine.createDurableConsumer(topic(mine), "sub"), 1, 2, 1);
        takeAll(theirs.createDurableConsumer(topic(theirs), "sub"), 1, 2, 1);
    }

    @Scenario
    void durableInUse() throws Exception {
        Session session = on(identified());
        session.createDurableConsumer(topic(session), "sub");
        refused(JMSException.class, () -> session.createDurableConsumer(topic(session), "sub"));
        refused(JMSException.class, () -> session.unsubscribe("sub"));
    }

    @Scenario
    void durableChanged() throws Exception {
        Session session = on(identified());
        session.createDurableConsumer(topic(session), "sub", "n > 1", false).close();
        publish(1, 2);
        MessageConsumer other = session.createDurableConsumer(topic(session), "sub", "n > 3", false);
        nothing(other); // made anew: what waited is gone
        publish(3, 4);
        takeAll(other, 4, 4, 1);
        other.close();
        publish(5, 5);
        MessageConsumer elsewhere = session.createDurableConsumer(session.createTopic(named("b")), "sub");
        nothing(elsewhere);
        publish(6, 6);
        nothing(elsewhere);
        send(session, session.createTopic(named("b")), 7, 7);
        takeAll(elsewhere, 7, 7, 1);
    }

    @Scenario
    void durableSelector() throws Exception {
        Session session = on(identified());
        session.createDurableConsumer(topic(session), "sub", "n = 2 OR n = 4", false).close();
        publish(1, 5);
        MessageConsumer consumer = session.createDurableConsumer(topic(session), "sub", "n = 2 OR n = 4", false);
        takeAll(consumer, 2, 2, 1);
        takeAll(consumer, 4, 4, 1);
        nothing(consumer);
    }

    @Scenario
    void durableNoLocal() throws Exception {
        Session session = on(identified());
        MessageConsumer consumer = session.createDurableConsumer(topic(session), "sub", null, true);
        send(session, topic(session), 1, 1);
        publish(2, 2);
        takeAll(consumer, 2, 2, 1);
        nothing(consumer);
        consumer.close();
        send(session, topic(session), 3, 3); // while nobody is there
        publish(4, 4);
        MessageConsumer again = session.createDurableConsumer(topic(session), "sub", null, true);
        takeAll(again, 4, 4, 1);
        nothing(again);
        again.close();
        MessageConsumer all = session.createDurableConsumer(topic(session), "sub", null, false); // another one
        send(session, topic(session), 5, 5);
        takeAll(all, 5, 5, 1);
    }

    @Scenario
    void durableRollback() throws Exception {
        Connection connection = identified();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createDurableConsumer(topic(session), "sub");
        publish(1, 3);
        takeAll(consumer, 1, 2, 1);
        session.rollback();
        takeAll(consumer, 1, 2, 2);
        takeAll(consumer, 3, 3, 1);
        session.commit();
    }

    @Scenario
    void unsubscribe() throws Exception {
        Session session = on(identified());
        session.createDurableConsumer(topic(session), "sub").close();
        publish(1, 1);
        session.unsubscribe("sub");
        refused(InvalidDestinationException.class, () -> session.unsubscribe("sub"));
        refused(InvalidDestinationException.class, () -> session.unsubscribe("never was"));
        nothing(session.createDurableConsumer(topic(session), "sub"));
    }

    @Scenario
    void sharedVolatile() throws Exception {
        Session a = session();
        Session b = session();
        MessageConsumer first = a.createSharedConsumer(topic(a), named());
        MessageConsumer second = b.createSharedConsumer(topic(b), named());
        MessageConsumer alone = b.createSharedConsumer(topic(b), named("other"));
        publish(1, 10);
        shared(1, 10, first, second);
        takeAll(alone, 1, 10, 1);
    }

    @Scenario
    void sharedVolatileEnds() throws Exception {
        Session a = session();
        Session b = session();
        MessageConsumer first = a.createSharedConsumer(topic(a), named());
        MessageConsumer second = b.createSharedConsumer(topic(b), named());
        first.close();
        publish(1, 3);
        takeAll(second, 1, 3, 1);
        publish(4, 4);
        second.close(); // the last one: the subscription ends, and what it held
        nothing(a.createSharedConsumer(topic(a), named()));
    }

    @Scenario
    void sharedVolatileOfAClient() throws Exception {
        Session session = on(identified());
        Session other = session();
        MessageConsumer mine = session.createSharedConsumer(topic(session), named());
        MessageConsumer mineToo = session.createSharedConsumer(topic(session), named());
        MessageConsumer global = other.createSharedConsumer(topic(other), named());
        publish(1, 6);
        shared(1, 6, mine, mineToo);
        takeAll(global, 1, 6, 1);
    }

    @Scenario
    void sharedVolatileDiffers() throws Exception {
        Session a = session();
        Session b = session();
        a.createSharedConsumer(topic(a), named(), "n = 1");
        refused(JMSException.class, () -> b.createSharedConsumer(topic(b), named(), "n = 2"));
        refused(JMSException.class, () -> b.createSharedConsumer(b.createTopic(named("b")), named(), "n = 1"));
    }

    @Scenario
    void sharedDurable() throws Exception {
        Session a = session();
        Session b = session();
        MessageConsumer first = a.createSharedDurableConsumer(topic(a), named());
        MessageConsumer second = b.createSharedDurableConsumer(topic(b), named());
        publish(1, 10);
        shared(1, 10, first, second);
        first.close();
        second.close();
        publish(11, 12);
        Session c = session();
        MessageConsumer third = c.createSharedDurableConsumer(topic(c), named());
        takeAll(third, 11, 12, 1);
        refused(JMSException.class, () -> b.unsubscribe(named()));
        third.close();
        c.unsubscribe(named());
        refused(InvalidDestinationException.class, () -> c.unsubscribe(named()));
    }

    @Scenario
    void sharedDurableOfAClient() throws Exception {
        Session session = on(identified());
        MessageConsumer first = session.createSharedDurableConsumer(topic(session), "sub");
        MessageConsumer second = session.createSharedDurableConsumer(topic(session), "sub");
        publish(1, 6);
        shared(1, 6, first, second);
        first.close();
        second.close();
        publish(7, 7);
        MessageConsumer third = session.createSharedDurableConsumer(topic(session), "sub");
        takeAll(third, 7, 7, 1);
        third.close();
        session.unsubscribe("sub");
    }

    @Scenario
    void sharedDurableDiffers() throws Exception {
        Session a = session();
        Session b = session();
        MessageConsumer first = a.createSharedDurableConsumer(topic(a), named(), "n > 1");
        refused(JMSException.class, () -> b.createSharedDurableConsumer(topic(b), named(), "n > 2"));
        first.close();
        publish(1, 3);
        MessageConsumer changed = b.createSharedDurableConsumer(topic(b), named(), "n > 2");
        nothing(changed); // made anew
        changed.close();
        b.unsubscribe(named());
    }

    @Scenario
    void oneNameForDurables() throws Exception {
        Session session = on(identified());
        session.createDurableConsumer(topic(session), "unshared").close();
        refused(JMSException.class, () -> session.createSharedDurableConsumer(topic(session), "unshared"));
        session.createSharedDurableConsumer(topic(session), "shared").close();
        refused(JMSException.class, () -> session.createDurableConsumer(topic(session), "shared"));
        // A shared one that is not durable is another matter.
        MessageConsumer apart = session.createSharedConsumer(topic(session), "unshared");
        publish(1, 2);
        takeAll(apart, 1, 2, 1);
        takeAll(session.createDurableConsumer(topic(session), "unshared"), 1, 2, 1);
    }

    @Scenario
    void wildcards() throws Exception {
        Session session = session();
        MessageConsumer one = session.createConsumer(session.createTopic(named("*.b")));
        MessageConsumer rest = session.createConsumer(session.createTopic(named(">")));
        send(session, session.createTopic(named("a.b")), 1, 1);
        send(session, session.createTopic(named("a.c")), 2, 2);
        send(session, session.createTopic(named("a.b.c")), 3, 3);
        send(session, session.createTopic(named("d.b")), 4, 4);
        takeAll(one, 1, 1, 1);
        Message last = take(one);
        same(4, last.getIntProperty("n"), "what * stands for");
        same(session.createTopic(named("d.b")), last.getJMSDestination(), "JMSDestination is the topic itself");
        nothing(one);
        takeAll(rest, 1, 4, 1);
    }

    @Scenario
    void durableWildcards() throws Exception {
        Session session = on(identified());
        session.createDurableConsumer(session.createTopic(named("*.b")), "sub").close();
        send(session, session.createTopic(named("a.b")), 1, 1);
        send(session, session.createTopic(named("a.c")), 2, 2);
        send(session, session.createTopic(named("d.b")), 3, 3);
        MessageConsumer consumer = session.createDurableConsumer(session.createTopic(named("*.b")), "sub");
        takeAll(consumer, 1, 1, 1);
        takeAll(consumer, 3, 3, 1);
        nothing(consumer);
        consumer.close();
        session.unsubscribe("sub");
    }

    @Scenario
    void temporaryTopicsHaveNone() throws Exception {
        Session session = on(identified());
        var topic = session.createTemporaryTopic();
        refused(InvalidDestinationException.class, () -> session.createDurableConsumer(topic, "sub"));
    }
}
