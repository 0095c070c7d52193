package org.tidegate.e2e;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import jakarta.jms.JMSException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Session;
import jakarta.jms.StreamMessage;
import jakarta.jms.TextMessage;
import java.util.ArrayList;
import java.util.Date;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedByte;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.UnsignedShort;

/**
 * Values with their AMQP type, as PROTOCOL.md writes them: "int:7", and lists and maps of those. JMS makes values
 * of its own few types; what others send it hands over in the classes of proton-j.
 */
final class Values {
    /** The types that JMS has for properties (jms 3.5.1). */
    static final List<String> TYPES = List.of("boolean", "byte", "short", "int", "long", "float", "double", "string");

    private static final Map<Class<?>, String> NAMES = Map.ofEntries(
            Map.entry(Boolean.class, "boolean"), Map.entry(UnsignedByte.class, "ubyte"),
            Map.entry(UnsignedShort.class, "ushort"), Map.entry(UnsignedInteger.class, "uint"),
            Map.entry(UnsignedLong.class, "ulong"), Map.entry(Byte.class, "byte"), Map.entry(Short.class, "short"),
            Map.entry(Integer.class, "int"), Map.entry(Long.class, "long"), Map.entry(Float.class, "float"),
            Map.entry(Double.class, "double"), Map.entry(Character.class, "char"), Map.entry(String.class, "string"),
            Map.entry(Symbol.class, "symbol"), Map.entry(java.util.UUID.class, "uuid"));

    /** The prefixes under which JMS shows ids that are no strings (amqp-jms 3.2.1.1), by type. */
    private static final Map<String, String> ID_PREFIXES = Map.of(
            "ulong", "ID:AMQP_ULONG:", "uuid", "ID:AMQP_UUID:", "binary", "ID:AMQP_BINARY:");

    private Values() {
    }

    static Object make(String written) {
        int colon = written.indexOf(':');
        String text = written.substring(colon + 1);
        return switch (written.substring(0, colon)) {
            case "null" -> null;
            case "boolean" -> Boolean.valueOf(text);
            case "byte" -> Byte.valueOf(text);
            case "short" -> Short.valueOf(text);
            case "int" -> Integer.valueOf(text);
            case "long" -> Long.valueOf(text);
            case "float" -> Float.valueOf(text);
            case "double" -> Double.valueOf(text);
            case "char" -> text.charAt(0);
            case "string" -> text;
            case "binary" -> HexFormat.of().parseHex(text);
            default -> throw new IllegalArgumentException("JMS has no type for " + written);
        };
    }

    /** A map goes as a MapMessage, a list as a StreamMessage, a string as a TextMessage. */
    static Message message(Session session, JsonElement written) throws JMSException {
        if (written.isJsonObject()) {
            MapMessage message = session.createMapMessage();
            for (Map.Entry<String, JsonElement> e : written.getAsJsonObject().entrySet()) {
                message.setObject(e.getKey(), make(e.getValue().getAsString()));
            }
            return message;
        }
        if (written.isJsonArray()) {
            StreamMessage message = session.createStreamMessage();
            for (JsonElement e : written.getAsJsonArray()) {
                message.writeObject(make(e.getAsString()));
            }
            return message;
        }
        return session.createTextMessage((String) make(written.getAsString()));
    }

    /** The amqp-value body of a message, or null if it has none. */
    static JsonElement body(Message message) throws JMSException {
        if (message instanceof TextMessage text) {
            return tell(text.getText());
        }
        if (message instanceof MapMessage map) {
            Map<String, Object> all = new LinkedHashMap<>();
            for (Enumeration<?> names = map.getMapNames(); names.hasMoreElements();) {
                String name = (String) names.nextElement();
                all.put(name, map.getObject(name));
            }
            return tell(all);
        }
        if (message instanceof StreamMessage stream) {
            return tell(elements(stream));
        }
        // Without the annotation of a JMS sender a map or list comes as an object.
        return message instanceof ObjectMessage object ? tell(object.getObject()) : null;
    }

    private static List<Object> elements(StreamMessage stream) throws JMSException {
        List<Object> all = new ArrayList<>();
        try {
            while (true) {
                all.add(stream.readObject());
            }
        } catch (jakarta.jms.MessageEOFException end) {
            return all;
        }
    }

    static JsonElement tell(Object value) {
        if (value instanceof Map<?, ?> map) {
            JsonObject all = new JsonObject();
            map.forEach((name, v) -> all.add(String.valueOf(name), tell(v)));
            return all;
        }
        if (value instanceof List<?> list) {
            JsonArray all = new JsonArray();
            list.forEach(v -> all.add(tell(v)));
            return all;
        }
        return new JsonPrimitive(plain(value));
    }

    private static String plain(Object value) {
        if (value == null) {
            return "null:";
        }
        if (value instanceof byte[] bytes) {
            return "binary:" + HexFormat.of().formatHex(bytes);
        }
        if (value instanceof Binary binary) {
            return "binary:" + HexFormat.of().formatHex(binary.asByteBuffer().array(), binary.getArrayOffset(),
                    binary.getArrayOffset() + binary.getLength());
        }
        if (value instanceof Date date) {
            return "timestamp:" + date.getTime();
        }
        return NAMES.getOrDefault(value.getClass(), value.getClass().getName()) + ":" + value;
    }

    /** An id as JMS wants it. */
    static String makeId(String written) {
        int colon = written.indexOf(':');
        String prefix = ID_PREFIXES.getOrDefault(written.substring(0, colon), "");
        String text = written.substring(colon + 1);
        return prefix + (written.startsWith("binary:") ? text.toUpperCase(java.util.Locale.ROOT) : text);
    }

    /** An id as JMS shows it. */
    static String tellId(String id) {
        for (Map.Entry<String, String> e : ID_PREFIXES.entrySet()) {
            if (id.startsWith(e.getValue())) {
                return e.getKey() + ":" + id.substring(e.getValue().length()).toLowerCase(java.util.Locale.ROOT);
            }
        }
        String noPrefix = "ID:AMQP_NO_PREFIX:";
        return "string:" + (id.startsWith(noPrefix) ? id.substring(noPrefix.length()) : id);
    }
}
