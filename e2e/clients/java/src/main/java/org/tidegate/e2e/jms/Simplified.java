package org.tidegate.e2e.jms;

import jakarta.jms.CompletionListener;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSProducer;
import jakarta.jms.JMSRuntimeException;
import jakarta.jms.Message;
import jakarta.jms.MessageFormatRuntimeException;
import jakarta.jms.Queue;
import jakarta.jms.TextMessage;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The simplified API (jms 2.8): contexts, producers that chain, consumers that hand out bodies. */
final class Simplified extends Chapter {
    @Scenario
    void sendAndReceive() throws Exception {
        JMSContext context = context(JMSContext.AUTO_ACKNOWLEDGE);
        Queue queue = context.createQueue(named());
        JMSConsumer consumer = context.createConsumer(queue); // which starts the connection
        context.createProducer().setPriority(7).setDeliveryMode(DeliveryMode.NON_PERSISTENT).setProperty("n", 17)
                .setJMSType("kind").setJMSCorrelationID("c").setJMSReplyTo(queue).send(queue, "text");
        TextMessage got = (TextMessage) consumer.receive(PATIENCE);
        same("text", got.getText(), "text");
        same(7, got.getJMSPriority(), "JMSPriority");
        same(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode(), "JMSDeliveryMode");
        same(17, got.getIntProperty("n"), "a property");
        same("kind", got.getJMSType(), "JMSType");
        same("c", got.getJMSCorrelationID(), "JMSCorrelationID");
        same(queue, got.getJMSReplyTo(), "JMSReplyTo");
    }

    @Scenario
    void bodies() throws Exception {
        JMSContext context = context(JMSContext.AUTO_ACKNOWLEDGE);
        Queue queue = context.createQueue(named());
        JMSConsumer consumer = context.createConsumer(queue);
        JMSProducer producer = context.createProducer();
        producer.send(queue, "text").send(queue, new byte[] {1, 2}).send(queue, Map.of("a", 1))
                .send(queue, new java.util.ArrayList<>(List.of(1, 2)));
        same("text", consumer.receiveBody(String.class, PATIENCE), "text");
        same(new byte[] {1, 2}, consumer.receiveBody(byte[].class, PATIENCE), "bytes");
        same(Map.of("a", 1), consumer.receiveBody(Map.class, PATIENCE), "map");
        same(List.of(1, 2), consumer.receiveBody(java.io.Serializable.class, PATIENCE), "object");
        same(null, consumer.receiveBodyNoWait(String.class), "body of nothing");
        producer.send(queue, "text");
        refused(MessageFormatRuntimeException.class, () -> consumer.receiveBody(Map.class, PATIENCE));
        same("text", consumer.receiveBody(String.class, PATIENCE), "the body that was refused is still to be had");
    }

    @Scenario
    void transacted() throws Exception {
        JMSContext context = context(JMSContext.SESSION_TRANSACTED);
        Queue queue = context.createQueue(named());
        context.createProducer().setProperty("n", 1).send(queue, "a");
        context.rollback();
        context.createProducer().setProperty("n", 2).send(queue, "b");
        context.commit();
        same(List.of(2), left(), "what was committed");
    }

    @Scenario
    void contextOfAContext() throws Exception {
        JMSContext first = context(JMSContext.AUTO_ACKNOWLEDGE);
        JMSContext second = first.createContext(JMSContext.CLIENT_ACKNOWLEDGE);
        Queue queue = first.createQueue(named());
        first.createProducer().setProperty("n", 1).send(queue, "a");
        first.close();
        JMSConsumer consumer = second.createConsumer(queue); // the connection lives as long as one of them
        same("a", consumer.receiveBody(String.class, PATIENCE), "body");
        second.acknowledge();
        second.close();
        same(List.of(), left(), "what is left once acknowledged");
    }

    @Scenario
    void autoStart() throws Exception {
        JMSContext context = context(JMSContext.AUTO_ACKNOWLEDGE);
        check(context.getAutoStart(), "a context starts by itself unless told otherwise");
        context.setAutoStart(false);
        Queue queue = context.createQueue(named());
        context.createProducer().send(queue, "a");
        JMSConsumer consumer = context.createConsumer(queue);
        same(null, consumer.receiveNoWait(), "what comes before the start");
        context.start();
        same("a", consumer.receiveBody(String.class, PATIENCE), "body");
    }

    @Scenario
    void async() throws Exception {
        JMSContext context = context(JMSContext.AUTO_ACKNOWLEDGE);
        CompletableFuture<String> answer = new CompletableFuture<>();
        context.createProducer().setAsync(new CompletionListener() {
            @Override
            public void onCompletion(Message message) {
                answer.complete("accepted");
            }

            @Override
            public void onException(Message message, Exception e) {
                answer.completeExceptionally(e);
            }
        }).setProperty("n", 1).send(context.createQueue(named()), "a");
        same("accepted", answer.get(PATIENCE, TimeUnit.MILLISECONDS), "the answer");
        same(List.of(1), left(), "what was sent");
    }

    @Scenario
    void subscriptions() throws Exception {
        JMSContext context = factory("jms.clientID=" + named()).createContext();
        try {
            var topic = context.createTopic(named());
            JMSConsumer durable = context.createDurableConsumer(topic, "sub");
            JMSConsumer shared = context.createSharedConsumer(topic, "sub");
            JMSConsumer sharedDurable = context.createSharedDurableConsumer(topic, "subs");
            context.createProducer().send(topic, "a");
            for (JMSConsumer consumer : List.of(durable, shared, sharedDurable)) {
                same("a", consumer.receiveBody(String.class, PATIENCE), "body");
                consumer.close();
            }
            context.unsubscribe("sub");
            context.unsubscribe("subs");
            refused(JMSRuntimeException.class, () -> context.unsubscribe("subs"));
        } finally {
            context.close();
        }
    }

    @Scenario
    void closed() throws Exception {
        JMSContext context = context(JMSContext.AUTO_ACKNOWLEDGE);
        JMSProducer producer = context.createProducer();
        Queue queue = context.createQueue(named());
        context.close();
        context.close();
        refused(JMSRuntimeException.class, () -> producer.send(queue, "a"));
        refused(JMSRuntimeException.class, context::createMessage);
    }
}
