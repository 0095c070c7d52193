package org.tidegate.e2e.jms;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A way to the server that a scenario can cut; who dials again gets through. */
final class Cable implements AutoCloseable {
    private final URI server;
    private final ServerSocket listener;
    private final List<Socket> ends = new ArrayList<>();
    private final Semaphore dialled = new Semaphore(0);

    Cable(String url) throws IOException {
        server = URI.create(url);
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        run("cable", this::accept);
    }

    String url() {
        return "amqp://" + listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort();
    }

    private static void run(String name, Runnable what) {
        Thread t = new Thread(what, name);
        t.setDaemon(true);
        t.start();
    }

    private void accept() {
        while (true) {
            try {
                Socket client = listener.accept();
                Socket peer = new Socket(server.getHost(), server.getPort());
                synchronized (ends) {
                    ends.add(client);
                    ends.add(peer);
                }
                dialled.release();
                run("cable out", () -> carry(client, peer));
                run("cable in", () -> carry(peer, client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private static void carry(Socket from, Socket to) {
        try (from; to; InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
            in.transferTo(out);
        } catch (IOException cut) {
            // Both ends are closed, which is all that a cut is.
        }
    }

    /** Waits until it was dialled so often, since the last such wait. */
    boolean untilDialled(int times) throws InterruptedException {
        return dialled.tryAcquire(times, Chapter.PATIENCE, TimeUnit.MILLISECONDS);
    }

    /** Cuts all connections that go through. */
    void cut() throws IOException {
        synchronized (ends) {
            for (Socket end : ends) {
                end.close();
            }
            ends.clear();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }
}
