package core

import "testing"

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
