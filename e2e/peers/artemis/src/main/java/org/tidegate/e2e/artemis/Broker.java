package org.tidegate.e2e.artemis;

import java.io.File;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.config.impl.SecurityConfiguration;
import org.apache.activemq.artemis.core.security.Role;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.spi.core.security.ActiveMQJAASSecurityManager;
import org.apache.activemq.artemis.spi.core.security.jaas.InVMLoginModule;

/**
 * ActiveMQ Artemis with AMQP on loopback: Broker PORT DIR. Prints "ready" when clients get in, and runs until it is
 * killed. guest/guest and clients without a name may do everything; queues and topics are made when first used and
 * stay.
 */
public final class Broker {
  private static final String USER = "guest";
  private static final int JOURNAL_FILE = 4 << 20;
  /** How long a write waits for others to be flushed with; a real broker measures its disk when it is made. */
  private static final int JOURNAL_WAIT_NS = 200_000;

  private Broker() {}

  public static void main(String[] args) throws Exception {
    EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
    broker.setConfiguration(configuration(Integer.parseInt(args[0]), new File(args[1])));
    broker.setSecurityManager(users());
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(broker)));
    broker.start();
    System.out.println("ready");
    Thread.currentThread().join();
  }

  private static void stop(EmbeddedActiveMQ broker) {
    try {
      broker.stop();
    } catch (Exception e) {
      e.printStackTrace();
    }
  }

  private static Configuration configuration(int port, File dir) throws Exception {
    ConfigurationImpl configuration = new ConfigurationImpl();
    configuration.setBrokerInstance(dir);
    return configuration
        .setName("peer")
        .setJMXManagementEnabled(false)
        .setJournalDirectory(new File(dir, "journal").getPath())
        .setBindingsDirectory(new File(dir, "bindings").getPath())
        .setPagingDirectory(new File(dir, "paging").getPath())
        .setLargeMessagesDirectory(new File(dir, "large").getPath())
        .setJournalType(JournalType.NIO)
        .setJournalFileSize(JOURNAL_FILE)
        .setJournalBufferTimeout_NIO(JOURNAL_WAIT_NS)
        .setMaxDiskUsage(-1) // how full the machine's disk is does not matter here
        .setSecurityRoles(rights())
        .addAddressSetting("#", settings())
        .addAcceptorConfiguration("amqp", "tcp://127.0.0.1:" + port
            + "?protocols=AMQP;saslMechanisms=PLAIN,ANONYMOUS;amqpCredits=1000;amqpLowCredits=300"
            + System.getProperty("acceptor", ""));
  }

  /** As a broker is shipped, but nothing is deleted because nobody uses it at the moment. */
  private static AddressSettings settings() {
    return new AddressSettings()
        .setDeadLetterAddress(SimpleString.of("DLQ"))
        .setExpiryAddress(SimpleString.of("ExpiryQueue"))
        .setAutoDeleteQueues(false)
        .setAutoDeleteAddresses(false)
        // An address that a client gives no capability for is a queue.
        .setDefaultQueueRoutingType(RoutingType.ANYCAST)
        .setDefaultAddressRoutingType(RoutingType.ANYCAST);
  }

  private static Map<String, Set<Role>> rights() {
    Map<String, Set<Role>> rights = new HashMap<>();
    rights.put("#", Set.of(new Role(USER, true, true, true, true, true, true, true, true, true, true)));
    return rights;
  }

  private static ActiveMQJAASSecurityManager users() {
    SecurityConfiguration users = new SecurityConfiguration();
    users.addUser(USER, USER);
    users.addRole(USER, USER);
    users.setDefaultUser(USER);
    return new ActiveMQJAASSecurityManager(InVMLoginModule.class.getName(), users);
  }
}
