package org.tidegate.e2e.jms;

import jakarta.jms.BytesMessage;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageEOFException;
import jakarta.jms.MessageFormatException;
import jakarta.jms.MessageNotReadableException;
import jakarta.jms.MessageNotWriteableException;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Session;
import jakarta.jms.StreamMessage;
import jakarta.jms.TextMessage;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Message bodies of all types, their conversions, who may change them (jms 3.10, 3.11). */
final class Bodies extends Chapter {
    @Scenario
    void none() throws Exception {
        Session session = session();
        Message message = session.createMessage();
        message.setStringProperty("only", "this");
        Message got = pass(session, message);
        for (Class<?> other : List.of(TextMessage.class, BytesMessage.class, MapMessage.class, StreamMessage.class,
                ObjectMessage.class)) {
            check(!other.isInstance(got), "a Message without body came as a " + other.getSimpleName());
        }
        same("this", got.getStringProperty("only"), "its property");
    }

    @Scenario
    void text() throws Exception {
        Session session = session();
        var consumer = session.createConsumer(queue(session));
        var producer = session.createProducer(queue(session));
        for (String text : new String[] {"words", "", null, "žluť 水 \ud83c\udf0a \u0000 \n", "x".repeat(300_000)}) {
            producer.send(session.createTextMessage(text));
            TextMessage got = (TextMessage) take(consumer);
            same(text, got.getText(), "text");
            same(text, got.getBody(String.class), "body");
        }
    }

    @Scenario
    void bytes() throws Exception {
        Session session = session();
        BytesMessage message = session.createBytesMessage();
        byte[] raw = new byte[100_000];
        new Random(1).nextBytes(raw);
        message.writeBoolean(true);
        message.writeByte((byte) -1);
        message.writeShort((short) -2);
        message.writeChar('ß');
        message.writeInt(Integer.MIN_VALUE);
        message.writeLong(Long.MAX_VALUE);
        message.writeFloat(1.5f);
        message.writeDouble(-2.25);
        message.writeUTF("grün");
        message.writeObject(7);
        message.writeBytes(raw, 1, raw.length - 1);
        BytesMessage got = (BytesMessage) pass(session, message);
        for (int again = 0; again < 2; again++) {
            same(true, got.readBoolean(), "boolean");
            same(255, got.readUnsignedByte(), "unsigned byte");
            same(65534, got.readUnsignedShort(), "unsigned short");
            same('ß', got.readChar(), "char");
            same(Integer.MIN_VALUE, got.readInt(), "int");
            same(Long.MAX_VALUE, got.readLong(), "long");
            same(1.5f, got.readFloat(), "float");
            same(-2.25, got.readDouble(), "double");
            same("grün", got.readUTF(), "UTF");
            same(7, got.readInt(), "object");
            byte[] rest = new byte[raw.length];
            same(raw.length - 1, got.readBytes(rest), "bytes read");
            same(java.util.Arrays.copyOfRange(raw, 1, raw.length), java.util.Arrays.copyOf(rest, raw.length - 1), "bytes");
            same(-1, got.readBytes(rest), "bytes read at the end");
            refused(MessageEOFException.class, got::readByte);
            got.reset();
        }
        same(1L + 1 + 2 + 2 + 4 + 8 + 4 + 8 + 2 + 5 + 4 + raw.length - 1, got.getBodyLength(), "the body's length");
    }

    @Scenario
    void map() throws Exception {
        Session session = session();
        MapMessage message = session.createMapMessage();
        message.setBoolean("boolean", true);
        message.setByte("byte", (byte) -3);
        message.setShort("short", (short) 300);
        message.setChar("char", 'ß');
        message.setInt("int", 70_000);
        message.setLong("long", 1L << 40);
        message.setFloat("float", 1.5f);
        message.setDouble("double", 2.25);
        message.setString("String", "17");
        message.setBytes("bytes", new byte[] {1, 2, 3});
        message.setString("null", null);
        message.setObject("key with spaces", 1);
        MapMessage got = (MapMessage) pass(session, message);
        Set<Object> names = new HashSet<>(Collections.list(got.getMapNames()));
        same(Set.of("boolean", "byte", "short", "char", "int", "long", "float", "double", "String", "bytes", "null",
                "key with spaces"), names, "names");
        same(true, got.getObject("boolean"), "boolean");
        same((byte) -3, got.getObject("byte"), "byte");
        same((short) 300, got.getObject("short"), "short");
        same('ß', got.getChar("char"), "char");
        same(70_000, got.getObject("int"), "int");
        same(1L << 40, got.getObject("long"), "long");
        same(1.5f, got.getObject("float"), "float");
        same(2.25, got.getObject("double"), "double");
        same("17", got.getObject("String"), "String");
        same(new byte[] {1, 2, 3}, got.getBytes("bytes"), "bytes");
        check(got.itemExists("null") && got.getObject("null") == null, "an item that is null must be there");
        check(!got.itemExists("none"), "an item is there that was never set");
    }

    @Scenario
    void mapConversions() throws Exception {
        Session session = session();
        MapMessage message = session.createMapMessage();
        message.setByte("byte", (byte) -3);
        message.setFloat("float", 1.5f);
        message.setString("String", "17");
        message.setChar("char", 'ß');
        message.setBytes("bytes", new byte[] {1});
        MapMessage got = (MapMessage) pass(session, message);
        same(-3L, got.getLong("byte"), "byte as long");
        same("-3", got.getString("byte"), "byte as String");
        same(1.5, got.getDouble("float"), "float as double");
        same((short) 17, got.getShort("String"), "String as short");
        same("ß", got.getString("char"), "char as String");
        refused(MessageFormatException.class, () -> got.getInt("float"));
        refused(MessageFormatException.class, () -> got.getDouble("byte"));
        refused(MessageFormatException.class, () -> got.getInt("char"));
        refused(MessageFormatException.class, () -> got.getString("bytes"));
        refused(MessageFormatException.class, () -> got.getChar("String"));
        refused(NumberFormatException.class, () -> got.getInt("none"));
    }

