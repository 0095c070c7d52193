package org.tidegate.e2e.spring.queues;

import jakarta.jms.TextMessage;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.CommandLineRunner;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.stereotype.Component;
import org.tidegate.e2e.spring.Program;

/** What the program does by itself, with a JmsTemplate that opens a connection for each call. */
@Component
class Work implements CommandLineRunner {
    private final JmsTemplate jms;
    private final Bank bank;
    private final Desk desk;

    Work(JmsTemplate jms, Bank bank, Desk desk) {
        this.jms = jms;
        this.bank = bank;
        this.desk = desk;
    }

    @Override
    public void run(String... args) throws Exception {
        for (int i = 1; i <= 20; i++) {
            jms.convertAndSend("field.greetings", "greeting " + i);
        }
        for (int i = 1; i <= 10; i++) { // the others the test takes
            Program.told("greeted", (String) jms.receiveAndConvert("field.greetings"));
        }
        jms.convertAndSend("field.maps", Map.of("name", "Ems", "tides", 2, "open", true));
        Program.told("map", new TreeMap<>((Map<?, ?>) jms.receiveAndConvert("field.maps")).toString());
        for (int i = 1; i <= 50; i++) {
            String question = "question " + i;
            TextMessage answer = (TextMessage) jms.sendAndReceive("field.questions",
                    session -> session.createTextMessage(question));
            Program.told("answered", answer.getText());
        }
        for (int i = 1; i <= 20; i++) {
            boolean fails = i % 4 == 0;
            try {
                bank.transfer(i, fails);
                Program.told("transferred", "transfer " + i);
            } catch (Bank.Refused e) {
                Program.told("undone", "transfer " + i);
            }
        }
        for (int i = 1; i <= 5; i++) {
            jms.convertAndSend("field.in", "moved " + i);
        }
        for (int i = 0; i < 10; i++) { // the first move of each fails
            try {
                Program.told("moved", bank.move(i % 2 == 0));
            } catch (Bank.Refused e) {
                Program.told("stayed", "");
            }
        }
        desk.handled.await();
    }
}
