package org.tidegate.e2e;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.tidegate.e2e.jms.Scenarios;

/** Drives Qpid JMS over the line protocol of ../PROTOCOL.md. */
public final class Driver {
    /** Ends overdue commands; daemon threads, so that quit is not held up. */
    static final ScheduledExecutorService TIMER = Executors.newSingleThreadScheduledExecutor(r -> {
        Thread t = new Thread(r, "timer");
        t.setDaemon(true);
        return t;
    });

    private Driver() {
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonObject fields = JsonParser.parseString(line).getAsJsonObject();
            Command command = new Command(fields);
            if (command.text("cmd", "").equals("quit")) {
                break;
            }
            Thread t = new Thread(() -> run(command), "command-" + fields.get("id"));
            t.setDaemon(true);
            t.start();
        }
        System.exit(0);
    }

    /** Runs one scenario of the JMS program, or names them all. */
    private static JsonObject jms(Command c) throws Exception {
        JsonObject done = new JsonObject();
        if (c.has("scenario")) {
            Scenarios.run(c.text("url", ""), c.text("scenario", ""));
            return done;
        }
        JsonArray all = new JsonArray();
        Scenarios.names().forEach(all::add);
        done.add("scenarios", all);
        return done;
    }

    private static void run(Command c) {
        try (Client client = new Client(c)) {
            JsonObject done = switch (c.text("cmd", "")) {
                case "capabilities" -> Client.capabilities();
                case "connect" -> client.connect();
                case "send" -> new Send(client).run();
                case "receive" -> new Receive(client).run();
                case "unsubscribe" -> new Receive(client).unsubscribe();
                case "request" -> new Requests(client).request();
                case "respond" -> new Requests(client).respond();
                case "move" -> new Move(client).run();
                case "jms" -> jms(c);
                case "lookup" -> new Lookup(c).run();
                case "put" -> new Batches(client).put();
                case "take" -> new Batches(client).take();
                case "calls" -> new Churn(client).calls();
                case "cycles" -> new Churn(client).cycles();
                case "sessions" -> new Churn(client).sessions();
                default -> throw new IllegalArgumentException("no command " + c.text("cmd", ""));
            };
            client.close(); // what comes next may want the client id, or what this one held
            c.event("done", done);
        } catch (Exception e) {
            JsonObject error = new JsonObject();
            error.addProperty("error", Client.words(e));
            error.addProperty("condition", Client.condition(e));
            c.event("error", error);
        }
    }
}