    @Scenario
    void stream() throws Exception {
        Session session = session();
        StreamMessage message = session.createStreamMessage();
        List<Object> all = List.of(true, (byte) 1, (short) 2, 'ß', 3, 4L, 5.5f, 6.25, "seven");
        for (Object value : all) {
            message.writeObject(value);
        }
        message.writeObject(null);
        message.writeBytes(new byte[] {8, 9});
        StreamMessage got = (StreamMessage) pass(session, message);
        for (int again = 0; again < 2; again++) {
            for (Object value : all) {
                same(value, got.readObject(), value.getClass().getSimpleName());
            }
            same(null, got.readObject(), "null");
            byte[] bytes = new byte[2];
            same(2, got.readBytes(bytes), "bytes read");
            same(new byte[] {8, 9}, bytes, "bytes");
            same(-1, got.readBytes(bytes), "bytes read at their end, which a full array does not tell");
            refused(MessageEOFException.class, got::readObject);
            got.reset();
        }
    }

    @Scenario
    void streamConversions() throws Exception {
        Session session = session();
        StreamMessage message = session.createStreamMessage();
        message.writeString("words");
        message.writeInt(17);
        message.writeBoolean(true);
        StreamMessage got = (StreamMessage) pass(session, message);
        refused(NumberFormatException.class, got::readInt);
        same("words", got.readString(), "after a read that failed the place is the same");
        refused(MessageFormatException.class, got::readShort);
        same(17L, got.readLong(), "int as long");
        same("true", got.readString(), "boolean as String");
    }

    @Scenario
    void object() throws Exception {
        Session session = session();
        ArrayList<Object> value = new ArrayList<>(List.of("a", 1, 2.5, Map.of("k", "v")));
        ObjectMessage message = session.createObjectMessage(value);
        value.add("later");
        ObjectMessage got = (ObjectMessage) pass(session, message);
        same(List.of("a", 1, 2.5, Map.of("k", "v")), got.getObject(), "the object as it was when it was set");
    }

    @Scenario
    void objectNull() throws Exception {
        Session session = session();
        same(null, ((ObjectMessage) pass(session, session.createObjectMessage())).getObject(), "an object that is null");
    }

    @Scenario
    void readOnly() throws Exception {
        Session session = session();
        TextMessage text = (TextMessage) pass(session, session.createTextMessage("a"));
        refused(MessageNotWriteableException.class, () -> text.setText("b"));
        text.clearBody();
        same(null, text.getText(), "text once cleared");
        text.setText("b");
        BytesMessage bytes = session.createBytesMessage();
        bytes.writeInt(1);
        refused(MessageNotReadableException.class, bytes::readInt);
        BytesMessage got = (BytesMessage) pass(session, bytes);
        refused(MessageNotWriteableException.class, () -> got.writeInt(2));
        got.clearBody();
        got.writeInt(2);
    }

    @Scenario
    void clearing() throws Exception {
        TextMessage got = passedText();
        got.clearBody();
        same(null, got.getText(), "text once cleared");
        same(1, got.getIntProperty("n"), "a property once the body is cleared");
        same("kind", got.getJMSType(), "JMSType once the body is cleared");
    }

    @Scenario
    void foreign() throws Exception {
        Session session = session();
        TextMessage inner = textWithProperties(session);
        TextMessage another = (TextMessage) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {TextMessage.class},
                (proxy, method, arguments) -> method.invoke(inner, arguments));
        TextMessage got = (TextMessage) pass(session, another);
        same("a", got.getText(), "text of a message of another class");
        same(1, got.getIntProperty("n"), "its property");
        same("kind", got.getJMSType(), "its JMSType");
        same(another.getJMSMessageID(), got.getJMSMessageID(), "the JMSMessageID that send gave it");
    }

    @Scenario
    void forwarded() throws Exception {
        Session session = session();
        TextMessage first = (TextMessage) pass(session, session.createTextMessage("a"));
        String id = first.getJMSMessageID();
        session.createProducer(session.createQueue(named("next"))).send(first);
        TextMessage got = (TextMessage) take(session.createConsumer(session.createQueue(named("next"))));
        same("a", got.getText(), "text of a message received and sent on");
        check(!id.equals(got.getJMSMessageID()), "what is sent on has an id of its own");
    }

    @Scenario
    void bodyAs() throws Exception {
        Session session = session();
        Message text = pass(session, session.createTextMessage("a"));
        check(text.isBodyAssignableTo(String.class), "a text is assignable to a String");
        check(!text.isBodyAssignableTo(byte[].class), "a text is not assignable to bytes");
        refused(MessageFormatException.class, () -> text.getBody(Map.class));
        MapMessage map = session.createMapMessage();
        map.setInt("a", 1);
        same(Map.of("a", 1), pass(session, map).getBody(Map.class), "a map's body");
        BytesMessage bytes = session.createBytesMessage();
        bytes.writeBytes(new byte[] {1, 2});
        same(new byte[] {1, 2}, pass(session, bytes).getBody(byte[].class), "the body of bytes");
    }
}
