package org.tidegate.e2e.jms;

import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;

/** Queue browsers (jms 4.1, 8). */
final class Browsers extends Chapter {
    @Scenario
    void takesNothing() throws Exception {
        Session session = session();
        send(session, queue(session), 1, 20);
        QueueBrowser browser = session.createBrowser(queue(session));
        List<Integer> all = numbers(browser);
        same(20, all.size(), "messages looked at");
        same(all, numbers(browser), "a second look");
        browser.close();
        takeAll(session.createConsumer(queue(session)), 1, 20, 1); // and counts nothing
    }

    @Scenario
    void inOrder() throws Exception {
        Session session = connect().createSession(true, Session.SESSION_TRANSACTED);
        send(session, queue(session), 1, 1500); // more than the client buffers at once
        session.commit();
        List<Integer> all = numbers(session.createBrowser(queue(session)));
        for (int n = 1; n <= 1500; n++) {
            same(n, all.get(n - 1), "place " + n);
        }
        same(1500, all.size(), "messages looked at");
    }

    @Scenario
    void empty() throws Exception {
        Session session = session();
        same(List.of(), numbers(session.createBrowser(queue(session))), "messages of an empty queue");
    }

    @Scenario
    void selector() throws Exception {
        Session session = session();
        send(session, queue(session), 1, 6);
        QueueBrowser browser = session.createBrowser(queue(session), "n > 4");
        same("n > 4", browser.getMessageSelector(), "the browser's selector");
        same(List.of(5, 6), numbers(browser), "messages looked at");
    }

    @Scenario
    void blocksNobody() throws Exception {
        Session session = session();
        send(session, queue(session), 1, 10);
        Enumeration<?> open = session.createBrowser(queue(session)).getEnumeration();
        check(open.hasMoreElements(), "the queue has messages");
        Session other = session();
        takeAll(other.createConsumer(queue(other)), 1, 10, 1);
        open.nextElement();
    }

    @Scenario
    void whileMessagesComeAndGo() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 10);
        Session session = connect("jms.prefetchPolicy.all=2").createSession(false, Session.AUTO_ACKNOWLEDGE);
        Enumeration<?> open = session.createBrowser(queue(session)).getEnumeration();
        same(1, ((Message) open.nextElement()).getIntProperty("n"), "the first message");
        Session other = connect("jms.prefetchPolicy.all=1").createSession(false, Session.AUTO_ACKNOWLEDGE);
        takeAll(other.createConsumer(queue(other)), 1, 5, 1);
        other.close();
        send(sender, queue(sender), 11, 12);
        List<Integer> rest = new ArrayList<>();
        int last = 1;
        while (open.hasMoreElements()) {
            int n = ((Message) open.nextElement()).getIntProperty("n");
            check(n > last, "message " + n + " came behind " + last);
            last = n;
            rest.add(n);
        }
        check(rest.containsAll(List.of(7, 8, 9, 10)), "what was there all the time must be seen: " + rest);
    }

    @Scenario
    void acquiredAreNotTaken() throws Exception {
        Session sender = session();
        send(sender, queue(sender), 1, 3);
        Session session = connect("jms.prefetchPolicy.all=1").createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue(session));
        Message first = take(consumer);
        check(numbers(sender.createBrowser(queue(sender))).contains(3), "what nobody holds is seen");
        first.acknowledge();
        takeAll(consumer, 2, 3, 1);
    }
}
