package admin

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
)

// TestWhoMakesALoopHearsOfIt: a change that lets messages go round is made, and its answer
// names the way; any other change says what EMS's tool says.
func TestWhoMakesALoopHearsOfIt(t *testing.T) {
	const round = "\nWarning: a loop: topic a goes out by N, comes in by N to topic a: take import or export off one of them"
	o := newOffice(t, memory{"transports.conf": "[N]\n type=nats\n url=nats://h\n[R]\n type=amqp10\n url=amqp://h\n"})
	for _, row := range []struct{ line, answer, warned string }{
		{"create topic a export=N", "Topic 'a' has been created", ""},
		{"addprop topic a import=N", "Topic 'a' has been updated", round},
		{"addprop topic a maxmsgs=5", "Topic 'a' has been updated", round},
		{"removeprop topic a import", "Topic 'a' has been updated", ""},
		{"create queue in import=N", "Queue 'in' has been created", ""},
		{"create topic in export=N", "Topic 'in' has been created", ""},
		{"create bridge source=queue:in target=topic:a", "Bridge has been created", ""},
		{"create bridge source=queue:in target=topic:in", "Bridge has been created", "\nWarning: a loop: topic in goes out by N, comes in by N to queue in, is bridged to topic in: "},
	} {
		got := strings.TrimSpace(o.does(row.line))
		if !strings.HasPrefix(got, row.answer+row.warned) || row.warned == "" && got != row.answer {
			t.Errorf("%s: %q", row.line, got)
		}
	}
	o.refuses("create queue x.> import=R", core.Invalid, "a wildcard imports by transports of type nats, natsjs, tibrv or tibrvcm, and R is of type amqp10")
	o.refuses("create queue a export=N", core.Invalid, "queues are exported only by transports that allow it, and N does not")
}
