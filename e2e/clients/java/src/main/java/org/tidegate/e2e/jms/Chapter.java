package org.tidegate.e2e.jms;

import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.naming.Context;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import org.apache.qpid.jms.JmsConnectionFactory;

/**
 * What scenarios share. A scenario has an instance of its own, and destinations and client ids that begin with its name, so
 * that scenarios run side by side; its connections are closed when it ends.
 */
abstract class Chapter implements AutoCloseable {
    /** How long to wait, in ms, for what must come: long, because it only ends a wait that has failed. */
    static final long PATIENCE = 20_000;

    private static final String TIMEOUTS = String.format(
            "?jms.connectTimeout=%1$d&jms.requestTimeout=%1$d&jms.sendTimeout=%1$d&jms.closeTimeout=%1$d", PATIENCE);

    private String url;
    private String name;
    private final List<AutoCloseable> opened = new ArrayList<>();

    /** A piece of code that may throw. */
    interface Call {
        void run() throws Exception;
    }

    final void begin(String server, String place) {
        url = server;
        name = place;
    }

    @Override
    public final void close() {
        for (AutoCloseable c : opened) {
            try {
                c.close();
            } catch (Exception e) {
                System.err.println(name + ": close: " + e);
            }
        }
    }

    /** A factory whose requests fail rather than hang; options as in a Qpid JMS URL. */
    final JmsConnectionFactory factory(String... options) {
        StringBuilder all = new StringBuilder(url).append(TIMEOUTS).append("&amqp.saslMechanisms=ANONYMOUS");
        for (String option : options) {
            all.append('&').append(option);
        }
        return new JmsConnectionFactory(all.toString());
    }

    /** A way to the server that ends with the scenario. */
    final Cable cable() throws java.io.IOException {
        Cable cable = new Cable(url);
        opened.add(cable);
        return cable;
    }

    /** A connection over a cable; with failover it is dialled again when that was cut. */
    final Connection over(Cable cable, boolean failover) throws JMSException {
        String options = "?amqp.saslMechanisms=ANONYMOUS&jms.closeTimeout=" + PATIENCE;
        JmsConnectionFactory factory = new JmsConnectionFactory(failover
                ? "failover:(" + cable.url() + "?amqp.saslMechanisms=ANONYMOUS)?failover.reconnectDelay=10&jms.sendTimeout=" + PATIENCE
                : cable.url() + options);
        Connection connection = factory.createConnection();
        opened.add(0, connection); // closed before the cable
        return connection;
    }

