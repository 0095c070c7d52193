package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TemporaryTopic;
import jakarta.jms.Topic;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Message header fields (jms 3.4). */
final class Headers extends Chapter {
    @Scenario
    void destination() throws Exception {
        Session session = session();
        Message sent = session.createMessage();
        Message got = pass(session, sent);
        same(named(), ((Queue) sent.getJMSDestination()).getQueueName(), "JMSDestination after the send");
        same(named(), ((Queue) got.getJMSDestination()).getQueueName(), "JMSDestination as received");
        MessageConsumer subscriber = session.createConsumer(topic(session));
        session.createProducer(topic(session)).send(session.createMessage());
        same(named(), ((Topic) take(subscriber).getJMSDestination()).getTopicName(), "JMSDestination of a topic");
    }

    @Scenario
    void deliveryMode() throws Exception {
        Session session = session();
        MessageConsumer consumer = session.createConsumer(queue(session));
        MessageProducer producer = session.createProducer(queue(session));
        for (int mode : List.of(DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT)) {
            producer.setDeliveryMode(mode);
            producer.send(session.createMessage());
            same(mode, take(consumer).getJMSDeliveryMode(), "JMSDeliveryMode");
        }
    }

    /** The queue has expiration=2hour: whoever starts the server says so. */
    @Scenario
    void administeredExpiration() throws Exception {
        Session session = session();
        Queue queue = session.createQueue("administered.expiration");
        MessageProducer producer = session.createProducer(queue);
        producer.setTimeToLive(60_000);
        long before = System.currentTimeMillis();
        producer.send(session.createMessage());
        long expiration = take(session.createConsumer(queue)).getJMSExpiration();
        check(expiration >= before + 7_200_000 - 60_000 && expiration < before + 8_000_000, "JMSExpiration is " + (expiration - before) + " ms after the send, not two hours");
    }

    @Scenario
    void messageID() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        Set<String> all = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            Message sent = session.createMessage();
            producer.send(sent);
            String id = take(consumer).getJMSMessageID();
            same(sent.getJMSMessageID(), id, "JMSMessageID as received");
            check(id.startsWith("ID:"), "JMSMessageID " + id + " must begin with ID:");
            check(all.add(id), "JMSMessageID " + id + " came twice");
        }
    }

    @Scenario
    void timestamp() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        long before = System.currentTimeMillis();
        Message sent = session.createMessage();
        producer.send(sent);
        long after = System.currentTimeMillis();
        long at = take(consumer).getJMSTimestamp();
        same(sent.getJMSTimestamp(), at, "JMSTimestamp as received");
        check(before <= at && at <= after, "JMSTimestamp " + at + " is not within the send, " + before + " to " + after);
        producer.setDisableMessageTimestamp(true);
        producer.send(session.createMessage());
        same(0L, take(consumer).getJMSTimestamp(), "JMSTimestamp where it was disabled");
    }

    @Scenario
    void correlationID() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        Message first = session.createMessage();
        producer.send(first);
        take(consumer);
        for (String id : List.of("order 17", "", "žluť", first.getJMSMessageID())) {
            Message message = session.createMessage();
            message.setJMSCorrelationID(id);
            producer.send(message);
            same(id, take(consumer).getJMSCorrelationID(), "JMSCorrelationID");
        }
        Message message = session.createMessage();
        byte[] bytes = "0\u0000ab\u00ff".getBytes(StandardCharsets.ISO_8859_1);
        message.setJMSCorrelationIDAsBytes(bytes);
        producer.send(message);
        same(bytes, take(consumer).getJMSCorrelationIDAsBytes(), "JMSCorrelationIDAsBytes");
        producer.send(session.createMessage());
        same(null, take(consumer).getJMSCorrelationID(), "JMSCorrelationID where none was set");
    }

    @Scenario
    void replyTo() throws Exception {
        Session session = session();
        TemporaryQueue temporaryQueue = session.createTemporaryQueue();
        TemporaryTopic temporaryTopic = session.createTemporaryTopic();
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        for (Destination to : List.of(session.createQueue("a.b"), session.createTopic("a.b"), temporaryQueue, temporaryTopic)) {
            Message message = session.createMessage();
            message.setJMSReplyTo(to);
            producer.send(message);
            Destination got = take(consumer).getJMSReplyTo();
            same(to.toString(), got.toString(), "JMSReplyTo");
            for (Class<?> kind : List.of(Queue.class, Topic.class, TemporaryQueue.class, TemporaryTopic.class)) {
                same(kind.isInstance(to), kind.isInstance(got), "JMSReplyTo " + to + " is a " + kind.getSimpleName());
            }
        }
        producer.send(session.createMessage());
        same(null, take(consumer).getJMSReplyTo(), "JMSReplyTo where none was set");
    }

    @Scenario
    void redelivered() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        send(session, queue(session), 1, 1);
        session.commit();
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 1, 1);
        session.rollback();
        takeAll(consumer, 1, 1, 2);
        session.commit();
    }

    @Scenario
    void type() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        message.setJMSType("order/new");
        same("order/new", pass(session, message).getJMSType(), "JMSType");
    }

    @Scenario
    void expiration() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        producer.send(session.createMessage());
        same(0L, take(consumer).getJMSExpiration(), "JMSExpiration without a time to live");
        producer.setTimeToLive(3_600_000);
        Message sent = session.createMessage();
        producer.send(sent);
        Message got = take(consumer);
        same(sent.getJMSExpiration(), got.getJMSExpiration(), "JMSExpiration as received");
        same(got.getJMSTimestamp() + 3_600_000, got.getJMSExpiration(), "JMSExpiration");
    }

    @Scenario
    void priority() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        MessageConsumer consumer = session.createConsumer(queue(session));
        producer.send(session.createMessage());
        same(Message.DEFAULT_PRIORITY, take(consumer).getJMSPriority(), "JMSPriority where none was set");
        for (int priority = 0; priority <= 9; priority++) {
            producer.setPriority(priority);
            producer.send(session.createMessage());
            same(priority, take(consumer).getJMSPriority(), "JMSPriority");
        }
    }

    @Scenario
    void setBySendAlone() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        message.setJMSDeliveryMode(DeliveryMode.NON_PERSISTENT);
        message.setJMSPriority(9);
        message.setJMSExpiration(1);
        message.setJMSMessageID("ID:mine");
        message.setJMSDestination(session.createQueue("elsewhere"));
        Message got = pass(session, message);
        same(DeliveryMode.PERSISTENT, got.getJMSDeliveryMode(), "JMSDeliveryMode");
        same(Message.DEFAULT_PRIORITY, got.getJMSPriority(), "JMSPriority");
        same(0L, got.getJMSExpiration(), "JMSExpiration");
        check(!"ID:mine".equals(got.getJMSMessageID()), "the sender's own JMSMessageID must not count");
        same(named(), ((Queue) got.getJMSDestination()).getQueueName(), "JMSDestination");
    }

    @Scenario
    void deliveryTime() throws Exception {
        Session session = session();
        Message got = pass(session, session.createMessage());
        same(got.getJMSTimestamp(), got.getJMSDeliveryTime(), "JMSDeliveryTime without a delay");
    }

    @Scenario
    void delayedDeliveryTime() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        producer.setDeliveryDelay(150);
        Message sent = session.createMessage();
        producer.send(sent);
        Message got = take(session.createConsumer(queue(session)));
        same(got.getJMSTimestamp() + 150, got.getJMSDeliveryTime(), "JMSDeliveryTime");
        same(sent.getJMSDeliveryTime(), got.getJMSDeliveryTime(), "JMSDeliveryTime as received");
    }
}
