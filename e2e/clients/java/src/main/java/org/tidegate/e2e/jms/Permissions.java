package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.JMSSecurityRuntimeException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import jakarta.jms.TransactionRolledBackException;

/**
 * Rights of users (ems 6). The server has authorization on, the users admin (root), ann (a), ben (b) and eve (e), and secure
 * destinations pay.> and prices.>, where ann may do all, ben send to pay.in and subscribe to prices.eur, and eve nothing.
 */
final class Permissions extends Chapter {
    private Session as(String user, String password) throws JMSException {
        return connectAs(user, password).createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    /** Administers the server, over JMS as well. */
    private void administer(String command) throws JMSException {
        Connection connection = connectAs("admin", "root");
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue answers = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(answers);
        Message request = session.createTextMessage("{\"version\": 1, \"command\": \"" + command + "\"}");
        request.setJMSReplyTo(answers);
        session.createProducer(session.createQueue("$sys.admin")).send(request);
        String answer = text(consumer);
        check(answer.contains("\"result\""), command + " is answered " + answer);
        connection.close();
    }

    @Scenario(special = true)
    void denied() throws Exception {
        refused(JMSSecurityException.class, () -> as("ben", "wrong"));
        refused(JMSSecurityRuntimeException.class, () -> new org.apache.qpid.jms.JmsConnectionFactory(url()).createContext("ben", "wrong").start());
        Session ben = as("ben", "b");
        Session ann = as("ann", "a");
        Queue in = ben.createQueue("pay.in");
        Queue out = ben.createQueue("pay.out");
        Topic dollars = ben.createTopic("prices.usd");
        MessageConsumer looks = ann.createConsumer(in);

        refused(JMSSecurityException.class, () -> ben.createProducer(out));
        refused(JMSSecurityException.class, () -> ben.createConsumer(in));
        refused(JMSSecurityException.class, () -> ben.createBrowser(in).getEnumeration());
        refused(JMSSecurityException.class, () -> ben.createProducer(dollars));
        refused(JMSSecurityException.class, () -> ben.createConsumer(dollars));
        refused(JMSSecurityException.class, () -> ben.createSharedConsumer(dollars, "shared"));
        refused(JMSSecurityException.class, () -> ben.createSharedDurableConsumer(dollars, "durable"));
        MessageProducer anonymous = ben.createProducer(null);
        refused(JMSSecurityException.class, () -> anonymous.send(out, ben.createMessage()));
        anonymous.send(in, ben.createTextMessage("1")); // which is none the worse
        same("1", text(looks), "what ben sent");

        MessageConsumer euros = ben.createConsumer(ben.createTopic("prices.eur"));
        MessageConsumer all = ben.createConsumer(ben.createTopic("prices.*"));
        send(ann, dollars, 1, 1);
        send(ann, ann.createTopic("prices.eur"), 2, 2);
        takeAll(euros, 2, 2, 1);
        takeAll(all, 2, 2, 1); // of a wildcard what he may have

        TemporaryQueue answers = ben.createTemporaryQueue();
        MessageConsumer mine = ben.createConsumer(answers);
        send(ann, answers, 3, 3);
        takeAll(mine, 3, 3, 1);

        Session transacted = connectAs("ben", "b").createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer any = transacted.createProducer(null);
        any.send(in, transacted.createTextMessage("4"));
        any.send(out, transacted.createTextMessage("5")); // sends are not waited for here
        refused(JMSException.class, transacted::commit);
        nothing(looks);
        any.send(in, transacted.createTextMessage("6"));
        transacted.commit(); // the next one
        same("6", text(looks), "what ben sent in the next transaction");
    }

    @Scenario(special = true)
    void takenAway() throws Exception {
        Session ann = as("ann", "a");
        Queue queue = ann.createQueue("pay." + named());
        String place = "queue " + queue.getQueueName() + " user=eve ";
        administer("grant " + place + "send,receive");
        Session eve = as("eve", "e");
        MessageProducer producer = eve.createProducer(queue);
        MessageConsumer consumer = as("eve", "e").createConsumer(queue);
        producer.send(eve.createTextMessage("1"));
        same("1", text(consumer), "what eve sent to herself");

        Session transacted = connectAs("eve", "e").createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer within = transacted.createProducer(queue);
        within.send(transacted.createTextMessage("lost"));

        administer("revoke " + place + "send");
        refused(JMSSecurityException.class, () -> producer.send(eve.createMessage()));
        within.send(transacted.createTextMessage("refused"));
        refused(TransactionRolledBackException.class, transacted::commit);
        send(ann, queue, 2, 2);
        takeAll(consumer, 2, 2, 1); // to receive was another right

        administer("revoke " + place + "receive");
        send(ann, queue, 3, 3);
        nothing(consumer); // it is there, and gets nothing
        administer("grant " + place + "receive,send");
        takeAll(consumer, 3, 3, 1);
        MessageProducer again = eve.createProducer(queue);
        again.send(eve.createTextMessage("4"));
        same("4", ((TextMessage) take(consumer)).getText(), "what eve may send again");
    }
}
