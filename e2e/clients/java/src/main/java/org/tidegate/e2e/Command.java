package org.tidegate.e2e;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/** One line of input, and the way its events go out. */
final class Command {
    private final JsonObject fields;

    Command(JsonObject fields) {
        this.fields = fields;
    }

    boolean has(String name) {
        return fields.has(name) && !fields.get(name).isJsonNull();
    }

    String text(String name, String otherwise) {
        return has(name) ? fields.get(name).getAsString() : otherwise;
    }

    long number(String name, long otherwise) {
        return has(name) ? fields.get(name).getAsLong() : otherwise;
    }

    boolean flag(String name, boolean otherwise) {
        return has(name) ? fields.get(name).getAsBoolean() : otherwise;
    }

    JsonElement element(String name) {
        return fields.get(name);
    }

    JsonObject object(String name) {
        return has(name) ? fields.getAsJsonObject(name) : new JsonObject();
    }

    /** Tells that a link is attached, and to what. */
    void attached(String address) {
        JsonObject event = new JsonObject();
        event.addProperty("address", address);
        event("attached", event);
    }

    /** Writes one event as one whole line. */
    void event(String name, JsonObject event) {
        event.add("id", fields.get("id"));
        event.addProperty("event", name);
        synchronized (Command.class) {
            System.out.println(event);
            System.out.flush();
        }
    }
}
