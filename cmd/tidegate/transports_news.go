package main

import (
	"log/slog"
	"sync"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop"
)

// newsPause is the time between two lines of the log about the same transport: losses may
// come by the thousand, and are told with their counts.
const newsPause = 10 * time.Second

// transportNews tells the log of losses and loops, as EMS's trace item RVADV does of the
// advisories of Rendezvous. All else of transports is in the log already.
type transportNews struct {
	log  *slog.Logger
	stop chan struct{}
	over chan struct{}
	wake chan struct{}

	mu   sync.Mutex // guards what follows
	some map[string]error
}

func newTransportNews(log *slog.Logger) *transportNews {
	return &transportNews{log: log, stop: make(chan struct{}), over: make(chan struct{}), wake: make(chan struct{}, 1), some: map[string]error{}}
}

// tell is interop.Options.Event. It takes the events of a transport together, and never
// waits: runners tell while they hold what Status wants.
func (n *transportNews) tell(e core.Event) {
	if e.Kind != core.EventTransportLost && e.Kind != core.EventTransportLoop {
		return
	}
	n.mu.Lock()
	if old, ok := n.some[e.Name]; !ok || old == nil || e.Kind == core.EventTransportLost {
		n.some[e.Name] = e.Err
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// follow writes what was told until close, at most once a newsPause.
func (n *transportNews) follow(status func(name string) (interop.Status, error)) {
	defer close(n.over)
	told := map[string]interop.Counts{}
	for {
		select {
		case <-n.wake:
		case <-n.stop:
			return
		}
		n.mu.Lock()
		some := n.some
		n.some = map[string]error{}
		n.mu.Unlock()
		for name, why := range some { // order: irrelevant
			s, err := status(name)
			if err != nil {
				delete(told, name)
				continue
			}
			n.write(name, told[name], s.Counts, why)
			told[name] = s.Counts
		}
		select {
		case <-time.After(newsPause):
		case <-n.stop:
			return
		}
	}
}

// write says what has come since, and what there was in all.
func (n *transportNews) write(name string, before, now interop.Counts, why error) {
	if now.LostOut < before.LostOut || now.LostIn < before.LostIn || now.LoopDropped < before.LoopDropped {
		before = interop.Counts{} // it began anew
	}
	if out, in := now.LostOut-before.LostOut, now.LostIn-before.LostIn; out+in > 0 {
		n.log.Warn("transport lost messages", "transport", name, "exporting", out, "importing", in, "total", now.LostOut+now.LostIn, "err", why)
	}
	if loops := now.LoopDropped - before.LoopDropped; loops > 0 {
		n.log.Warn("transport stopped messages that go in a circle", "transport", name, "messages", loops, "total", now.LoopDropped)
	}
}

func (n *transportNews) close() {
	close(n.stop)
	<-n.over
}
