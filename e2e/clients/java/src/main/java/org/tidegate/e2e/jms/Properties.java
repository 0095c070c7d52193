package org.tidegate.e2e.jms;

import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageFormatException;
import jakarta.jms.MessageNotWriteableException;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Message properties (jms 3.5), as they are once a message came. */
final class Properties extends Chapter {
    private static final Map<String, Object> VALUES = Map.of("boolean", true, "byte", Byte.MIN_VALUE, "short", Short.MAX_VALUE,
            "int", Integer.MIN_VALUE, "long", Long.MAX_VALUE, "float", Float.MIN_VALUE, "double", -Double.MAX_VALUE,
            "String", "grün 水 \ud83c\udf0a");

    private static final Map<String, Getter> GETTERS = Map.of("boolean", Message::getBooleanProperty,
            "byte", Message::getByteProperty, "short", Message::getShortProperty, "int", Message::getIntProperty,
            "long", Message::getLongProperty, "float", Message::getFloatProperty, "double", Message::getDoubleProperty,
            "String", Message::getStringProperty);

    /** Which getters may read a value that was set as the key says (jms 3.5.4). */
    private static final Map<String, Set<String>> READABLE = Map.of("boolean", Set.of("boolean", "String"),
            "byte", Set.of("byte", "short", "int", "long", "String"), "short", Set.of("short", "int", "long", "String"),
            "int", Set.of("int", "long", "String"), "long", Set.of("long", "String"),
            "float", Set.of("float", "double", "String"), "double", Set.of("double", "String"));

    private interface Getter {
        Object get(Message message, String name) throws JMSException;
    }

