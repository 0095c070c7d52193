package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.IllegalStateException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueConnection;
import jakarta.jms.QueueRequestor;
import jakarta.jms.QueueSession;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TemporaryTopic;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import jakarta.jms.TopicConnection;
import jakarta.jms.TopicRequestor;
import jakarta.jms.TopicSession;

/** Temporary destinations (jms 6.2.2) and request/reply over them. */
final class Temporaries extends Chapter {
    @Scenario
    void queueOfTheConnection() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue temporary = session.createTemporaryQueue();
        check(!temporary.getQueueName().equals(session.createTemporaryQueue().getQueueName()), "two have the same name");
        Session sibling = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = sibling.createConsumer(temporary);
        Session other = session();
        send(other, temporary, 1, 3);
        takeAll(consumer, 1, 3, 1);
    }

    @Scenario
    void topicOfTheConnection() throws Exception {
        Session session = session();
        TemporaryTopic temporary = session.createTemporaryTopic();
        MessageConsumer first = session.createConsumer(temporary);
        MessageConsumer second = session.createConsumer(temporary);
        Session other = session();
        send(other, temporary, 1, 3);
        takeAll(first, 1, 3, 1);
        takeAll(second, 1, 3, 1);
    }

    @Scenario
    void onlyItsConnectionConsumes() throws Exception {
        Session session = session();
        TemporaryQueue queue = session.createTemporaryQueue();
        TemporaryTopic topic = session.createTemporaryTopic();
        Session other = session();
        refused(JMSException.class, () -> other.createConsumer(queue));
        refused(JMSException.class, () -> other.createConsumer(topic));
        // By name alone the library cannot tell; the server can.
        Queue byName = other.createQueue(queue.getQueueName());
        Topic topicByName = other.createTopic(topic.getTopicName());
        refused(JMSException.class, () -> other.createConsumer(byName));
        refused(JMSException.class, () -> other.createConsumer(topicByName));
    }

    @Scenario
    void goneWithTheConnection() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue queue = session.createTemporaryQueue();
        Session other = session();
        send(other, queue, 1, 1);
        connection.close();
        refused(JMSException.class, () -> other.createProducer(queue));
    }

    @Scenario
    void delete() throws Exception {
        Session session = session();
        TemporaryQueue queue = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(queue);
        refused(IllegalStateException.class, queue::delete);
        consumer.close();
        queue.delete();
        refused(JMSException.class, () -> session.createConsumer(queue));
        Session other = session();
        refused(JMSException.class, () -> other.createProducer(other.createQueue(queue.getQueueName())));
        TemporaryTopic topic = session.createTemporaryTopic();
        topic.delete();
        refused(JMSException.class, () -> session.createConsumer(topic));
    }

    @Scenario
    void outlivesItsSession() throws Exception {
        Connection connection = connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue queue = session.createTemporaryQueue();
        session.close();
        Session next = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        send(next, queue, 1, 1);
        takeAll(next.createConsumer(queue), 1, 1, 1);
    }

    /** Answers every request with its text in capitals. */
    private void respond(Session session, MessageConsumer requests) throws JMSException {
        MessageProducer replies = session.createProducer(null);
        requests.setMessageListener(request -> {
            try {
                Message reply = session.createTextMessage(((TextMessage) request).getText().toUpperCase());
                reply.setJMSCorrelationID(request.getJMSMessageID());
                replies.send(request.getJMSReplyTo(), reply);
            } catch (JMSException e) {
                System.err.println("no reply: " + e);
            }
        });
    }

    @Scenario
    void requestAndReply() throws Exception {
        Session responder = session();
        respond(responder, responder.createConsumer(queue(responder)));
        Session session = session();
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        MessageProducer producer = session.createProducer(queue(session));
        for (int n = 1; n <= 20; n++) {
            Message request = session.createTextMessage("request " + n);
            request.setJMSReplyTo(replies);
            producer.send(request);
            TextMessage reply = (TextMessage) take(consumer);
            same("REQUEST " + n, reply.getText(), "the reply");
            same(request.getJMSMessageID(), reply.getJMSCorrelationID(), "JMSCorrelationID of the reply");
        }
    }

    @Scenario
    void queueRequestor() throws Exception {
        Session responder = session();
        respond(responder, responder.createConsumer(queue(responder)));
        QueueConnection connection = factory().createQueueConnection();
        try {
            connection.start();
            QueueSession session = connection.createQueueSession(false, Session.AUTO_ACKNOWLEDGE);
            QueueRequestor requestor = new QueueRequestor(session, session.createQueue(named()));
            same("A", ((TextMessage) requestor.request(session.createTextMessage("a"))).getText(), "the reply");
            requestor.close();
        } finally {
            connection.close();
        }
    }

    @Scenario
    void topicRequestor() throws Exception {
        Session responder = session();
        respond(responder, responder.createConsumer(topic(responder)));
        TopicConnection connection = factory().createTopicConnection();
        try {
            connection.start();
            TopicSession session = connection.createTopicSession(false, Session.AUTO_ACKNOWLEDGE);
            TopicRequestor requestor = new TopicRequestor(session, session.createTopic(named()));
            same("A", ((TextMessage) requestor.request(session.createTextMessage("a"))).getText(), "the reply");
            requestor.close();
        } finally {
            connection.close();
        }
    }
}
