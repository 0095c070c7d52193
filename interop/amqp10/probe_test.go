package amqp10_test

import (
	"slices"
	"testing"

	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/amqp10"
)

// TestProbe: each broker is found to do what it does, and no more is left of the probe
// than it was asked.
func TestProbe(t *testing.T) {
	all := func(product string, most uint64) amqp10.Probe {
		return amqp10.Probe{
			Product: product, MaxMessage: most, Dynamic: amqp10.Yes, Selector: amqp10.Yes, Copy: amqp10.Yes,
			Durable: amqp10.Yes, TTL: amqp10.Yes, Exact: amqp10.Yes,
		}
	}
	for _, c := range []struct {
		name string
		url  func(t *testing.T) string
		want amqp10.Probe
	}{
		{"Tidegate", func(t *testing.T) string { return startTidegate(t).url }, all("Tidegate", mostOfTidegate)},
		{"Artemis", func(t *testing.T) string { return peers.Artemis(t, "", peers.Options{}).URL() }, all("apache-activemq-artemis", 0)},
		{"ActiveMQ", func(t *testing.T) string { return peers.ActiveMQ(t, "", peers.Options{}).URL() }, all("ActiveMQ", 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := amqp10.Run(t.Context(), interop.Settings{Name: "T", Server: "S", Gateway: "G", Keys: map[string]string{"url": c.url(t)}})
			if err != nil {
				t.Fatal(err)
			}
			if p.Version == "" || p.MaxFrame == 0 || p.IdleTimeOut == 0 || !slices.Contains(p.Offered, "ANONYMOUS-RELAY") {
				t.Errorf("what it says of itself is missing: %+v", p)
			}
			c.want.Version, c.want.MaxFrame, c.want.IdleTimeOut, c.want.Offered = p.Version, p.MaxFrame, p.IdleTimeOut, p.Offered
			if got, want := p, c.want; !slices.Equal(got.Notes(), want.Notes()) || got.Note != "" || got.Selector != want.Selector || got.Copy != want.Copy ||
				got.Dynamic != want.Dynamic || got.Durable != want.Durable || got.TTL != want.TTL || got.Exact != want.Exact || got.MaxMessage != want.MaxMessage {
				t.Errorf("%+v, not %+v", got, want)
			}
		})
	}
}
