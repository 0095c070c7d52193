package org.tidegate.e2e.spring.queues;

import jakarta.jms.ConnectionFactory;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.jms.annotation.EnableJms;
import org.springframework.jms.connection.JmsTransactionManager;

/** The defaults, and a transaction manager for @Transactional. */
@SpringBootApplication
@EnableJms
public class QueuesApplication {
    @Bean
    JmsTransactionManager transactionManager(ConnectionFactory factory) {
        return new JmsTransactionManager(factory);
    }
}
