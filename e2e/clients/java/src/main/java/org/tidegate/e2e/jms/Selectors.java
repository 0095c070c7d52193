package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.InvalidSelectorException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import java.util.List;

/** Message selectors (jms 3.8): a browser with each of them looks at the same few messages. */
final class Selectors extends Chapter {
    private Session session;

    private interface Setter {
        void set(Message message) throws JMSException;
    }

    /** Puts one message for each setter into the queue, numbered from 1. */
    private void messages(Setter... setters) throws Exception {
        session = session();
        MessageProducer producer = session.createProducer(queue(session));
        int n = 0;
        for (Setter setter : setters) {
            Message message = numbered(session, ++n);
            setter.set(message);
            producer.send(message);
        }
    }

    private void matches(String selector, Integer... numbers) throws Exception {
        QueueBrowser browser = session.createBrowser(queue(session), selector);
        same(List.of(numbers), numbers(browser), "messages that match " + selector);
        browser.close();
    }

    @Scenario
    void comparisons() throws Exception {
        messages(m -> m.setIntProperty("a", 1), m -> m.setLongProperty("a", 2), m -> m.setDoubleProperty("a", 2.5),
                m -> m.setStringProperty("a", "2"), m -> m.setBooleanProperty("a", true));
        matches("a = 2", 2);
        matches("a <> 2", 1, 3);
        matches("a > 1", 2, 3);
        matches("a >= 2.0", 2, 3);
        matches("a < 2.5E0", 1, 2);
        matches("a <= 1", 1);
        matches("a = '2'", 4);
        matches("a = TRUE", 5);
        matches("a <> FALSE", 5);
        matches("a = 0x2", 2);
    }

    @Scenario
    void logic() throws Exception {
        messages(m -> m.setIntProperty("a", 1), m -> m.setIntProperty("b", 1), m -> {
            m.setIntProperty("a", 1);
            m.setIntProperty("b", 1);
        }, m -> m.setIntProperty("a", 2));
        matches("a = 1 AND b = 1", 3);
        matches("a = 1 OR b = 1", 1, 2, 3);
        matches("NOT a = 1", 4);
        matches("NOT (a = 1 AND b = 2)", 2, 3, 4);
        matches("a = 1 or a = 2 and b = 1", 1, 3);
        matches("(a = 1 or a = 2) and b = 1", 3);
        matches("not a = 1 or a is null", 2, 4);
    }

    @Scenario
    void nulls() throws Exception {
        messages(m -> m.setIntProperty("b", 1), m -> { }, m -> m.setStringProperty("b", null));
        matches("b IS NULL", 2, 3);
        matches("b IS NOT NULL", 1);
        matches("b = 1 OR b <> 1", 1);
        matches("NOT (b = 1)");
        matches("b + 1 = 2", 1);
        matches("c IN ('x') OR c NOT IN ('x') OR c LIKE '%' OR c NOT LIKE '%'");
    }

    @Scenario
    void ranges() throws Exception {
        messages(m -> m.setIntProperty("a", 15), m -> m.setIntProperty("a", 19), m -> m.setIntProperty("a", 20),
                m -> m.setStringProperty("c", "UK"), m -> m.setStringProperty("c", "US"));
        matches("a BETWEEN 15 AND 19", 1, 2);
        matches("a NOT BETWEEN 15 AND 19", 3);
        matches("a BETWEEN 10 + 6 AND 2 * 10", 2, 3);
        matches("c IN ('UK', 'DE')", 4);
        matches("c NOT IN ('UK', 'DE')", 5);
    }

    @Scenario
    void like() throws Exception {
        messages(m -> m.setStringProperty("s", "12993"), m -> m.setStringProperty("s", "1234"),
                m -> m.setStringProperty("s", "loose"), m -> m.setStringProperty("s", "_foo"),
                m -> m.setStringProperty("s", "it's"), m -> m.setStringProperty("s", "a.b"));
        matches("s LIKE '12%3'", 1);
        matches("s LIKE 'l_se'");
        matches("s LIKE 'l__se'", 3);
        matches("s LIKE '\\_%' ESCAPE '\\'", 4);
        matches("s LIKE 'it''s'", 5);
        matches("s LIKE 'a.b'", 6);
        matches("s LIKE '.*'");
        matches("s NOT LIKE '1%'", 3, 4, 5, 6);
    }

