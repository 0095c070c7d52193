package org.tidegate.e2e.spring.queues;

import java.util.concurrent.CountDownLatch;
import org.springframework.jms.annotation.JmsListener;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.jms.support.JmsHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.stereotype.Component;
import org.tidegate.e2e.spring.Program;

/** Listens to what comes from outside (orders) and from the program itself (questions). */
@Component
class Desk {
    /** How many orders the test sends. */
    static final int ORDERS = 60;

    final CountDownLatch handled = new CountDownLatch(ORDERS);
    private final JmsTemplate jms;

    Desk(JmsTemplate jms) {
        this.jms = jms;
    }

    /**
     * The invoice goes out in the listener's own transaction: where the listener fails after sending it, neither is
     * done, and the order comes again. Every tenth fails the first time.
     */
    @JmsListener(destination = "field.orders")
    void order(String order, @Header(JmsHeaders.REDELIVERED) boolean again,
            @Header("JMSXDeliveryCount") int count) {
        jms.convertAndSend("field.invoices", "invoice for " + order);
        if (order.endsWith("0") && !again) {
            Program.told("refused", order);
            throw new IllegalStateException("not now: " + order);
        }
        Program.told("handled", order + " delivery " + count);
        handled.countDown();
    }

    /** The reply goes where JMSReplyTo says. */
    @JmsListener(destination = "field.questions")
    String answer(String question) {
        return "answer to " + question;
    }
}
