package org.tidegate.e2e.rabbitmq;

import com.rabbitmq.client.amqp.AmqpException;
import com.rabbitmq.client.amqp.Connection;
import com.rabbitmq.client.amqp.Consumer;
import com.rabbitmq.client.amqp.Environment;
import com.rabbitmq.client.amqp.Management;
import com.rabbitmq.client.amqp.Message;
import com.rabbitmq.client.amqp.Publisher;
import com.rabbitmq.client.amqp.impl.AmqpEnvironmentBuilder;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What a program written to RabbitMQ 4 does with queues, by its own AMQP 1.0 client. It knows of the server only its URL.
 *
 * <p>Lines on standard output that begin with "told " are for the test (e2e/suite/rabbitmq_test.go); a line on standard
 * input says that the test has seen one of them and gone on.
 */
public final class Program {
    private static final String QUEUE = "orders/new €";
    private static final int COUNT = 50;

    private Program() {
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Environment environment = new AmqpEnvironmentBuilder().build();
                Connection connection = environment.connectionBuilder().uri(args[0]).build();
                Management management = connection.management()) {
            told("declared", describe(management.queue(QUEUE).declare()));
            told("again", describe(management.queue(QUEUE).declare()));
            publish(connection);
            told("published", describe(management.queueInfo(QUEUE)));
            in.readLine(); // the test has looked at the queue by other means
            consume(connection);
            told("consumed", describe(management.queueInfo(QUEUE)));
            publish(connection);
            told("purged", "" + management.queuePurge(QUEUE).messageCount());
            management.queueDelete(QUEUE);
            told("deleted", "");
            refused("info", () -> management.queueInfo(QUEUE));
            refused("exchange", () -> management.exchange("trades").declare());
            refused("exclusive", () -> management.queue("mine").exclusive(true).autoDelete(true).declare());
            refused("consumer", () -> connection.consumerBuilder().queue("no..name").messageHandler((c, m) -> c.accept()).build());
        }
        told("end", "");
    }

    private static String describe(Management.QueueInfo queue) {
        return queue.name() + " durable=" + queue.durable() + " messages=" + queue.messageCount() + " consumers=" + queue.consumerCount();
    }

    private static void publish(Connection connection) throws InterruptedException {
        LinkedBlockingQueue<Publisher.Status> answers = new LinkedBlockingQueue<>();
        try (Publisher publisher = connection.publisherBuilder().queue(QUEUE).build()) {
            for (int i = 1; i <= COUNT; i++) {
                Message message = publisher.message(("order " + i).getBytes(StandardCharsets.UTF_8)).messageId(i);
                publisher.publish(message, context -> answers.add(context.status()));
            }
            for (int i = 1; i <= COUNT; i++) {
                told("answer", "" + answers.poll(30, TimeUnit.SECONDS));
            }
        }
    }

    /** The first is given back once with an annotation; all are accepted. */
    private static void consume(Connection connection) throws InterruptedException {
        LinkedBlockingQueue<String> got = new LinkedBlockingQueue<>();
        Consumer consumer = connection.consumerBuilder().queue(QUEUE).initialCredits(1).messageHandler((context, message) -> {
            if (message.annotation("x-opt-tries") == null && new String(message.body(), StandardCharsets.UTF_8).equals("order 1")) {
                context.requeue(Map.of("x-opt-tries", 1L));
                return;
            }
            context.accept(); // first: once all were got the consumer is closed, and what is not accepted comes back
            got.add(new String(message.body(), StandardCharsets.UTF_8) + " tries=" + message.annotation("x-opt-tries"));
        }).build();
        for (int i = 1; i <= COUNT; i++) {
            told("got", "" + got.poll(30, TimeUnit.SECONDS));
        }
        consumer.close();
    }

    private static void refused(String what, Runnable action) {
        try {
            action.run();
            told("refused", what + " is not");
        } catch (AmqpException e) {
            told("refused", what + " " + e.getMessage());
        }
    }

    /** Tells the test of something that happened. */
    private static synchronized void told(String event, String text) {
        System.out.println("told " + event + " " + text);
        System.out.flush();
    }
}
