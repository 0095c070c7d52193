package org.tidegate.e2e;

import com.google.gson.JsonObject;
import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Destination;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import javax.naming.Context;
import javax.naming.InitialContext;

/** Finds factory and destination by JNDI alone, as a program that was written for EMS does. */
final class Lookup {
    private final Command command;

    Lookup(Command command) {
        this.command = command;
    }

    JsonObject run() throws Exception {
        Properties environment = new Properties();
        try (var in = Files.newBufferedReader(Path.of(command.text("file", "")))) {
            environment.load(in);
        }
        Context context = new InitialContext(environment);
        ConnectionFactory factory = (ConnectionFactory) context.lookup(command.text("factory", ""));
        Destination destination = (Destination) context.lookup(command.text("destination", ""));
        JsonObject done = new JsonObject();
        try (Connection connection = factory.createConnection()) {
            connection.start();
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            var consumer = session.createConsumer(destination);
            session.createProducer(destination).send(session.createTextMessage("found"));
            TextMessage message = (TextMessage) consumer.receive(command.number("timeout_ms", 60_000));
            if (message == null) {
                throw new IllegalStateException("nothing arrived");
            }
            done.addProperty("text", message.getText());
            done.addProperty("address", message.getJMSDestination().toString());
            done.addProperty("client", connection.getClientID());
        }
        return done;
    }
}
