package amqp091

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/interop"
)

// maxShort is how long a name, a routing key and a property of AMQP 0-9-1 may be, in
// bytes (amqp 0-9-1 4.2.5.3).
const maxShort = 255

// reservedQueues begin the names that clients may not give to queues.
const reservedQueues = "amq."

// outside is where a destination's messages go: the exchange and the routing key.
func (c *settings) outside(d interop.Destination) (exchange, key string, err error) {
	key = c.prefix + d.Name
	if len(key) > maxShort {
		return "", "", fmt.Errorf("the name outside, %.60s…, has %d bytes, and AMQP 0-9-1 allows %d: shorten subject_prefix or the name", key, len(key), maxShort)
	}
	if d.Kind == interop.Topic {
		return c.exchange, key, nil
	}
	if strings.HasPrefix(key, reservedQueues) {
		return "", "", fmt.Errorf("the queue would be called %s there, and names that begin with %s belong to RabbitMQ: set subject_prefix", key, reservedQueues)
	}
	return "", key, nil
}

// inside is the queue here of a name outside.
func (c *settings) inside(queue string) string {
	if n, ok := strings.CutPrefix(queue, c.prefix); ok && n != "" {
		return n
	}
	return queue
}

// source is the queue outside whose messages come in for a destination, and the routing
// key that it is bound by; "" for queues.
func (c *settings) source(d interop.Destination) (queue, binding string, err error) {
	if name.IsWildcard(d.Name) {
		return "", "", fmt.Errorf("wildcards cannot be imported by transports of type amqp091: name the destinations")
	}
	_, key, err := c.outside(d)
	if err != nil || d.Kind != interop.Topic {
		return key, "", err
	}
	for e := range strings.SplitSeq(key, ".") {
		if e == "#" || e == "*" {
			return "", "", fmt.Errorf("RabbitMQ would take %s in %s for a wildcard: rename the topic, or do not import it", e, key)
		}
	}
	return ownQueue(c.owner, d.Name), key, nil
}

// ownQueue names the queue that keeps what comes for a topic: the same in each life,
// and this transport's alone. A name that is too long ends with a sum of it.
func ownQueue(owner, topic string) string {
	n := "ems." + owner + "." + topic
	if len(n) <= maxShort {
		return n
	}
	sum := sha256.Sum256([]byte(n))
	return strings.ToValidUTF8(n[:200], "") + "~" + hex.EncodeToString(sum[:12])
}
