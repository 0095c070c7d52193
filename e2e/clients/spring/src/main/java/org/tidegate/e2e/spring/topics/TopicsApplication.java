package org.tidegate.e2e.spring.topics;

import jakarta.jms.ConnectionFactory;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.jms.DefaultJmsListenerContainerFactoryConfigurer;
import org.springframework.context.annotation.Bean;
import org.springframework.jms.annotation.EnableJms;
import org.springframework.jms.config.DefaultJmsListenerContainerFactory;

/** The defaults with spring.jms.pub-sub-domain, and a second factory for a durable subscriber. */
@SpringBootApplication
@EnableJms
public class TopicsApplication {
    @Bean
    DefaultJmsListenerContainerFactory jmsListenerContainerFactory(
            DefaultJmsListenerContainerFactoryConfigurer configurer, ConnectionFactory connections) {
        return factory(configurer, connections);
    }

    @Bean
    DefaultJmsListenerContainerFactory durables(
            DefaultJmsListenerContainerFactoryConfigurer configurer, ConnectionFactory connections) {
        DefaultJmsListenerContainerFactory f = factory(configurer, connections);
        f.setClientId("field-archive");
        f.setSubscriptionDurable(true);
        return f;
    }

    private static DefaultJmsListenerContainerFactory factory(
            DefaultJmsListenerContainerFactoryConfigurer configurer, ConnectionFactory connections) {
        DefaultJmsListenerContainerFactory f = new DefaultJmsListenerContainerFactory();
        configurer.configure(f, connections);
        return f;
    }
}
