package core

import (
	"errors"
	"testing"
)

// TestAnEndThatSomebodyHearsOfIsAsDurableAsAMessage: who deletes a subscription
// is told, and must not find it again after the power failed.
func TestAnEndThatSomebodyHearsOfIsAsDurableAsAMessage(t *testing.T) {
	for _, need := range []Need{Write, Sync} {
		e := newEnv()
		e.b.o.StoreNeed = need
		c, _ := e.b.Connect(e.now, ConnectOptions{ClientID: "x"}, &e.fx)
		k, err := e.b.OpenConsumer(e.now, c, ConsumerOptions{
			Destination: Destination{Kind: Topic, Name: "t"}, Subscription: &SubscriptionOptions{Name: "s", Durable: true},
		}, &e.fx)
		if err != nil {
			t.Fatal(err)
		}
		e.b.CloseConsumer(e.now, k, &e.fx)
		if err := e.b.Unsubscribe(e.now, "x", "s", false, &e.fx); err != nil {
			t.Fatal(err)
		}
		if last := e.fx.Records[len(e.fx.Records)-1]; last.Kind != RecDelete || last.Need != need {
			t.Errorf("a store that needs %d records %+v", need, last)
		}
	}
}

// TestDurablesSharedAndNotShareOneSetOfNames: one is never taken for a change of
// the other, used or not (jms 8.3.4).
func TestDurablesSharedAndNotShareOneSetOfNames(t *testing.T) {
	for _, shared := range []bool{false, true} {
		e := newEnv()
		c, _ := e.b.Connect(e.now, ConnectOptions{ClientID: "x"}, &e.fx)
		open := func(o SubscriptionOptions) (ConsumerID, error) {
			return e.b.OpenConsumer(e.now, c, ConsumerOptions{Destination: Destination{Kind: Topic, Name: "t"}, Subscription: &o}, &e.fx)
		}
		k, err := open(SubscriptionOptions{Name: "s", Durable: true, Shared: shared})
		if err != nil {
			t.Fatal(err)
		}
		e.b.CloseConsumer(e.now, k, &e.fx)
		_, err = open(SubscriptionOptions{Name: "s", Durable: true, Shared: !shared})
		var refused *Error
		if !errors.As(err, &refused) || refused.Kind != Conflict {
			t.Errorf("shared %v beside shared %v: %v, want a conflict", !shared, shared, err)
		}
		if s, found := e.b.Subscription("x", "s", false); !found || s.Shared != shared {
			t.Errorf("what was there is now %+v (%v)", s, found)
		}
		if _, err := open(SubscriptionOptions{Name: "s", Shared: true}); err != nil {
			t.Errorf("one that is not durable is another matter: %v", err)
		}
		if err := e.b.Unsubscribe(e.now, "x", "s", false, &e.fx); err != nil {
			t.Fatal(err)
		}
		if _, err := open(SubscriptionOptions{Name: "s", Durable: true, Shared: !shared}); err != nil {
			t.Errorf("once it is unsubscribed the name is free: %v", err)
		}
	}
}

// TestTemporaryTopicHasNoDurableSubscription, which would outlive it.
func TestTemporaryTopicHasNoDurableSubscription(t *testing.T) {
	e := newEnv()
	c, _ := e.b.Connect(e.now, ConnectOptions{ClientID: "x"}, &e.fx)
	d, err := e.b.CreateTemporary(e.now, c, Topic, &e.fx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.b.OpenConsumer(e.now, c, ConsumerOptions{Destination: d, Subscription: &SubscriptionOptions{Name: "s", Durable: true}}, &e.fx)
	var refused *Error
	if !errors.As(err, &refused) || refused.Kind != NotFound {
		t.Errorf("%v, want not found", err)
	}
	if _, found := e.b.Subscription("x", "s", false); found {
		t.Error("the subscription is there all the same")
	}
}
