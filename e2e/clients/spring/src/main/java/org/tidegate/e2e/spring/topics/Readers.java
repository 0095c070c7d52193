package org.tidegate.e2e.spring.topics;

import org.springframework.jms.annotation.JmsListener;
import org.springframework.jms.config.JmsListenerEndpointRegistry;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.jms.listener.DefaultMessageListenerContainer;
import org.springframework.stereotype.Component;
import org.springframework.boot.CommandLineRunner;
import org.tidegate.e2e.spring.Program;

/** Three readers of one topic, of which one is durable; they hear until the news say that it is enough. */
@Component
class Readers implements CommandLineRunner {
    private final JmsTemplate jms;
    private final JmsListenerEndpointRegistry listeners;
    private int open = 3;

    Readers(JmsTemplate jms, JmsListenerEndpointRegistry listeners) {
        this.jms = jms;
        this.listeners = listeners;
    }

    @JmsListener(destination = "field.news")
    void first(String news) {
        read("first", news);
    }

    @JmsListener(destination = "field.news", selector = "producer = 'wire'")
    void second(String news) {
        read("second", news);
    }

    @JmsListener(destination = "field.news", containerFactory = "durables", subscription = "archive")
    void archive(String news) {
        read("archive", news);
    }

    private synchronized void read(String reader, String news) {
        if (news.equals("enough")) {
            open--;
            notifyAll();
            return;
        }
        Program.told(reader, news);
    }

    @Override
    public synchronized void run(String... args) throws InterruptedException {
        for (var listener : listeners.getListenerContainers()) {
            while (!((DefaultMessageListenerContainer) listener).isRegisteredWithDestination()) {
                wait(5); // no event tells
            }
        }
        Program.told("subscribed", "");
        for (int i = 1; i <= 20; i++) {
            jms.convertAndSend("field.bulletins", "bulletin " + i);
        }
        while (open > 0) {
            wait();
        }
    }
}
