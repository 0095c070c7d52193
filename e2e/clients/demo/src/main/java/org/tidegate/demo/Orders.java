package org.tidegate.demo;

import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import org.apache.qpid.jms.JmsConnectionFactory;

/**
 * Publishes two orders to a topic and waits for the answers, as any JMS program does: it knows
 * nothing of who is behind the topic.
 *
 * <p>Usage: Orders URL TOPIC ANSWERS, where ANSWERS is how many are awaited for each order.
 */
public final class Orders {
    private static final long PATIENCE = 60_000; // milliseconds for one answer

    public static void main(String[] args) throws Exception {
        String url = args[0];
        String topicName = args[1];
        int answers = Integer.parseInt(args[2]);
        int missing = 0;

        try (Connection connection = new JmsConnectionFactory(url).createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
            Topic topic = session.createTopic(topicName);
            MessageProducer producer = session.createProducer(topic);
            producer.setDeliveryMode(DeliveryMode.PERSISTENT);
            producer.setPriority(7);
            connection.start();

            TextMessage text = session.createTextMessage("12 boxes of bolts, M8 \u00d7 40");
            missing += ask(session, producer, text, session.createTemporaryQueue(), "order-1", answers);

            MapMessage map = session.createMapMessage();
            map.setString("item", "bolts");
            map.setInt("boxes", 12);
            map.setDouble("price", 9.95);
            map.setLong("customer", 9007199254740993L);
            missing += ask(session, producer, map, session.createTemporaryTopic(), "order-2", answers);
        }
        System.exit(missing == 0 ? 0 : 1);
    }

    /** Publishes an order, prints its answers, and says how many did not come. */
    private static int ask(
            Session session, MessageProducer producer, Message order, Destination replyTo, String id, int answers)
            throws JMSException {
        MessageConsumer replies = session.createConsumer(replyTo);
        order.setJMSType("order");
        order.setJMSCorrelationID(id);
        order.setJMSReplyTo(replyTo);
        order.setBooleanProperty("express", true);
        order.setByteProperty("floor", (byte) 3);
        order.setShortProperty("dock", (short) 300);
        order.setIntProperty("pieces", 70_000);
        order.setLongProperty("account", 9_007_199_254_740_993L);
        order.setFloatProperty("weight", 1.5f);
        order.setDoubleProperty("volume", 0.1);
        order.setStringProperty("region", "north");
        producer.send(order);
        System.out.printf("published %s %s %s%n", id, order.getJMSMessageID(), kind(order));

        int missing = answers;
        while (missing > 0) {
            Message reply = replies.receive(PATIENCE);
            if (reply == null) {
                System.out.printf("missing %s: %d answers%n", id, missing);
                return missing;
            }
            if (!id.equals(reply.getJMSCorrelationID()) || !(reply instanceof TextMessage)) {
                System.out.printf("unexpected answer: %s%n", reply);
                continue;
            }
            System.out.printf("answer %s: %s%n", id, ((TextMessage) reply).getText());
            missing--;
        }
        return 0;
    }

    private static String kind(Message message) {
        return message instanceof MapMessage ? "MapMessage" : "TextMessage";
    }
}
