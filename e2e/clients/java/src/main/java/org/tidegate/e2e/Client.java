package org.tidegate.e2e;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.apache.qpid.jms.util.MetaDataSupport;

/** The connection of one command, and what all commands say about messages. */
final class Client implements AutoCloseable {
    private static final Pattern CONDITION = Pattern.compile("\\[condition = ([^\\]]+)\\]");

    final Command command;
    private Connection connection;
    private boolean overdue;

    Client(Command command) {
        this.command = command;
        Driver.TIMER.schedule(this::end, command.number("timeout_ms", 60_000), TimeUnit.MILLISECONDS);
    }

    static JsonObject capabilities() {
        JsonObject done = new JsonObject();
        done.addProperty("client", "qpid-jms");
        done.addProperty("version", MetaDataSupport.PROVIDER_VERSION);
        JsonArray can = new JsonArray();
        for (String word : List.of("topic", "text", "settled", "reconnect", "batch", "drain", "selector",
                "browse", "dynamic", "request", "respond", "frame-size", "sasl-plain", "sasl-scram", "anonymous", "modify", "durable",
                "map", "list", "types", "correlation-id", "char", "symbols", "tls", "sasl-external", "websocket", "relay", "fields",
                "no-local", "shared", "undeliverable", "transactions", "sole", "conditions")) {
            can.add(word);
        }
        done.add("can", can);
        JsonObject cannot = new JsonObject();
        cannot.addProperty("settle-second", "JMS has no receiver settle mode: Qpid JMS always settles first");
        cannot.addProperty("nested", "a JMS MapMessage or StreamMessage holds plain values only");
        cannot.addProperty("message-id", "a JMS provider makes the message ids itself (jms 3.4.3)");
        cannot.addProperty("all-fields", "a JMS provider sets user, content type, creation and expiry itself (jms 3.4)");
        cannot.addProperty("annotations", "JMS has no message annotations of the application's own");
        cannot.addProperty("modify-annotations", "JMS has no message annotations of the application's own");
        cannot.addProperty("modify-plain", "Qpid JMS's acknowledge types know modified with delivery-failed only");
        done.add("cannot", cannot);
        JsonArray types = new JsonArray();
        for (String type : Values.TYPES) {
            types.add(type);
        }
        done.add("types", types);
        return done;
    }

    JsonObject connect() throws Exception {
        open(Map.of()).close();
        return new JsonObject();
    }

    /** Opens the connection with the command's options and these besides. */
    Connection open(Map<String, String> more) throws Exception {
        List<String> options = new ArrayList<>();
        more.forEach((k, v) -> options.add(k + "=" + v));
        if (command.has("max_frame_size")) {
            options.add("amqp.maxFrameSize=" + command.number("max_frame_size", 0));
        }
        String sasl = command.text("sasl", command.has("user") ? "" : "ANONYMOUS");
        if (!sasl.isEmpty()) {
            options.add("amqp.saslMechanisms=" + sasl);
        }
        // Qpid JMS calls ws:// amqpws:// and wss:// amqpwss://.
        String url = command.text("url", "").replaceFirst("^ws", "amqpws");
        if (command.flag("reconnect", false)) {
            // As its users write it: options of one server nested, the failover's own outside.
            options.removeIf(o -> o.startsWith("jms."));
            url = "failover:(" + withOptions(url, options) + ")?failover.reconnectDelay=20"
                    + "&failover.useReconnectBackOff=false&failover.initialReconnectDelay=20";
            for (Map.Entry<String, String> e : more.entrySet()) {
                if (e.getKey().startsWith("jms.")) {
                    url += "&" + e.getKey() + "=" + e.getValue();
                }
            }
        } else {
            url = withOptions(url, options);
        }
        JmsConnectionFactory factory = new JmsConnectionFactory(url);
        if (command.has("ca")) {
            factory.setSslContext(Tls.context(command.text("ca", ""), command.text("cert", ""), command.text("key", "")));
        }
        if (command.has("user")) {
            factory.setUsername(command.text("user", ""));
            factory.setPassword(command.text("password", ""));
        }
        Connection opened = factory.createConnection();
        synchronized (this) {
            connection = opened;
        }
        if (command.has("container")) {
            opened.setClientID(command.text("container", ""));
        }
        opened.start();
        return opened;
    }

    private static String withOptions(String url, List<String> options) {
        return options.isEmpty() ? url : url + "?" + String.join("&", options);
    }

    /** Past its time a command's connection is closed, which ends every wait. */
    private void end() {
        synchronized (this) {
            overdue = true;
        }
        close();
    }

    synchronized boolean isOverdue() {
        return overdue;
    }

    @Override
    public void close() {
        Connection closing;
        synchronized (this) {
            closing = connection;
            connection = null;
        }
        if (closing != null) {
            try {
                closing.close();
            } catch (JMSException e) {
                System.err.println("close: " + e);
            }
        }
    }

    Destination destination(Session session) throws JMSException {
        String address = command.text("address", "");
        return command.text("kind", "queue").equals("topic") ? session.createTopic(address) : session.createQueue(address);
    }

    /** Ends the command's transaction as it asks; false: it is left open. */
    boolean discharge(Session session) throws JMSException {
        switch (command.text("transaction", "")) {
            case "commit" -> session.commit();
            case "rollback" -> session.rollback();
            default -> {
                return false;
            }
        }
        return true;
    }

    int deliveryMode() {
        return command.flag("durable", true) ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT;
    }

