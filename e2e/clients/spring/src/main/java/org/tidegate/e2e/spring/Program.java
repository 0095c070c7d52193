package org.tidegate.e2e.spring;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.tidegate.e2e.spring.queues.QueuesApplication;
import org.tidegate.e2e.spring.topics.TopicsApplication;

/**
 * What a Spring Boot shop runs: an application on queues, or one on topics, which runs again after its durable
 * subscriber was away. The broker's URL is the only setting that the program makes.
 *
 * <p>Arguments: the URL, "queues" or "topics", and settings of Spring's as --NAME=VALUE. Lines on standard output that
 * begin with "told " are for the test (e2e/suite/field_test.go); a line on standard input says that it has gone on.
 */
public final class Program {
    private Program() {
    }

    public static void main(String[] args) throws IOException {
        String[] settings = Arrays.copyOfRange(args, 2, args.length);
        if (args[1].equals("queues")) {
            run(args[0], QueuesApplication.class, settings);
        } else {
            run(args[0], TopicsApplication.class, settings);
            told("away", "");
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
            run(args[0], TopicsApplication.class, settings);
        }
        told("end", "");
    }

    private static void run(String url, Class<?> application, String[] settings) {
        SpringApplication.exit(new SpringApplicationBuilder(application)
                .bannerMode(Banner.Mode.OFF)
                .properties("amqphub.amqp10jms.remote-url=" + url)
                .run(settings));
    }

    /** Tells the test of something that happened. */
    public static synchronized void told(String event, String text) {
        System.out.println("told " + event + " " + text);
        System.out.flush();
    }
}
