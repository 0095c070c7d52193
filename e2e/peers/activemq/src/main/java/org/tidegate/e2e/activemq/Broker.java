package org.tidegate.e2e.activemq;

import java.io.File;
import java.util.List;

import org.apache.activemq.broker.BrokerPlugin;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.security.AuthenticationUser;
import org.apache.activemq.security.SimpleAuthenticationPlugin;
import org.apache.activemq.store.kahadb.KahaDBPersistenceAdapter;

/**
 * ActiveMQ Classic with AMQP on loopback: Broker PORT DIR. Prints "ready" when clients get in, and runs until it is
 * killed. guest/guest and clients without a name get in; queues and topics are made when first used.
 */
public final class Broker {
  private static final int JOURNAL_FILE = 4 << 20;

  private Broker() {}

  public static void main(String[] args) throws Exception {
    File dir = new File(args[1]);
    KahaDBPersistenceAdapter store = new KahaDBPersistenceAdapter();
    store.setDirectory(new File(dir, "kahadb"));
    store.setJournalMaxFileLength(JOURNAL_FILE);

    BrokerService broker = new BrokerService();
    broker.setBrokerName("peer");
    broker.setUseJmx(false);
    broker.setDataDirectoryFile(dir);
    broker.setPersistenceAdapter(store);
    broker.setPlugins(new BrokerPlugin[] {users()});
    broker.getSystemUsage().getMemoryUsage().setPercentOfJvmHeap(70);
    broker.addConnector("amqp+nio://127.0.0.1:" + args[0]
        + "?wireFormat.maxFrameSize=104857600" + System.getProperty("connector", ""));
    broker.start();
    broker.waitUntilStarted();
    System.out.println("ready");
    broker.waitUntilStopped();
  }

  private static SimpleAuthenticationPlugin users() {
    SimpleAuthenticationPlugin users = new SimpleAuthenticationPlugin(
        List.of(new AuthenticationUser("guest", "guest", "guests")));
    users.setAnonymousAccessAllowed(true);
    return users;
  }
}
