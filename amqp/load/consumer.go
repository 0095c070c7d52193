package load

import (
	"hash/crc32"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// consumer receives and settles. It belongs to its connection's goroutine.
type consumer struct {
	*session
	run  *Run
	name int

	frames uint32 // the session's next-incoming-id
	count  uint32 // the link's delivery-count
	limit  uint32 // delivery-count up to which credit was given

	envelope envelope
	transfer frame.Transfer
	flow     frame.Flow
	disp     frame.Disposition
	accepted frame.DeliveryState
	part     part
	now      int64 // when the frames at hand were read
	timed    bool  // they count for latency

	// Unsettled deliveries of this read.
	first, last uint32
	unsettled   bool
	// A run of messages of one producer.
	streak   streak
	lasts    []uint64 // of each producer, 1 + the last number
	fillings []filling

	latency Histogram
	stamp   int64 // of the last n messages, not in latency yet
	stamps  uint64
}

// part is a delivery of which not all frames came yet.
type part struct {
	open, settled bool
	id            uint32
	mine          bool // a message of this run
	head          head
	redelivered   bool
	left          int    // bytes of the filling that did not come yet
	sum           uint32 // of those that did, where sampled
	sampled       bool
}

type streak struct {
	producer    uint32
	from, to    uint64
	redelivered bool
}

// filling is the sum that the filling of a producer has.
type filling struct {
	sum   uint32
	known bool
}

func newConsumer(r *Run, number int, s *session) *consumer {
	c := &consumer{session: s, run: r, name: number, accepted: frame.Accepted{}}
	c.count = s.attach.InitialDeliveryCount.V
	c.limit = c.count
	c.frames = s.begin.NextOutgoingID
	c.lasts = make([]uint64, r.o.Producers)
	c.fillings = make([]filling, r.o.Producers)
	return c
}

// attachReceiver is how a consumer attaches.
func attachReceiver(o *Options, name string) *frame.Attach {
	a := &frame.Attach{
		Name: name, Role: frame.RoleReceiver, SndSettleMode: frame.SenderSettleModeUnsettled,
		Source: &frame.Source{Address: o.Address, Capabilities: []wire.Symbol{capabilityQueue}}, Target: &frame.Target{},
	}
	if o.Settled {
		a.SndSettleMode = frame.SenderSettleModeSettled
	}
	return a
}

func (c *consumer) due() int64 { return 0 }

func (c *consumer) frame(code uint64, body []byte) error {
	switch code {
	case frame.CodeTransfer:
		n, err := c.transfer.Decode(body, nil)
		if err != nil {
			return err
		}
		if c.now == 0 {
			c.now, c.timed = c.run.now(), c.run.measuring.Load()
		}
		c.frames++
		c.onTransfer(&c.transfer, body[n:])
	case frame.CodeFlow:
		if _, err := c.flow.Decode(body, nil); err != nil {
			return err
		}
		if c.flow.Echo {
			c.appendFlow(false)
		}
	}
	return nil
}

func (c *consumer) onTransfer(t *frame.Transfer, payload []byte) {
	if !c.part.open {
		c.begin(t, payload)
	} else if c.part.mine {
		c.more(payload)
	}
	c.part.settled = c.part.settled || t.Settled.V
	switch {
	case t.Aborted:
		c.part.open = false // it was never delivered: nothing to settle
		c.count++
	case !t.More:
		c.part.open = false
		c.count++
		c.end()
	}
}

// begin takes the first frame of a delivery.
func (c *consumer) begin(t *frame.Transfer, payload []byte) {
	c.part = part{open: true, id: t.DeliveryID.V}
	p, err := c.envelope.find(payload)
	if err != nil || p.size < MinSize || len(payload) < p.at+MinSize {
		c.run.book.stranger()
		return
	}
	body := payload[p.at:]
	h := readHead(body)
	if h.run != c.run.number {
		c.run.book.stranger()
		return
	}
	if p.size != c.run.o.Size || h.producer >= uint32(len(c.lasts)) {
		c.run.book.corrupt("a message says that it is number %d of producer %d and has %d bytes", h.number, h.producer, p.size)
		return
	}
	c.part.mine, c.part.head, c.part.redelivered = true, h, p.redelivered
	c.part.sampled = h.number%sampleEvery == 0
	c.part.left = p.size - MinSize
	c.more(body[MinSize:])
}

// more takes bytes of the filling. What stands behind the body is not ours.
func (c *consumer) more(b []byte) {
	b = b[:min(len(b), c.part.left)]
	c.part.left -= len(b)
	if c.part.sampled {
		c.part.sum = crc32.Update(c.part.sum, castagnoli, b)
	}
}

// end takes a whole delivery.
func (c *consumer) end() {
	p := &c.part
	if !p.settled {
		if c.unsettled && p.id != c.last+1 {
			c.settle()
		}
		if !c.unsettled {
			c.first, c.unsettled = p.id, true
		}
		c.last = p.id
	}
	if !p.mine {
		return
	}
	h := &p.head
	f := &c.fillings[h.producer]
	if p.sampled && p.sum != h.filling || f.known && f.sum != h.filling || p.left > 0 {
		c.run.book.corrupt("message %d of producer %d is not as it was sent (check sum)", h.number, h.producer)
		return
	}
	if p.sampled {
		f.sum, f.known = p.sum, true
	}
	c.arrived(h, p.redelivered)
	if h.stamp != c.stamp {
		c.observe()
		c.stamp = h.stamp
	}
	c.stamps++
}

// arrived keeps the streak.
func (c *consumer) arrived(h *head, redelivered bool) {
	s := &c.streak
	if h.producer == s.producer && h.number == s.to && redelivered == s.redelivered && s.to > s.from {
		s.to++
		return
	}
	c.account()
	if last := c.lasts[h.producer]; h.number < last && !redelivered {
		c.run.book.behind(h.producer, h.number, last-1)
	}
	*s = streak{h.producer, h.number, h.number + 1, redelivered}
}

// account puts the streak into the books.
func (c *consumer) account() {
	s := &c.streak
	if s.to == s.from {
		return
	}
	c.lasts[s.producer] = max(c.lasts[s.producer], s.to)
	c.run.book.receive(s.producer, s.from, s.to, s.redelivered)
	s.from = s.to
}

// observe counts the messages that have the same stamp.
func (c *consumer) observe() {
	if c.stamps > 0 && c.timed {
		c.latency.AddN(time.Duration(c.now-c.stamp), c.stamps)
	}
	c.stamps = 0
}

// settle appends a disposition for what this read brought.
func (c *consumer) settle() {
	if !c.unsettled {
		return
	}
	c.disp = frame.Disposition{Role: frame.RoleReceiver, First: c.first, Settled: true, State: c.accepted}
	if c.last != c.first {
		c.disp.Last = wire.Some(c.last)
	}
	c.out = frame.Append(c.out, frame.TypeAMQP, 0, &c.disp)
	c.unsettled = false
}

// act settles, gives credit, and keeps the books, once for each read.
func (c *consumer) act() error {
	c.account()
	c.observe()
	c.now = 0
	c.settle()
	if c.run.started.Load() > 0 && c.limit-c.count <= uint32(c.run.o.Credit)/2 {
		c.limit = c.count + uint32(c.run.o.Credit)
		c.appendFlow(true)
	}
	return c.flush()
}

// appendFlow appends a flow of the session, with the link's credit or without.
func (c *consumer) appendFlow(link bool) {
	c.flow = frame.Flow{NextIncomingID: wire.Some(c.frames), IncomingWindow: sessionWindow, OutgoingWindow: sessionWindow}
	if link {
		c.flow.Handle = wire.Some(uint32(0))
		c.flow.DeliveryCount = wire.Some(c.count)
		c.flow.LinkCredit = wire.Some(c.limit - c.count)
	}
	c.out = frame.Append(c.out, frame.TypeAMQP, 0, &c.flow)
}
