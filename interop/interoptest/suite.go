package interoptest

import (
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// Run holds a type of transport to everything that transports promise.
func Run(t *testing.T, k Kit) {
	for _, c := range []struct {
		name string
		run  func(s *suite)
	}{
		{"Export", (*suite).export},
		{"ExportOfQueue", (*suite).exportOfQueue},
		{"ExportInOrder", (*suite).exportInOrder},
		{"ExportLarge", (*suite).exportLarge},
		{"ExportTooLarge", (*suite).exportTooLarge},
		{"ExportExpires", (*suite).exportExpires},
		{"Import", (*suite).imports},
		{"ImportInOrder", (*suite).importInOrder},
		{"ImportOfWildcards", (*suite).importOfWildcards},
		{"ImportOfTopic", (*suite).importOfTopic},
		{"ImportLarge", (*suite).importLarge},
		{"ImportUnreadable", (*suite).importUnreadable},
		{"ImportConfirmedWhenDurable", (*suite).importConfirmedWhenDurable},
		{"RepliesComeBack", (*suite).repliesComeBack},
		{"RepliesToAName", (*suite).repliesToAName},
		{"SessionCut", (*suite).sessionCut},
		{"PeerKilled", (*suite).peerKilled},
		{"GatewayRestarted", (*suite).gatewayRestarted},
		{"LoopOfOneTopic", (*suite).loopOfOneTopic},
		{"LoopOfTwoGateways", (*suite).loopOfTwoGateways},
		{"SuspendAndResume", (*suite).suspendAndResume},
		{"EditedWhileLive", (*suite).editedWhileLive},
		{"OneBrokenOneNot", (*suite).oneBrokenOneNot},
		{"WrongSettings", (*suite).wrongSettings},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(goroutines(t)) // after the cleanups of the case
			c.run(&suite{T: t, Kit: k})
		})
	}
}

// suite is one case of one type.
type suite struct {
	*testing.T
	Kit
}

// serial makes names that no other case of the process has.
var serial atomic.Int64

// name makes a destination's or transport's name.
func (s *suite) name(what string) string {
	word, _, _ := strings.Cut(s.Name()[strings.LastIndexByte(s.Name(), '/')+1:], "#")
	return fmt.Sprintf("%s%d.%s", word, serial.Add(1), what)
}

func (s *suite) queue(what string) interop.Destination {
	return interop.Destination{Kind: core.Queue, Name: s.name(what)}
}

func (s *suite) topic(what string) interop.Destination {
	return interop.Destination{Kind: core.Topic, Name: s.name(what)}
}

// gateway starts one that knows the type.
func (s *suite) gateway(p Peer, name string) *Gateway {
	s.Helper()
	return NewGateway(s.T, GatewayOptions{Name: name, Factories: []interop.Factory{s.Factory}, Shared: p.Shared()})
}

// spec is a transport to a peer.
func (s *suite) spec(p Peer, more ...string) interop.Spec {
	k := keys(s.Keys, p.Keys())
	for i := 0; i < len(more); i += 2 {
		k[more[i]] = more[i+1]
	}
	name := strings.ReplaceAll(s.name("T"), ".", "")
	return interop.Spec{Name: name, Type: s.Factory.Type, Keys: k}
}

func with(k map[string]string, key, value string) map[string]string {
	k = maps.Clone(k)
	k[key] = value
	return k
}

// each runs a case for each encoding.
func (s *suite) each(run func(s *suite, e translate.Encoding)) {
	for _, e := range s.Encodings {
		s.T.Run(e.String(), func(t *testing.T) {
			k := s.Kit
			k.Keys = with(keys(k.Keys), "encoding", e.String())
			run(&suite{T: t, Kit: k}, e)
		})
	}
}

// exporting starts a gateway with one topic that goes out, and hears it outside.
func (s *suite) exporting(p Peer, more ...string) (g *Gateway, spec interop.Spec, to interop.Destination, box Mailbox) {
	s.Helper()
	g, spec, to = s.gateway(p, "gw"), s.spec(p, more...), s.topic("out")
	spec.Exports = []interop.Destination{to}
	g.Topic(to.Name, spec.Name)
	g.Connected(spec)
	return g, spec, to, p.Listen(s.T, to)
}

// importing starts a gateway that brings messages into one queue, and receives them.
func (s *suite) importing(p Peer, more ...string) (g *Gateway, spec interop.Spec, to interop.Destination, r *Receiver) {
	s.Helper()
	g, spec, to = s.gateway(p, "gw"), s.spec(p, append([]string{"queue_import_dm", "TIBEMS_PERSISTENT"}, more...)...), s.queue("in")
	spec.Imports = []interop.Destination{to}
	g.Connected(spec)
	return g, spec, to, g.Receive(to)
}

// mail makes what the peer publishes of messages.
func (s *suite) mail(all []*translate.Message) []*Mail {
	mail := make([]*Mail, len(all))
	for i := range all {
		mail[i] = &Mail{Encoding: s.encoding(), Fields: *all[i]}
	}
	return mail
}

func (s *suite) encoding() translate.Encoding {
	e, err := translate.ParseEncoding(s.Keys["encoding"])
	if err != nil {
		s.Fatal(err)
	}
	return e
}