    /** What a Qpid JMS properties file says, for JNDI. */
    final Context naming(Map<String, String> more) throws NamingException {
        Hashtable<String, String> environment = new Hashtable<>(more);
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "org.apache.qpid.jms.jndi.JmsInitialContextFactory");
        environment.put("connectionfactory.server", url + "?amqp.saslMechanisms=ANONYMOUS");
        return new InitialContext(environment);
    }

    /** A connection that is not started. */
    final Connection unstarted(String... options) throws JMSException {
        Connection connection = factory(options).createConnection();
        opened.add(connection);
        return connection;
    }

    final Connection connect(String... options) throws JMSException {
        Connection connection = unstarted(options);
        connection.start();
        return connection;
    }

    /** A started connection of a user's, by whatever mechanism is offered. */
    final Connection connectAs(String user, String password) throws JMSException {
        Connection connection = new JmsConnectionFactory(url + TIMEOUTS).createConnection(user, password);
        opened.add(connection);
        connection.start();
        return connection;
    }

    final String url() {
        return url;
    }

    /** A started connection with the client id of this scenario. */
    final Connection identified() throws JMSException {
        Connection connection = unstarted();
        connection.setClientID(name);
        connection.start();
        return connection;
    }

    final JMSContext context(int mode) {
        JMSContext context = factory().createContext(mode);
        opened.add(context);
        return context;
    }

    /** An AUTO_ACKNOWLEDGE session on a connection of its own. */
    final Session session() throws JMSException {
        return connect().createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    final String named(String more) {
        return name + "." + more;
    }

    final String named() {
        return name;
    }

    final Queue queue(Session session) throws JMSException {
        return session.createQueue(name);
    }

    final Topic topic(Session session) throws JMSException {
        return session.createTopic(name);
    }

    /** A message without a body, with its number as the property n. */
    static Message numbered(Session session, int n) throws JMSException {
        Message message = session.createMessage();
        message.setIntProperty("n", n);
        return message;
    }

    /** Sends text messages first to last, each with its number as text and as the property n. */
    static void send(Session session, Destination to, int first, int last) throws JMSException {
        MessageProducer producer = session.createProducer(to);
        for (int n = first; n <= last; n++) {
            TextMessage message = session.createTextMessage(String.valueOf(n));
            message.setIntProperty("n", n);
            producer.send(message);
        }
        producer.close();
    }

    /** Sends one message to this scenario's queue and takes it on another connection. */
    final Message pass(Session session, Message message) throws JMSException {
        session.createProducer(queue(session)).send(message);
        Session other = session();
        MessageConsumer consumer = other.createConsumer(queue(other));
        Message got = take(consumer);
        consumer.close();
        return got;
    }

    /** A text message that was received, of "a", with the property n=1 and the JMSType kind. */
    final TextMessage passedText() throws JMSException {
        Session session = session();
        return (TextMessage) pass(session, textWithProperties(session));
    }

    static TextMessage textWithProperties(Session session) throws JMSException {
        TextMessage message = session.createTextMessage("a");
        message.setIntProperty("n", 1);
        message.setJMSType("kind");
        return message;
    }

    static Message take(MessageConsumer consumer) throws JMSException {
        Message message = consumer.receive(PATIENCE);
        check(message != null, "no message came within " + PATIENCE + " ms");
        return message;
    }

    static String text(MessageConsumer consumer) throws JMSException {
        return ((TextMessage) take(consumer)).getText();
    }

    /** Takes first to last and wants each with that delivery count. */
    static void takeAll(MessageConsumer consumer, int first, int last, int count) throws JMSException {
        for (int n = first; n <= last; n++) {
            Message message = take(consumer);
            same(n, message.getIntProperty("n"), "the message's number");
            same(count, message.getIntProperty("JMSXDeliveryCount"), "JMSXDeliveryCount of message " + n);
            same(count > 1, message.getJMSRedelivered(), "JMSRedelivered of message " + n);
        }
    }

    /** Wants nothing for the consumer; the server says so by its answer to a drain. */
    static void nothing(MessageConsumer consumer) throws JMSException {
        Message message = consumer.receiveNoWait();
        check(message == null, "a message came where none should: " + message);
    }

    /** The numbers that are in the scenario's queue, which is empty afterwards. */
    final List<Integer> left() throws JMSException {
        return left(named());
    }

    final List<Integer> left(String queue) throws JMSException {
        Session session = session();
        MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
        List<Integer> all = new ArrayList<>();
        for (Message m = consumer.receiveNoWait(); m != null; m = consumer.receiveNoWait()) {
            all.add(m.getIntProperty("n"));
        }
        consumer.close();
        return all;
    }

    /** The numbers of what a browser shows, none flagged: a look delivers nothing. */
    static List<Integer> numbers(QueueBrowser browser) throws JMSException {
        List<Integer> all = new ArrayList<>();
        for (Object looked : Collections.list(browser.getEnumeration())) {
            Message message = (Message) looked;
            same(false, message.getJMSRedelivered(), "JMSRedelivered of what is looked at");
            all.add(message.getIntProperty("n"));
        }
        return all;
    }

    static void check(boolean good, String otherwise) {
        if (!good) {
            throw new IllegalStateException(otherwise);
        }
    }

    static void same(Object want, Object got, String what) {
        check(Objects.deepEquals(want, got), what + ": " + got + ", want " + want);
    }

    /** Wants the call to throw this kind. */
    static <E extends Exception> E refused(Class<E> kind, Call call) {
        try {
            call.run();
        } catch (Exception e) {
            if (kind.isInstance(e)) {
                return kind.cast(e);
            }
            throw new IllegalStateException("threw " + e + ", want " + kind.getSimpleName(), e);
        }
        throw new IllegalStateException("threw nothing, want " + kind.getSimpleName());
    }
}
