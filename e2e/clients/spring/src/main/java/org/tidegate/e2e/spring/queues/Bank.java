package org.tidegate.e2e.spring.queues;

import org.springframework.jms.core.JmsTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** Units of work over several queues, each a call. */
@Component
class Bank {
    private final JmsTemplate jms;

    Bank(JmsTemplate jms) {
        this.jms = jms;
    }

    /** Both or neither. */
    @Transactional
    public void transfer(int number, boolean fails) {
        jms.convertAndSend("field.debits", "transfer " + number);
        jms.convertAndSend("field.credits", "transfer " + number);
        if (fails) {
            throw new Refused();
        }
    }

    /** Moves a message; where it fails, the message stays where it was. */
    @Transactional
    public String move(boolean fails) {
        String text = (String) jms.receiveAndConvert("field.in");
        jms.convertAndSend("field.out", text);
        if (fails) {
            throw new Refused();
        }
        return text;
    }

    static final class Refused extends RuntimeException {
    }
}