    /** The body of message seq: as many bytes as the command asks for. */
    private byte[] filling(long seq) {
        int size = (int) command.number("size", 64);
        byte[] unit = (command.text("producer", "") + "/" + seq + ";").getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[size];
        for (int i = 0; i < size; i++) {
            body[i] = unit[i % unit.length];
        }
        return body;
    }

    Message message(Session session, long seq) throws JMSException {
        Message message;
        if (command.has("value")) {
            message = Values.message(session, command.element("value"));
        } else if (command.has("text")) {
            message = session.createTextMessage(command.text("text", ""));
        } else if (command.text("body", "data").equals("text")) {
            message = session.createTextMessage(new String(filling(seq), StandardCharsets.UTF_8));
        } else {
            BytesMessage bytes = session.createBytesMessage();
            bytes.writeBytes(filling(seq));
            message = bytes;
        }
        message.setStringProperty("producer", command.text("producer", ""));
        message.setLongProperty("seq", seq);
        for (Map.Entry<String, JsonElement> e : command.object("properties").entrySet()) {
            JsonPrimitive value = e.getValue().getAsJsonPrimitive();
            if (value.isBoolean()) {
                message.setBooleanProperty(e.getKey(), value.getAsBoolean());
            } else if (value.isString()) {
                message.setStringProperty(e.getKey(), value.getAsString());
            } else if (value.getAsDouble() == Math.rint(value.getAsDouble())) {
                message.setLongProperty(e.getKey(), value.getAsLong());
            } else {
                message.setDoubleProperty(e.getKey(), value.getAsDouble());
            }
        }
        for (Map.Entry<String, JsonElement> e : command.object("typed_properties").entrySet()) {
            message.setObjectProperty(e.getKey(), Values.make(e.getValue().getAsString()));
        }
        Fields.set(session, message, command.object("fields"));
        if (command.has("correlation_id")) {
            message.setJMSCorrelationID(Values.makeId(command.text("correlation_id", "")));
        }
        return message;
    }

    static byte[] body(Message message) throws JMSException {
        if (message instanceof TextMessage text) {
            return text.getText().getBytes(StandardCharsets.UTF_8);
        }
        if (message instanceof BytesMessage bytes) {
            byte[] body = new byte[(int) bytes.getBodyLength()];
            bytes.readBytes(body);
            bytes.reset();
            return body;
        }
        return new byte[0];
    }

    /** What the protocol tells about a message, with the types of its values if asked for. */
    static JsonObject describe(Message message, boolean typed) throws Exception {
        JsonObject event = describe(message);
        if (typed) {
            JsonObject properties = new JsonObject();
            for (Enumeration<?> names = message.getPropertyNames(); names.hasMoreElements();) {
                String name = (String) names.nextElement();
                if (isTold(name)) {
                    properties.add(name, Values.tell(message.getObjectProperty(name)));
                }
            }
            event.add("typed_properties", properties);
            if (message.getJMSMessageID() != null) {
                event.addProperty("message_id", Values.tellId(message.getJMSMessageID()));
            }
            if (message.getJMSCorrelationID() != null) {
                event.addProperty("correlation_id", Values.tellId(message.getJMSCorrelationID()));
            }
            event.add("fields", Fields.tell(message));
            event.addProperty("destination", Fields.destination(message));
            event.add("value", Values.body(message));
        }
        return event;
    }

    static JsonObject describe(Message message) throws Exception {
        byte[] body = body(message);
        JsonObject event = new JsonObject();
        event.addProperty("size", body.length);
        event.addProperty("sha256", HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body)));
        if (body.length <= 256) {
            event.addProperty("text", new String(body, StandardCharsets.UTF_8));
        }
        JsonObject properties = new JsonObject();
        for (Enumeration<?> names = message.getPropertyNames(); names.hasMoreElements();) {
            String name = (String) names.nextElement();
            if (isTold(name)) {
                add(properties, name, message.getObjectProperty(name));
            }
        }
        event.add("properties", properties);
        if (message.propertyExists("seq")) {
            event.addProperty("producer", message.getStringProperty("producer"));
            event.addProperty("seq", message.getLongProperty("seq"));
        }
        event.addProperty("durable", message.getJMSDeliveryMode() == DeliveryMode.PERSISTENT);
        event.addProperty("priority", message.getJMSPriority());
        event.addProperty("redelivered", message.getJMSRedelivered());
        event.addProperty("delivery_count", message.getIntProperty("JMSXDeliveryCount") - 1);
        return event;
    }

    /** The sender's properties, not those that the provider or this driver put there. */
    private static boolean isTold(String property) {
        return !property.startsWith("JMSX") && !property.equals(Receive.ACK_TYPE);
    }

    private static void add(JsonObject to, String name, Object value) {
        if (value instanceof Boolean b) {
            to.addProperty(name, b);
        } else if (value instanceof Number n) {
            to.addProperty(name, n);
        } else {
            to.addProperty(name, String.valueOf(value));
        }
    }

    /** An exception and its causes in one line. */
    static String words(Throwable e) {
        StringBuilder all = new StringBuilder();
        for (Throwable t = e; t != null && t != t.getCause(); t = t.getCause()) {
            if (all.length() > 0) {
                all.append("; ");
            }
            all.append(t.getClass().getSimpleName()).append(": ").append(t.getMessage());
        }
        return all.toString();
    }

    /** Qpid JMS tells the condition only at the end of its messages. */
    static String condition(Throwable e) {
        Matcher m = CONDITION.matcher(words(e));
        return m.find() ? m.group(1) : "";
    }
}
