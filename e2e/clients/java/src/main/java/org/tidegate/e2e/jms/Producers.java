package org.tidegate.e2e.jms;

import jakarta.jms.CompletionListener;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.IllegalStateException;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Sending (jms 7) and the order of what was sent (jms 6.2.9). */
final class Producers extends Chapter {
    /** Keeps the order in which sends were answered. */
    static final class Answers implements CompletionListener {
        private final LinkedBlockingQueue<Object> all = new LinkedBlockingQueue<>();

        @Override
        public void onCompletion(Message message) {
            try {
                all.add(message.getIntProperty("n"));
            } catch (JMSException e) {
                all.add(e);
            }
        }

        @Override
        public void onException(Message message, Exception e) {
            all.add(e);
        }

        void wants(int first, int last) throws InterruptedException {
            for (int n = first; n <= last; n++) {
                same(n, all.poll(PATIENCE, TimeUnit.MILLISECONDS), "the answer");
            }
        }
    }

    @Scenario
    void priorityOrder() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        List<Integer> want = new ArrayList<>();
        for (int priority = 0; priority <= 9; priority++) {
            for (int i = 0; i < 2; i++) {
                Message message = numbered(session, 10 * priority + i);
                producer.send(message, DeliveryMode.PERSISTENT, priority, 0);
            }
            want.addAll(0, List.of(10 * priority, 10 * priority + 1));
        }
        same(want, left(), "the order of priorities");
    }

    @Scenario
    void order() throws Exception {
        for (int mode : List.of(DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT)) {
            Session session = session();
            MessageConsumer consumer = session.createConsumer(session.createQueue(named("" + mode)));
            MessageProducer producer = session.createProducer(session.createQueue(named("" + mode)));
            producer.setDeliveryMode(mode);
            for (int n = 1; n <= 300; n++) {
                producer.send(numbered(session, n));
            }
            takeAll(consumer, 1, 300, 1);
        }
    }

    @Scenario
    void timeToLive() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        Message brief = numbered(session, 1);
        producer.send(brief, DeliveryMode.PERSISTENT, 4, 1);
        send(session, queue(session), 2, 2);
        while (System.currentTimeMillis() <= brief.getJMSExpiration()) {
            Thread.onSpinWait(); // two milliseconds
        }
        // The library would drop it as well: here it is not to look.
        Session looks = connect("jms.localMessageExpiry=false").createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = looks.createConsumer(queue(looks));
        takeAll(consumer, 2, 2, 1);
        nothing(consumer);
    }

    @Scenario
    void defaults() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        same(DeliveryMode.PERSISTENT, producer.getDeliveryMode(), "delivery mode");
        same(4, producer.getPriority(), "priority");
        same(0L, producer.getTimeToLive(), "time to live");
        same(0L, producer.getDeliveryDelay(), "delivery delay");
        refused(JMSException.class, () -> producer.setPriority(10));
        refused(JMSException.class, () -> producer.setPriority(-1));
        refused(JMSException.class, () -> producer.setDeliveryMode(17));
    }

    @Scenario
    void anonymous() throws Exception {
        Session session = session();
        MessageConsumer subscriber = session.createConsumer(topic(session));
        MessageProducer producer = session.createProducer(null);
        for (int n = 1; n <= 3; n++) {
            Message message = numbered(session, n);
            producer.send(queue(session), message);
            producer.send(session.createQueue(named("b")), message);
            producer.send(topic(session), message);
        }
        same(List.of(1, 2, 3), left(), "messages of the first queue");
        same(List.of(1, 2, 3), left(named("b")), "messages of the second queue");
        takeAll(subscriber, 1, 3, 1);
        refused(UnsupportedOperationException.class, () -> producer.send(session.createMessage()));
        refused(InvalidDestinationException.class, () -> producer.send(null, session.createMessage()));
    }

    @Scenario
    void fixedDestination() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        same(queue(session), producer.getDestination(), "the producer's destination");
        refused(UnsupportedOperationException.class, () -> producer.send(queue(session), session.createMessage()));
    }

    private static void sendAsync(Session session, MessageProducer producer, int count, Answers answers) throws JMSException {
        for (int n = 1; n <= count; n++) {
            Message message = numbered(session, n);
            producer.send(message, answers);
        }
    }

    @Scenario
    void async() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        Answers answers = new Answers();
        sendAsync(session, producer, 100, answers);
        answers.wants(1, 100);
        takeAll(session.createConsumer(queue(session)), 1, 100, 1);
    }

    @Scenario
    void asyncEndsBeforeClose() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        Answers answers = new Answers();
        sendAsync(session, producer, 50, answers);
        // Closing the producer alone waits for the answers, but not until the
        // listener has been told them: Qpid JMS tells them on the session's thread.
        producer.close();
        session.close();
        same(50, answers.all.size(), "answers told before close returned");
        answers.wants(1, 50);
    }

    @Scenario
    void asyncFails() throws Exception {
        Session session = session();
        Answers answers = new Answers();
        session.createProducer(null).send(missing(), session.createMessage(), answers);
        Object answer = answers.all.poll(PATIENCE, TimeUnit.MILLISECONDS);
        check(answer instanceof InvalidDestinationException, "the answer is " + answer);
    }

    /** A destination that is not there, and that nobody can bring about: of a connection that ended. */
    private Queue missing() throws Exception {
        Connection connection = connect();
        Queue queue = connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createTemporaryQueue();
        connection.close();
        return session().createQueue(queue.getQueueName());
    }

    @Scenario
    void missingDestination() throws Exception {
        Session session = session();
        Queue missing = missing();
        refused(InvalidDestinationException.class, () -> session.createProducer(missing));
        refused(InvalidDestinationException.class, () -> session.createConsumer(missing));
        MessageProducer anonymous = session.createProducer(null);
        refused(InvalidDestinationException.class, () -> anonymous.send(missing, session.createMessage()));
        anonymous.send(queue(session), session.createMessage()); // which is none the worse
    }

    /** EMS's RELIABLE_DELIVERY: never confirmed, never an error. */
    @Scenario
    void reliable() throws Exception {
        LinkedBlockingQueue<Object> told = new LinkedBlockingQueue<>();
        Connection connection = connect("jms.presettlePolicy.presettleProducers=true");
        connection.setExceptionListener(told::add);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(null);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(session.createQueue("forbidden.q"), session.createMessage());
        producer.send(missing(), session.createMessage());
        Message message = numbered(session, 1);
        producer.send(queue(session), message); // the producer lives, and is in order
        Session looks = session();
        takeAll(looks.createConsumer(queue(looks)), 1, 1, 1);
        connection.close();
        same(0, told.size(), "errors that were told");
    }

    /** The server of these scenarios forbids `forbidden.>` to everybody. */
    @Scenario
    void forbiddenDestination() throws Exception {
        Session session = session();
        Queue queue = session.createQueue("forbidden.q");
        Topic topic = session.createTopic("forbidden.t");
        refused(JMSSecurityException.class, () -> session.createProducer(queue));
        refused(JMSSecurityException.class, () -> session.createProducer(topic));
        refused(JMSSecurityException.class, () -> session.createConsumer(queue));
        refused(JMSSecurityException.class, () -> session.createConsumer(topic));
        refused(JMSSecurityException.class, () -> session.createBrowser(queue).getEnumeration());
        MessageProducer anonymous = session.createProducer(null);
        Answers answers = new Answers();
        anonymous.send(queue, session.createMessage(), DeliveryMode.NON_PERSISTENT, 4, 0, answers);
        Object answer = answers.all.poll(PATIENCE, TimeUnit.MILLISECONDS);
        check(answer instanceof JMSSecurityException, "the answer is " + answer);
        refused(JMSSecurityException.class, () -> anonymous.send(queue, session.createMessage()));
        refused(JMSSecurityException.class, () -> anonymous.send(topic, session.createMessage()));
        anonymous.send(queue(session), session.createMessage()); // which is none the worse
    }

    @Scenario
    void forbiddenInATransaction() throws Exception {
        Session session = connect().createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer anonymous = session.createProducer(null);
        anonymous.send(queue(session), session.createMessage());
        anonymous.send(session.createQueue("forbidden.q"), session.createMessage()); // sends are not waited for here
        refused(JMSException.class, session::commit);
        Session looks = session();
        MessageConsumer consumer = looks.createConsumer(queue(looks));
        nothing(consumer);
        send(session, queue(session), 1, 1);
        session.commit(); // the next transaction works
        takeAll(consumer, 1, 1, 1);
    }

    @Scenario
    void endsInCompletionListener() throws Exception {
        Session session = connect().createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(queue(session));
        LinkedBlockingQueue<Object> got = new LinkedBlockingQueue<>();
        producer.send(session.createMessage(), new CompletionListener() {
            @Override
            public void onCompletion(Message message) {
                try {
                    refused(IllegalStateException.class, session::commit);
                    refused(IllegalStateException.class, session::rollback);
                    refused(IllegalStateException.class, session::close);
                    got.add("refused");
                } catch (RuntimeException e) {
                    got.add(e);
                }
            }

            @Override
            public void onException(Message message, Exception e) {
                got.add(e);
            }
        });
        same("refused", got.poll(PATIENCE, TimeUnit.MILLISECONDS), "commit, rollback and close");
    }

    @Scenario
    void asyncTransacted() throws Exception {
        Session session = connect().createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(queue(session));
        Answers answers = new Answers();
        sendAsync(session, producer, 50, answers);
        // The gateway answers each send before the commit, but Qpid JMS's commit does not
        // wait until the listener has been told: that is done on another thread.
        session.commit();
        answers.wants(1, 50);
        takeAll(session.createConsumer(queue(session)), 1, 50, 1);
        session.commit();
    }

    @Scenario
    void closed() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        producer.close();
        producer.close();
        refused(IllegalStateException.class, () -> producer.send(session.createMessage()));
    }

    @Scenario
    void createSendClose() throws Exception {
        Connection connection = connect();
        for (int n = 1; n <= 50; n++) { // as Spring's JmsTemplate does
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            send(session, queue(session), n, n);
            session.close();
        }
        Session session = session();
        takeAll(session.createConsumer(queue(session)), 1, 50, 1);
    }
}
