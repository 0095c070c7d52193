package core

import (
	"errors"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/selector"
)

// subscription is what stands between a topic and a queue of its messages.
type subscription struct {
	key      string // "" for a consumer's own
	clientID string
	name     string
	text     string // selector
	selector *selector.Selector
	broken   error // why text, of an earlier version, is no selector: it wants nothing; nil: it is one
	noLocal  bool
	durable  bool
	shared   bool
	global   bool
	conn     *conn // of an unnamed one: for noLocal
	queue    *queue
	listens  listens
	wild     bool    // its topic is a wildcard
	details  details // by topic, if it is
	barred   bool    // its user has no right to it: it gets nothing
	roams    bool    // a wildcard whose right is asked for each topic
}

// SubscriptionInfo is a named subscription as others see it.
type SubscriptionInfo struct {
	ClientID  string `json:"clientId,omitempty"`
	Name      string `json:"name"`
	Topic     string `json:"topic"`
	Selector  string `json:"selector,omitempty"`
	NoLocal   bool   `json:"noLocal,omitempty"`
	Durable   bool   `json:"durable"`
	Shared    bool   `json:"shared,omitempty"`
	Global    bool   `json:"global,omitempty"`
	Messages  int    `json:"messages"`
	Consumers int    `json:"consumers"`
}

func (s *subscription) info() SubscriptionInfo {
	return SubscriptionInfo{
		ClientID: s.clientID, Name: s.name, Topic: s.queue.dest.Name, Selector: s.text, NoLocal: s.noLocal,
		Durable: s.durable, Shared: s.shared, Global: s.global, Messages: s.queue.depth, Consumers: len(s.queue.consumers),
	}
}

// subscriptionKey is the identity of a named subscription (reference 3.8):
// shared volatile ones have a name space of their own, durable ones, shared or
// not, share one per client id.
func subscriptionKey(clientID string, o SubscriptionOptions) string {
	kind := "v"
	if o.Durable {
		kind = "d"
	}
	if o.Global {
		return kind + "g\x00" + o.Name
	}
	return kind + "c\x00" + clientID + "\x00" + o.Name
}

// subscribe gives the queue behind a topic consumer.
func (b *Broker) subscribe(c *conn, o ConsumerOptions, sel *selector.Selector, fx *Effects) (*queue, error) {
	d := o.Destination
	if t := b.topics[d.Name]; strings.HasPrefix(d.Name, TemporaryPrefix) {
		if t == nil {
			return nil, &Error{Op: "receive from", Kind: NotFound, Name: d.Name}
		}
		if t.temp != c && !t.open {
			return nil, &Error{Op: "receive from", Kind: Conflict, Name: d.Name, Err: errors.New("only the connection that made it may consume from it")}
		}
		if o.Subscription != nil && o.Subscription.Durable { // not found: what JMS wants is an invalid destination (jms 8.3.3)
			return nil, &Error{Op: "subscribe", Kind: NotFound, Name: o.Subscription.Name, Err: errors.New("a temporary topic has no durable subscriptions")}
		}
	}
	s := &subscription{text: o.Selector, selector: sel, noLocal: o.NoLocal, conn: c, clientID: c.clientID}
	var old *subscription
	if so := o.Subscription; so != nil {
		s.key, s.name, s.durable, s.shared, s.global = subscriptionKey(c.clientID, *so), so.Name, so.Durable, so.Shared, so.Global
		if s.global {
			s.clientID = ""
		}
		old = b.subs[s.key]
	}
	same := old != nil && old.queue.dest.Name == d.Name && old.text == s.text && old.noLocal == s.noLocal && old.shared == s.shared
	if err := b.maySubscribe(s, d, same); err != nil {
		return nil, err
	}
	if b.topics[d.Name] == nil && !name.IsWildcard(d.Name) {
		if err := b.mayCreate("receive from", c, d); err != nil {
			return nil, err
		}
	}
	if old == nil {
		return b.addSubscription(s, d, fx), nil
	}
	if len(old.queue.consumers) > 0 && (!old.shared || !s.shared) {
		return nil, &Error{Op: "subscribe", Kind: Conflict, Name: s.name, Err: errors.New("the subscription has an active consumer")}
	}
	if old.durable && old.shared != s.shared { // never taken for a change of the old one (jms 8.3.4)
		return nil, &Error{Op: "subscribe", Kind: Conflict, Name: s.name, Err: errors.New("the durable subscription of that name is shared where this one is not, or the other way round: unsubscribe it first")}
	}
	if same {
		return old.queue, nil
	}
	if len(old.queue.consumers) > 0 {
		return nil, &Error{Op: "subscribe", Kind: Conflict, Name: s.name, Err: errors.New("the subscription is in use with another topic or selector")}
	}
	b.endSubscription(old, fx) // changed: as if deleted and made again (jms 8.3.3)
	return b.addSubscription(s, d, fx), nil
}

