package org.tidegate.e2e.jms;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks the methods of a chapter that docs/jms.md names as CLASS.METHOD. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface Scenario {
    /** Whether it wants a server that is set up for it: a test of its own runs it, and it is not among the names. */
    boolean special() default false;
}
