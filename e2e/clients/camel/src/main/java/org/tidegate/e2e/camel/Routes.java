package org.tidegate.e2e.camel;

import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;

/** Every route listens to the broker. */
final class Routes extends RouteBuilder {
    @Override
    public void configure() {
        // One local transaction: the order comes again where what follows fails, and then no invoice went out.
        from("amqp:queue:field.orders?transacted=true")
                .setProperty("order", body())
                .setBody(simple("invoice for ${body}"))
                .to("amqp:queue:field.invoices")
                .process(Routes::refuseEveryTenth);

        from("amqp:queue:field.questions").setBody(simple("answer to ${body}"));

        from("amqp:queue:field.busy?concurrentConsumers=5").to("amqp:queue:field.done");

        from("amqp:topic:field.news").process(e -> Program.told("first", e.getIn().getBody(String.class)));
        from("amqp:topic:field.news?selector=producer %3D 'wire'")
                .process(e -> Program.told("second", e.getIn().getBody(String.class)));
        from("amqp:topic:field.news?clientId=field-archive&durableSubscriptionName=archive")
                .process(e -> Program.told("archive", e.getIn().getBody(String.class)));
    }

    private static void refuseEveryTenth(Exchange e) {
        String order = e.getProperty("order", String.class);
        if (order.endsWith("0") && !e.getIn().getHeader("JMSRedelivered", Boolean.class)) {
            Program.told("refused", order);
            throw new IllegalStateException("not now: " + order);
        }
        Program.told("handled", order + " delivery " + e.getIn().getHeader("JMSXDeliveryCount"));
    }
}
