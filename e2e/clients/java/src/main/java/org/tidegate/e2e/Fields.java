package org.tidegate.e2e;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import java.util.Map;

/** The fields of the properties section that JMS has under names of its own. */
final class Fields {
    private Fields() {
    }

    static void set(Session session, Message message, JsonObject fields) throws JMSException {
        for (Map.Entry<String, JsonElement> e : fields.entrySet()) {
            String written = e.getValue().getAsString();
            String text = written.substring(written.indexOf(':') + 1);
            switch (e.getKey()) {
                case "subject" -> message.setJMSType(text);
                case "reply_to" -> message.setJMSReplyTo(session.createQueue(text));
                case "group_id" -> message.setStringProperty("JMSXGroupID", text);
                case "group_sequence" -> message.setIntProperty("JMSXGroupSeq", Integer.parseInt(text));
                default -> throw new IllegalArgumentException("JMS has no field " + e.getKey());
            }
        }
    }

    static JsonObject tell(Message message) throws JMSException {
        JsonObject told = new JsonObject();
        add(told, "subject", "string:", message.getJMSType());
        add(told, "group_id", "string:", message.getStringProperty("JMSXGroupID"));
        add(told, "group_sequence", "uint:", message.getObjectProperty("JMSXGroupSeq"));
        if (message.getJMSReplyTo() instanceof Queue queue) {
            add(told, "reply_to", "string:", queue.getQueueName());
        } else if (message.getJMSReplyTo() instanceof Topic topic) {
            add(told, "reply_to", "string:", topic.getTopicName());
        }
        return told;
    }

    /** JMSDestination, with its kind. */
    static String destination(Message message) throws JMSException {
        if (message.getJMSDestination() instanceof Queue queue) {
            return "queue:" + queue.getQueueName();
        }
        return message.getJMSDestination() instanceof Topic topic ? "topic:" + topic.getTopicName() : "";
    }

    private static void add(JsonObject told, String name, String type, Object value) {
        if (value != null) {
            told.addProperty(name, type + value);
        }
    }
}
