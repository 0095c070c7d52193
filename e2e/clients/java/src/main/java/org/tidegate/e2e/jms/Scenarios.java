package org.tidegate.e2e.jms;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/**
 * The JMS program: what a clause of the specification asks for, each scenario against a server that it knows by its URL
 * alone. docs/jms.md lists the clauses.
 */
public final class Scenarios {
    private static final List<Class<? extends Chapter>> CHAPTERS = List.of(Headers.class, Properties.class, Bodies.class,
            Selectors.class, Connections.class, Acknowledgement.class, Transactions.class, Producers.class, Delays.class, Consumers.class,
            Browsers.class, Temporaries.class, Subscriptions.class, Simplified.class, Permissions.class);

    private Scenarios() {
    }

    /** All scenarios that any server will do for, as CLASS.METHOD. */
    public static List<String> names() {
        List<String> all = new ArrayList<>();
        for (Class<?> chapter : CHAPTERS) {
            for (Method m : chapter.getDeclaredMethods()) {
                if (m.isAnnotationPresent(Scenario.class) && !m.getAnnotation(Scenario.class).special()) {
                    all.add(chapter.getSimpleName() + "." + m.getName());
                }
            }
        }
        all.sort(null);
        return all;
    }

    /** Runs one scenario. What it throws begins with the place in its source. */
    public static void run(String url, String name) throws Exception {
        for (Class<? extends Chapter> chapter : CHAPTERS) {
            if (!name.startsWith(chapter.getSimpleName() + ".")) {
                continue;
            }
            Method scenario = chapter.getDeclaredMethod(name.substring(name.indexOf('.') + 1));
            if (!scenario.isAnnotationPresent(Scenario.class)) {
                break;
            }
            try (Chapter c = chapter.getDeclaredConstructor().newInstance()) {
                c.begin(url, "jms." + name);
                scenario.invoke(c);
            } catch (InvocationTargetException e) {
                throw new IllegalStateException(place(e.getCause(), chapter), e.getCause());
            }
            return;
        }
        throw new IllegalArgumentException("there is no scenario " + name);
    }

    private static String place(Throwable e, Class<?> chapter) {
        for (StackTraceElement at : e.getStackTrace()) {
            if (at.getClassName().startsWith(chapter.getName())) {
                return at.getFileName() + ":" + at.getLineNumber();
            }
        }
        return chapter.getSimpleName();
    }
}
