package core

import (
	"errors"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core/property"
)

// definitions are what an administrator says of destinations (ems 2, 3.1): static
// ones, and wildcards from which others inherit. A policy is compiled when it is
// first asked for, and anew after a change.
type definitions struct {
	queues, topics *property.Tree
	// rule: the definitions say what clients may bring into being, unless
	// Options.MayCreate does.
	rule    bool
	changes uint64 // counts them; never 0, so that 0 is "not compiled yet"
	stores  map[string]Need
}

func newDefinitions() definitions {
	return definitions{queues: property.NewTree(property.Queue), topics: property.NewTree(property.Topic), changes: 1}
}

func (d *definitions) tree(k DestinationKind) *property.Tree {
	if k == Topic {
		return d.topics
	}
	return d.queues
}

// Configuration is what a server's files say of its destinations. Names and sets
// were checked (property.CheckName, property.CheckSet).
type Configuration struct {
	Queues, Topics []property.Definition
	// Stores says what a persistent message waits for in a store (ems 12.1): Sync or
	// Write. A store that is not named is as the broker's Options say; nil: all are.
	Stores map[string]Need
}

// Configure defines all destinations of a configuration, once, after Recovered. From
// then on definitions say what may be created by being used. It answers with the
// queues that were static, are defined no longer, and hold messages: they live on
// as dynamic ones. Errors: Invalid for definitions that contradict each other;
// those are left out.
func (b *Broker) Configure(now time.Time, c Configuration, fx *Effects) (orphans []QueueInfo, err error) {
	b.defined.rule, b.defined.stores = true, c.Stores
	var wrong []error
	for i := range c.Queues {
		wrong = append(wrong, b.define(Queue, c.Queues[i]))
	}
	for i := range c.Topics {
		wrong = append(wrong, b.define(Topic, c.Topics[i]))
	}
	for _, n := range sortedKeys(b.queues) {
		q := b.queues[n]
		if q.static {
			if q.recorded {
				b.record(q, fx)
			}
			continue
		}
		if q.wasStatic && q.depth > 0 {
			orphans = append(orphans, q.info())
			b.record(q, fx)
		}
		b.dropIdle(q, fx)
	}
	b.defined.changes++
	b.policiesChanged(now, fx)
	return orphans, errors.Join(wrong...)
}

// SetDefinition makes a static destination or a wildcard, or changes the properties of the
// one that has its name. A dynamic queue of that name becomes static, with what it
// holds. Errors: Invalid where it contradicts another definition (ems 2.2: store,
// channel).
func (b *Broker) SetDefinition(now time.Time, k DestinationKind, d property.Definition, fx *Effects) error {
	if err := b.define(k, d); err != nil {
		return err
	}
	if q := b.queues[d.Name]; k == Queue && q != nil && q.recorded {
		b.record(q, fx)
	}
	b.policiesChanged(now, fx)
	return nil
}

func (b *Broker) define(k DestinationKind, d property.Definition) error {
	if err := b.defined.tree(k).Put(d); err != nil {
		return &Error{Op: "define", Kind: Invalid, Name: d.Name, Err: err}
	}
	b.defined.changes++
	switch {
	case d.Wildcard():
	case k == Topic:
		if t := b.topic(d.Name); !t.static {
			t.static = true
			b.staticTopics++
		}
	default:
		q := b.queues[d.Name]
		if q == nil {
			q = b.addQueue(b.newQueueID(), Destination{Kind: Queue, Name: d.Name})
		}
		if !q.static {
			q.static = true
			b.staticQueues++
		}
	}
	return nil
}