    @Scenario
    void arithmetic() throws Exception {
        messages(m -> m.setIntProperty("a", 7), m -> m.setDoubleProperty("a", 3.5), m -> m.setIntProperty("a", -7));
        matches("a * 2 = 7", 2);
        matches("a / 2 = 3", 1);
        matches("a - 1 > 2.4", 1, 2);
        matches("-a = 7", 3);
        matches("+a = 7", 1);
        matches("a + 2 * 3 = 13", 1);
        matches("(a + 2) * 3 = 27", 1);
    }

    @Scenario
    void headers() throws Exception {
        messages(m -> m.setJMSType("car"), m -> m.setJMSCorrelationID("c1"));
        MessageProducer producer = session.createProducer(queue(session));
        Message third = numbered(session, 3);
        producer.send(third, DeliveryMode.NON_PERSISTENT, 9, 0);
        // The next one is answered, so the third, which is not, is there as well.
        Message fourth = numbered(session, 4);
        producer.send(fourth);
        matches("JMSType = 'car'", 1);
        matches("JMSCorrelationID = 'c1'", 2);
        matches("JMSPriority > 5", 3);
        matches("JMSDeliveryMode = 'NON_PERSISTENT'", 3);
        matches("JMSDeliveryMode = 'PERSISTENT'", 1, 2, 4);
        matches("JMSMessageID = '" + fourth.getJMSMessageID() + "'", 4);
        matches("JMSTimestamp >= " + fourth.getJMSTimestamp() + " AND n = 4", 4);
        matches("JMSTimestamp < 1000");
    }

    @Scenario
    void identifiers() throws Exception {
        messages(m -> m.setIntProperty("größe", 1), m -> m.setIntProperty("$a_1", 1), m -> m.setIntProperty("A", 1));
        // The library's own parser knows no letters but those of English: here it is not asked.
        session = connect("jms.validateSelector=false").createSession(false, Session.AUTO_ACKNOWLEDGE);
        matches("größe = 1", 1);
        matches("$a_1 = 1", 2);
        matches("A = 1", 3);
        matches("a = 1");
    }

    @Scenario
    void empty() throws Exception {
        messages(m -> { }, m -> { });
        matches("", 1, 2);
        matches(null, 1, 2);
    }

    @Scenario
    void invalid() throws Exception {
        Session checked = session();
        refused(InvalidSelectorException.class, () -> checked.createConsumer(queue(checked), "a = "));
        refused(InvalidSelectorException.class, () -> checked.createBrowser(queue(checked), "a LIKE 1").getEnumeration());
        // Where the library does not look at it the server does.
        Connection unchecked = connect("jms.validateSelector=false");
        Session asIs = unchecked.createSession(false, Session.AUTO_ACKNOWLEDGE);
        refused(JMSException.class, () -> asIs.createConsumer(queue(asIs), "a = "));
    }

    @Scenario
    void leavesTheRest() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 6);
        MessageConsumer even = sender.createConsumer(queue(sender), "n = 2 OR n = 4 OR n = 6");
        for (int n = 2; n <= 6; n += 2) {
            same(n, take(even).getIntProperty("n"), "what the selector lets through");
        }
        nothing(even);
        same(List.of(1, 3, 5), left(), "what stays for others, in order");
    }

    @Scenario
    void onTopics() throws Exception {
        Session subscriber = session();
        MessageConsumer two = subscriber.createConsumer(topic(subscriber), "n = 2");
        MessageConsumer all = subscriber.createConsumer(topic(subscriber));
        Session publisher = session();
        send(publisher, topic(publisher), 1, 3);
        same("2", text(two), "what the selector lets through");
        nothing(two);
        takeAll(all, 1, 3, 1);
    }
}
