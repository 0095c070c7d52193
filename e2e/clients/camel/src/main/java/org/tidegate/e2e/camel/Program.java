package org.tidegate.e2e.camel;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.Route;
import org.apache.camel.component.amqp.AMQPComponent;
import org.apache.camel.component.jms.JmsConsumer;
import org.apache.camel.impl.DefaultCamelContext;
import org.springframework.jms.listener.DefaultMessageListenerContainer;

/**
 * Integration routes as Camel users write them. The component is made from the broker's URL and nothing else.
 *
 * <p>Arguments: the URL. Lines on standard output that begin with "told " are for the test (e2e/suite/field_test.go);
 * a line on standard input says that it has seen one of them and gone on.
 */
public final class Program {
    private Program() {
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (CamelContext context = start(args[0])) {
            told("subscribed", "");
            ProducerTemplate camel = context.createProducerTemplate();
            for (int i = 1; i <= 50; i++) {
                told("answered", camel.requestBody("amqp:queue:field.questions", "question " + i, String.class));
            }
            for (int i = 1; i <= 200; i++) {
                camel.sendBody("amqp:queue:field.busy", "job " + i);
            }
            for (int i = 1; i <= 20; i++) {
                camel.sendBody("amqp:topic:field.bulletins", "bulletin " + i);
            }
            in.readLine(); // the test has seen all that it waits for
        }
        told("away", "");
        in.readLine();
        try (CamelContext context = start(args[0])) { // what came for the durable subscriber in the meantime
            in.readLine();
        }
        told("end", "");
    }

    private static CamelContext start(String url) throws Exception {
        CamelContext context = new DefaultCamelContext();
        context.addComponent("amqp", AMQPComponent.amqpComponent(url));
        context.addRoutes(new Routes());
        context.start();
        for (Route route : context.getRoutes()) {
            if (!route.getEndpoint().getEndpointUri().startsWith("amqp://topic:")) {
                continue; // messages wait in a queue, and a transacted container does not say
            }
            var container = (DefaultMessageListenerContainer) ((JmsConsumer) route.getConsumer()).getListenerContainer();
            while (!container.isRegisteredWithDestination()) {
                Thread.sleep(5); // no event tells
            }
        }
        return context;
    }

    /** Tells the test of something that happened. */
    static synchronized void told(String event, String text) {
        System.out.println("told " + event + " " + text);
        System.out.flush();
    }
}