// RemoveDefinition takes a definition away. A static destination is deleted with all it
// holds, as Delete does it; those that inherited from a wildcard stay as long as
// they are used. What always exists only loses its properties. Errors: NotFound.
func (b *Broker) RemoveDefinition(now time.Time, d Destination, fx *Effects) error {
	def, ok := b.defined.tree(d.Kind).Get(d.Name)
	if !ok {
		return &Error{Op: "delete", Kind: NotFound, Name: d.Name}
	}
	if !def.Wildcard() && !b.always(d) {
		if err := b.Delete(now, d, fx); err != nil {
			return err
		}
	} else {
		b.defined.tree(d.Kind).Delete(d.Name)
		b.defined.changes++
	}
	b.policiesChanged(now, fx)
	return nil
}

// always says whether a destination can be neither made nor deleted (ems 3.2).
func (b *Broker) always(d Destination) bool {
	return d.Kind == Queue && property.IsSystem(property.Queue, d.Name)
}

// policiesChanged does at once what a change of policies asks for where nothing may
// come that would look: consumers of exclusive queues, producers that wait.
func (b *Broker) policiesChanged(now time.Time, fx *Effects) {
	b.consumers.each(func(k *consumer) {
		if !k.suspended && k.queue.sub == nil {
			b.policy(k.queue)
		}
	})
	b.resumeFlow(fx)
	if b.o.Authority != nil { // what is secure
		b.rightsChanged()
	}
	b.dispatchTouched(now, fx)
	if b.o.Authority != nil {
		b.consumers.each(func(k *consumer) { b.answerDrain(k, fx) })
	}
}

// policy is what holds for a queue, or for a subscription's topic.
func (b *Broker) policy(q *queue) *property.Policy {
	if q.policyAt != b.defined.changes {
		b.compile(q)
	}
	return q.policy
}

// compile works out a queue's policy and what hangs on it.
func (b *Broker) compile(q *queue) {
	q.policyAt = b.defined.changes
	switch {
	case q.holds.Kind != 0:
		p := b.defined.tree(q.holds.Kind).Policy(q.holds.Name).Delayed()
		q.policy = &p
	case q.dest.Kind == Topic:
		q.policy = b.defined.topics.Policy(q.dest.Name)
	default:
		q.policy = b.defined.queues.Policy(q.dest.Name)
	}
	if q.outlets = nil; q.sub == nil && q.holds.Kind == 0 {
		q.outlets = b.outlets(q.dest)
	}
	q.need = b.storeNeed(q.policy.Store)
	q.traces = q.policy.Trace != property.TraceOff
	q.prefetch = 0
	if !q.policy.PrefetchDefault {
		q.prefetch = max(q.policy.Prefetch, 1) // none is one for each receive
	}
	b.setExclusive(q, q.policy.Exclusive && q.sub == nil)
}

// topicPolicy is policy for what is sent to a topic.
func (b *Broker) topicPolicy(t *topic) *property.Policy {
	if t.policyAt != b.defined.changes {
		t.policyAt, t.policy = b.defined.changes, b.defined.topics.Policy(t.name)
		t.outlets = b.outlets(Destination{Kind: Topic, Name: t.name})
		t.exporters = b.exportersOf(t.name, t.policy.Export)
	}
	return t.policy
}

// storeNeed says what a persistent message waits for in a store.
func (b *Broker) storeNeed(store string) Need {
	if need, ok := b.defined.stores[store]; ok {
		return max(need, Write)
	}
	return b.o.StoreNeed
}

// creatable says whether a client may bring a destination into being, as far as
// definitions and Options say.
func (b *Broker) creatable(d Destination) bool {
	if b.o.MayCreate != nil {
		return b.o.MayCreate(d)
	}
	return !b.defined.rule || b.defined.tree(d.Kind).Creatable(d.Name)
}

// isStatic says whether a destination is one that an administrator defined, or one
// that always exists.
func (b *Broker) isStatic(d Destination) bool {
	if b.always(d) {
		return true
	}
	if d.Kind == Topic {
		t := b.topics[d.Name]
		return t != nil && t.static
	}
	q := b.queues[d.Name]
	return q != nil && q.static
}

// reserved says whether a name belongs to the server.
func reserved(n string) bool { return strings.HasPrefix(n, "$sys.") }
