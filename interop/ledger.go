package interop

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
)

// ledgerRows is how many batches a ledger remembers at least. What the outside gives again was
// under way when something broke, no more than prefetch messages: four times as many rows,
// so that even batches of one leave room.
const ledgerRows = 4096

// ledger remembers what a transport has brought in, so that nothing comes in twice: the
// outside gives again what it has no confirmation of, although it may be here. Each
// batch of messages is committed together with a row of the ledger, a message in a queue
// of the transport's own; the oldest rows go.
type ledger struct {
	r        *Runner
	consumer core.ConsumerID
	keep     int // rows

	mu      sync.Mutex
	sources map[string]*runs
	rows    []core.DeliveryID
	limit   uint32
	ready   chan struct{} // closed when what was there at the start is read
	pending int           // rows still to be read at the start
}

func newLedger(r *Runner) *ledger {
	return &ledger{r: r, keep: max(ledgerRows, 4*r.prefetch), sources: map[string]*runs{}, ready: make(chan struct{})}
}

func (l *ledger) queue() Destination {
	return Destination{Kind: core.Queue, Name: core.ImportQueuePrefix + l.r.spec.Name}
}

// open reads the rows that are there.
func (l *ledger) open() error {
	var err error
	l.r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if v, ok := b.QueueView(l.queue().Name); ok {
			l.pending = v.Msgs
		}
		l.consumer, err = b.OpenConsumer(now, l.r.conn.ID(), core.ConsumerOptions{Destination: l.queue()}, fx)
		if err != nil {
			return
		}
		l.limit = uint32(l.keep) + uint32(l.pending) + 1
		b.Credit(now, l.consumer, l.limit, false, fx)
	})
	if l.pending == 0 {
		close(l.ready)
	}
	return err
}

// take reads a row, and lets the oldest go.
func (l *ledger) take(out *core.Out, row []byte) {
	l.mu.Lock()
	source, sequences, err := parseRow(row)
	if err == nil {
		for _, s := range sequences {
			l.add(source, s[0], s[1])
		}
	}
	l.rows = append(l.rows, out.Delivery)
	var old []core.DeliveryID
	if n := len(l.rows) - l.keep; n > 0 {
		old = slices.Clone(l.rows[:n])
		l.rows = append(l.rows[:0], l.rows[n:]...)
	}
	if l.pending > 0 {
		if l.pending--; l.pending == 0 {
			close(l.ready)
		}
	}
	l.mu.Unlock()
	l.r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		b.Wrote(now, l.consumer, out.Delivery, out.Delivery, fx)
		for _, id := range old {
			b.Settle(now, id, 0, core.Outcome{Kind: core.Accepted}, false, fx)
		}
		if len(old) > 0 {
			l.limit += uint32(len(old))
			b.Credit(now, l.consumer, l.limit, false, fx)
		}
	})
	if err != nil {
		l.r.log.Error("a row of a transport's ledger cannot be read", "transport", l.r.spec.Name, "err", err)
	}
}

// has says whether a message is here.
func (l *ledger) has(source string, sequence uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sources[source]
	return s != nil && s.has(sequence)
}

func (l *ledger) add(source string, first, last uint64) {
	s := l.sources[source]
	if s == nil {
		s = &runs{}
		l.sources[source] = s
	}
	s.add(first, last)
}

// row makes a row of messages of one source.
func row(source string, sequences []uint64) coremessage.Envelope {
	b := message.NewBuilder()
	b.Header.Durable = true
	data := binary.AppendUvarint(nil, uint64(len(source)))
	data = append(data, source...)
	var s runs
	for _, n := range sequences {
		s.add(n, n)
	}
	for _, r := range s.all {
		data = binary.AppendUvarint(binary.AppendUvarint(data, r[0]), r[1]-r[0])
	}
	b.SetBytes(data)
	return coremessage.Envelope{Durable: true, Priority: message.DefaultPriority, Content: b.Message()}
}

var errRow = errors.New("it is cut or damaged")

func parseRow(data []byte) (source string, sequences [][2]uint64, err error) {
	n, at := binary.Uvarint(data)
	if at <= 0 || uint64(len(data)-at) < n {
		return "", nil, errRow
	}
	source, data = string(data[at:at+int(n)]), data[at+int(n):]
	for len(data) > 0 {
		first, a := binary.Uvarint(data)
		if a <= 0 {
			return "", nil, errRow
		}
		more, b := binary.Uvarint(data[a:])
		if b <= 0 || first+more < first {
			return "", nil, errRow
		}
		sequences = append(sequences, [2]uint64{first, first + more})
		data = data[a+b:]
	}
	return source, sequences, nil
}
