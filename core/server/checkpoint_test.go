package server

import (
	"iter"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/persist/record"
)

// tape is a journal that only counts, and at which something else may happen
// before a checkpoint has asked for what changed.
type tape struct {
	Journal
	last    uint64
	between func()
	keys    map[uint64]uint64
}

func (t *tape) Append(recs []record.Record) uint64 {
	t.last += uint64(len(recs))
	return t.last
}
func (t *tape) Stable() (uint64, uint64)                        { return t.last, t.last }
func (t *tape) Release(uint64, []uint64)                        {}
func (t *tape) Replay(func(uint64, record.Record) error) error  { return nil }
func (t *tape) Retain(iter.Seq[uint64])                         {}
func (t *tape) Bytes(uint64) (head []byte, b [][]byte, ok bool) { return nil, nil, false }
func (t *tape) Checkpoint(drive func(func(key, at uint64, recs []record.Record))) {
	t.between()
	drive(func(key, at uint64, _ []record.Record) { t.keys[key] = at })
}

// TestACheckpointHoldsWhatChangedAsItBegan: what changes between the call and
// the journal's begin belongs to the checkpoint, which stands for that moment.
func TestACheckpointHoldsWhatChangedAsItBegan(t *testing.T) {
	j := &tape{keys: map[uint64]uint64{}}
	s, err := New(j, Options{Make: func(message.Format, [][]byte) (message.Content, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := s.Attach(core.ConnectOptions{}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	j.between = func() {
		c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			p, _, err := b.OpenProducer(now, c.ID(), core.ProducerOptions{Destination: core.Destination{Kind: core.Queue, Name: "q"}}, fx)
			if err != nil {
				t.Fatal(err)
			}
			b.Publish(now, p, core.Send{Settled: true}, message.Envelope{Durable: true, Content: bytesContent("x")}, fx)
		})
	}
	s.Checkpoint()
	if at, ok := j.keys[1]; !ok || at != j.last {
		t.Errorf("the checkpoint has the keys %v; want queue 1 at %d", j.keys, j.last)
	}
}