    private Message all() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        for (Map.Entry<String, Object> e : VALUES.entrySet()) {
            message.setObjectProperty("a_" + e.getKey(), e.getValue());
        }
        return pass(session, message);
    }

    @Scenario
    void values() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        message.setBooleanProperty("a_boolean", true);
        message.setByteProperty("a_byte", Byte.MIN_VALUE);
        message.setShortProperty("a_short", Short.MAX_VALUE);
        message.setIntProperty("a_int", Integer.MIN_VALUE);
        message.setLongProperty("a_long", Long.MAX_VALUE);
        message.setFloatProperty("a_float", Float.MIN_VALUE);
        message.setDoubleProperty("a_double", -Double.MAX_VALUE);
        message.setStringProperty("a_String", (String) VALUES.get("String"));
        message.setStringProperty("a_null", null);
        Message got = pass(session, message);
        for (Map.Entry<String, Object> e : VALUES.entrySet()) {
            same(e.getValue(), GETTERS.get(e.getKey()).get(got, "a_" + e.getKey()), "property of type " + e.getKey());
        }
        same(null, got.getStringProperty("a_null"), "a property that is null");
    }

    @Scenario
    void objects() throws Exception {
        Message got = all();
        for (Map.Entry<String, Object> e : VALUES.entrySet()) {
            same(e.getValue(), got.getObjectProperty("a_" + e.getKey()), "property of type " + e.getKey());
        }
        refused(MessageFormatException.class, () -> session().createMessage().setObjectProperty("list", List.of()));
    }

    @Scenario
    void conversions() throws Exception {
        Message got = all();
        for (Map.Entry<String, Set<String>> e : READABLE.entrySet()) {
            for (Map.Entry<String, Getter> getter : GETTERS.entrySet()) {
                String what = e.getKey() + " read as " + getter.getKey();
                if (!e.getValue().contains(getter.getKey())) {
                    try {
                        getter.getValue().get(got, "a_" + e.getKey());
                    } catch (MessageFormatException expected) {
                        continue;
                    }
                    throw new IllegalStateException(what + " must be refused");
                }
                Object value = getter.getValue().get(got, "a_" + e.getKey());
                Object want = VALUES.get(e.getKey());
                if (getter.getKey().equals("String")) {
                    same(String.valueOf(want), value, what);
                } else if (want instanceof Number number) {
                    same(number.doubleValue(), ((Number) value).doubleValue(), what);
                }
            }
        }
    }

    @Scenario
    void strings() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        message.setStringProperty("number", "17");
        message.setStringProperty("words", "seventeen");
        message.setStringProperty("yes", "TRUE");
        Message got = pass(session, message);
        same((byte) 17, got.getByteProperty("number"), "byte");
        same((short) 17, got.getShortProperty("number"), "short");
        same(17, got.getIntProperty("number"), "int");
        same(17L, got.getLongProperty("number"), "long");
        same(17f, got.getFloatProperty("number"), "float");
        same(17d, got.getDoubleProperty("number"), "double");
        same(true, got.getBooleanProperty("yes"), "boolean");
        same(false, got.getBooleanProperty("words"), "boolean of other words");
        refused(NumberFormatException.class, () -> got.getIntProperty("words"));
    }

    @Scenario
    void missing() throws Exception {
        Session session = session();
        Message got = pass(session, session.createMessage());
        check(!got.propertyExists("none"), "a property exists that was never set");
        same(null, got.getObjectProperty("none"), "object");
        same(null, got.getStringProperty("none"), "string");
        same(false, got.getBooleanProperty("none"), "boolean");
        refused(NumberFormatException.class, () -> got.getLongProperty("none"));
        refused(NullPointerException.class, () -> got.getDoubleProperty("none"));
    }

    @Scenario
    void iteration() throws Exception {
        Message got = all();
        Set<String> want = new TreeSet<>();
        VALUES.keySet().forEach(k -> want.add("a_" + k));
        Set<String> names = new TreeSet<>();
        for (Enumeration<?> all = got.getPropertyNames(); all.hasMoreElements();) {
            String name = (String) all.nextElement();
            check(!name.equals("JMSPriority") && !name.equals("JMSType"), "header fields are no properties: " + name);
            if (!name.startsWith("JMSX")) {
                names.add(name);
            }
        }
        same(want, names, "the names of properties");
    }

    @Scenario
    void readOnly() throws Exception {
        Message got = all();
        refused(MessageNotWriteableException.class, () -> got.setIntProperty("a_int", 1));
        got.clearProperties();
        check(!got.propertyExists("a_int"), "cleared, a property must be gone");
        got.setIntProperty("a_int", 1);
        same(1, got.getIntProperty("a_int"), "a property set after clearing");
    }

    @Scenario
    void clearing() throws Exception {
        TextMessage got = passedText();
        got.clearProperties();
        check(!got.propertyExists("n"), "cleared, a property must be gone");
        same("a", got.getText(), "the body once properties are cleared");
        same("kind", got.getJMSType(), "JMSType once properties are cleared");
    }

    @Scenario
    void userID() throws Exception {
        Session session = connect("jms.populateJMSXUserID=true", "jms.username=alice")
                .createSession(false, Session.AUTO_ACKNOWLEDGE);
        same("alice", pass(session, session.createMessage()).getStringProperty("JMSXUserID"), "JMSXUserID");
    }

    @Scenario
    void names() throws Exception {
        Session session = session();
        Map<String, Integer> legal = new LinkedHashMap<>();
        for (String name : List.of("a", "_a", "$a", "größe", "CamelCase", "a1", "n".repeat(1000))) {
            legal.put(name, legal.size());
        }
        Message message = session.createMessage();
        for (Map.Entry<String, Integer> e : legal.entrySet()) {
            message.setIntProperty(e.getKey(), e.getValue());
        }
        Message got = pass(session, message);
        for (Map.Entry<String, Integer> e : legal.entrySet()) {
            same(e.getValue(), got.getIntProperty(e.getKey()), "property " + e.getKey());
        }
        for (String name : List.of("", "1a", "a-b", "a b", "NULL", "TRUE", "FALSE", "NOT", "AND", "OR", "BETWEEN", "LIKE", "IN",
                "IS", "ESCAPE")) {
            refused(Exception.class, () -> message.setIntProperty(name, 1));
        }
        refused(IllegalArgumentException.class, () -> message.setIntProperty(null, 1));
    }

    @Scenario
    void group() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        message.setStringProperty("JMSXGroupID", "orders of 17");
        message.setIntProperty("JMSXGroupSeq", 3);
        Message got = pass(session, message);
        same("orders of 17", got.getStringProperty("JMSXGroupID"), "JMSXGroupID");
        same(3, got.getIntProperty("JMSXGroupSeq"), "JMSXGroupSeq");
    }

    @Scenario
    void deliveryCount() throws Exception {
        Session session = connect().createSession(true, Session.SESSION_TRANSACTED);
        send(session, queue(session), 1, 3);
        session.commit();
        MessageConsumer consumer = session.createConsumer(queue(session));
        for (int count = 1; count <= 5; count++) {
            takeAll(consumer, 1, 3, count);
            session.rollback();
        }
    }

    @Scenario
    void vendorNames() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        message.setBooleanProperty("JMS_TIBCO_PRESERVE_UNDELIVERED", true);
        same(true, pass(session, message).getBooleanProperty("JMS_TIBCO_PRESERVE_UNDELIVERED"), "a provider's property");
    }

    @Scenario
    void sentMessageIsFree() throws Exception {
        Session session = session();
        MessageProducer producer = session.createProducer(queue(session));
        Message message = numbered(session, 1);
        producer.send(message);
        message.setIntProperty("n", 2);
        producer.send(message);
        message.setIntProperty("n", 3);
        MessageConsumer consumer = session.createConsumer(queue(session));
        takeAll(consumer, 1, 2, 1);
        nothing(consumer);
    }
}
