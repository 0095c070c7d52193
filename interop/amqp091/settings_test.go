package amqp091

import (
	"strings"
	"testing"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
)

// TestSettings: what a section says wrongly is named by its key, with the way to mend it,
// and without its password.
func TestSettings(t *testing.T) {
	for _, c := range []struct{ key, value, says string }{
		{"url", "", "write url = amqp://"},
		{"url", "http://h/", "write amqp://"},
		{"url", "amqp://u:secret pass@h/", "cannot be read"},
		{"encoding", "msgpack", "headers, ems-json or raw"},
		{"exchange", strings.Repeat("e", 256), "255"},
		{"queue_type", "stream", "classic or quorum"},
		{"prefetch", "0", "from 1 to 65535"},
		{"prefetch", "many", "from 1 to 65535"},
		{"temp_destination_timeout", "-1", "from 1 to"},
		{"export_headers", "perhaps", "write true or false"},
		{"export_properties", "2", "write true or false"},
	} {
		_, err := newTransport(interop.Settings{Name: "R", Keys: map[string]string{"url": "amqp://h/", c.key: c.value}})
		if c.value == "" {
			_, err = newTransport(interop.Settings{Name: "R", Keys: map[string]string{}})
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.key) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s = %.40s: the error is %v, and should name the key and say %q", c.key, c.value, err, c.says)
		}
	}
	s, err := parse(interop.Settings{Name: "R", Server: "S", Keys: map[string]string{"url": "amqp://a/v, amqps://u:p@b/v"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.urls) != 2 || s.tls == nil || s.exchange != "ems.topic" || s.queueType != "quorum" || s.prefetch != 1000 || s.lease != 600 || s.owner != "S.R" {
		t.Errorf("the defaults are %+v", s)
	}
}

// TestNames: the same names on both sides, but for the prefix; what AMQP 0-9-1 or
// RabbitMQ would take for something else is refused.
func TestNames(t *testing.T) {
	s := &settings{prefix: "p.", exchange: "x", owner: "S.R"}
	for _, c := range []struct {
		to               interop.Destination
		exchange, key    string
		source, binding  string
		outBad, importNo bool
	}{
		{to: topic("a.b"), exchange: "x", key: "p.a.b", source: "ems.S.R.a.b", binding: "p.a.b"},
		{to: queue("a.b"), key: "p.a.b", source: "p.a.b"},
		{to: topic("a.#"), exchange: "x", key: "p.a.#", importNo: true},
		{to: topic("a.*"), exchange: "x", key: "p.a.*", importNo: true},
		{to: queue("a.>"), key: "p.a.>", importNo: true},
		{to: topic("#a.b"), exchange: "x", key: "p.#a.b", source: "ems.S.R.#a.b", binding: "p.#a.b"},
		{to: queue(strings.Repeat("q", 254)), outBad: true, importNo: true},
	} {
		exchange, key, err := s.outside(c.to)
		if (err != nil) != c.outBad || exchange != c.exchange || key != c.key {
			t.Errorf("%v goes to %q by %q, %v", c.to, exchange, key, err)
		}
		source, binding, err := s.source(c.to)
		if (err != nil) != c.importNo || source != c.source || binding != c.binding {
			t.Errorf("%v comes from %q by %q, %v", c.to, source, binding, err)
		}
	}
	if _, _, err := (&settings{}).outside(queue("amq.gen-1")); err == nil || !strings.Contains(err.Error(), "subject_prefix") {
		t.Errorf("a queue in RabbitMQ's own names: %v", err)
	}
	if n := s.inside("p.a"); n != "a" {
		t.Errorf("p.a is %s here", n)
	}
	if n := s.inside("amq.gen-1"); n != "amq.gen-1" {
		t.Errorf("a name without the prefix is %s here", n)
	}
}

// TestOwnQueue: the queue of an imported topic has a name that fits, is its own, and stays.
func TestOwnQueue(t *testing.T) {
	long := strings.Repeat("ü", 120)
	seen := map[string]bool{}
	for _, topic := range []string{"a", long + "1", long + "2"} {
		n := ownQueue("S.R", topic)
		if len(n) > maxShort || !utf8.ValidString(n) || seen[n] || n != ownQueue("S.R", topic) {
			t.Errorf("topic %s has queue %q", topic, n)
		}
		seen[n] = true
	}
}

// TestLargest: the limit is read in the words of RabbitMQ's versions.
func TestLargest(t *testing.T) {
	for reason, want := range map[string]int64{
		"PRECONDITION_FAILED - message size 134217729 is larger than configured max size 134217728": 134217728,
		"PRECONDITION_FAILED - message size 20 is larger than the configured max size 16":           16,
		"PRECONDITION_FAILED - inequivalent arg 'x-queue-type'":                                     0,
	} {
		if got, _ := largest(explain(&amqp.Error{Code: amqp.PreconditionFailed, Reason: reason})); got != want {
			t.Errorf("%s: the limit is %d, want %d", reason, got, want)
		}
	}
}