// maySubscribe asks for the right that a topic consumer needs, for a durable
// subscription that is there as it is only to use it. A wildcard's that is neither
// durable nor shared is asked for each topic (ems 6.4).
func (b *Broker) maySubscribe(s *subscription, d Destination, same bool) error {
	need := MaySubscribe
	switch {
	case s.durable && same:
		need = MayUseDurable
	case s.durable:
		need = MayDurable
	case !s.shared && name.IsWildcard(d.Name):
		return nil
	}
	if err := b.denied(s.conn, "receive from", need, d); err != nil {
		return err
	}
	return nil
}

func (b *Broker) addSubscription(s *subscription, d Destination, fx *Effects) *queue {
	d.Kind = Topic
	if s.durable {
		id := b.newQueueID()
		b.emit(Record{Kind: RecSubscription, Need: b.o.StoreNeed, Define: &Definition{
			Queue: id, Destination: d, Client: s.clientID, Name: s.name, Selector: s.text, NoLocal: s.noLocal, Shared: s.shared, Global: s.global,
		}}, fx)
		return b.byID[id]
	}
	b.topic(d.Name)
	q := b.addQueue(b.newQueueID(), d)
	b.attachSubscription(q, s)
	return q
}

func (b *Broker) attachSubscription(q *queue, s *subscription) {
	s.queue, q.sub = q, s
	if s.durable {
		b.durables++
	}
	b.listen(q)
	// a replay may meet the definition of a deleted predecessor after the newer
	// one that a checkpoint brought
	if old := b.subs[s.key]; s.key != "" && (old == nil || old.queue.id < q.id) {
		b.subs[s.key] = s
	}
}

// leave: what is not durable goes with its last consumer.
func (b *Broker) leave(s *subscription, fx *Effects) {
	if !s.durable && len(s.queue.consumers) == 0 {
		b.endSubscription(s, fx)
	}
}

func (b *Broker) endSubscription(s *subscription, fx *Effects) {
	if s.key != "" {
		delete(b.subs, s.key)
	}
	b.deleteQueue(s.queue, fx)
}

// Subscription looks up a durable subscription by name: the client's own, or a
// global one.
func (b *Broker) Subscription(clientID, name string, global bool) (SubscriptionInfo, bool) {
	s := b.subs[subscriptionKey(clientID, SubscriptionOptions{Name: name, Durable: true, Global: global})]
	if s == nil {
		return SubscriptionInfo{}, false
	}
	return s.info(), true
}

// Unsubscribe deletes a durable subscription with what it holds. Errors:
// NotFound; Conflict while it has consumers.
func (b *Broker) Unsubscribe(_ time.Time, clientID, name string, global bool, fx *Effects) error {
	s := b.subs[subscriptionKey(clientID, SubscriptionOptions{Name: name, Durable: true, Global: global})]
	if s == nil {
		return &Error{Op: "unsubscribe", Kind: NotFound, Name: name}
	}
	if len(s.queue.consumers) > 0 {
		return &Error{Op: "unsubscribe", Kind: Conflict, Name: name, Err: errors.New("it has an active consumer")}
	}
	b.endSubscription(s, fx)
	return nil
}
