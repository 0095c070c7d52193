// Package server runs a core.Broker: it owns the broker's lock, hands records to
// the journal, keeps what must not leave yet behind gates, and drives time and
// recovery. Attach is the one door for every edge.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/persist/record"
)

// DefaultMaxHeld is how many bytes of messages that are not stored may be in
// memory before producers get no more credit.
const DefaultMaxHeld = 512 << 20

// Options are a server's own.
type Options struct {
	Name      string    // part of temporary names
	StoreNeed core.Need // what persistent messages wait for
	// MayCreate says what comes into being by being used; nil: everything.
	MayCreate func(d core.Destination) bool
	// Authority, Authorization and SendCheck are core.Options' own.
	Authority     core.Authority
	Authorization bool
	SendCheck     core.Check
	Transactions  core.TransactionLimits
	MaxHeld       int64
	// RefuseHeld refuses sends above MaxHeld, besides taking credit away (ems
	// msg_swapping off).
	RefuseHeld bool
	// Make makes a content of recovered bytes, by format.
	Make func(f message.Format, pieces [][]byte) (message.Content, error)
	// Spool has the files of large messages; nil: there are none.
	Spool  Spool
	Logger *slog.Logger
	Clock  Clock // default: the system's
	// Trace takes the lines of traced messages, in order, outside every lock of the
	// server's; nil: nothing is traced. FieldPrint and Print bound what a line says of a
	// body (DefaultFieldPrint, DefaultPrint).
	Trace             func(line string)
	FieldPrint, Print int
}

// Server is one running broker.
type Server struct {
	o       Options
	journal Journal
	fetcher Fetcher // the journal, if it reads ahead
	log     *slog.Logger

	mu       sync.Mutex // the core lock
	b        *core.Broker
	fx       core.Effects
	enc      encoder
	records  []record.Record
	holds    []record.Held
	conns    map[core.ConnID]*Conn
	touched  []*Conn
	clock    Clock
	due      time.Time // as last asked of the clock
	ahead    []uint64  // messages of deliveries in one step
	diskFull bool
	memFull  bool          // more is held than MaxHeld
	pressed  bool          // as the journal says
	gone     chan struct{} // closed when a connection ends that another waits for
	closed   bool

	gate  sync.Mutex // guards gated
	gated []*Conn

	tracer tracer
}

// Conn is one edge's connection to the broker.
type Conn struct {
	s    *Server
	id   core.ConnID
	wake func()
	box  outbox
	mark bool // in Server.touched
}

// New makes a server over a journal, recovering what it holds. The journal's
// callbacks are to be led to Stable, Full and Checkpoint.
func New(j Journal, o Options) (*Server, error) {
	if o.MaxHeld == 0 {
		o.MaxHeld = DefaultMaxHeld
	}
	s := &Server{o: o, journal: j, log: o.Logger, conns: map[core.ConnID]*Conn{}, clock: o.Clock}
	if s.clock == nil {
		s.clock = &systemClock{s: s}
	}
	s.fetcher, _ = j.(Fetcher)
	s.b = core.NewBroker(core.Options{
		Server: o.Name, Contents: s, StoreNeed: o.StoreNeed, Instance: uint64(s.clock.Now().UnixMilli()), MayCreate: o.MayCreate,
		Authority: o.Authority, Authorization: o.Authorization, SendCheck: o.SendCheck, Transactions: o.Transactions,
	})
	err := j.Replay(func(pos uint64, r record.Record) error {
		rec, err := Decode(r)
		if err != nil {
			return fmt.Errorf("record %d: %w", pos, err)
		}
		s.b.Apply(core.Pos(pos), rec)
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, synced := j.Stable()
	s.b.Recovered(core.Pos(synced))
	for _, broken := range s.b.Broken() {
		if s.log != nil {
			s.log.Warn("a durable subscription gets no messages", "name", broken.Name, "err", broken)
		}
	}
	j.Retain(s.b.Live())
	if c, ok := s.clock.(*systemClock); ok {
		c.start()
	}
	s.mu.Lock()
	s.schedule()
	s.mu.Unlock()
	return s, nil
}

// evictionTime is how long a connection waits for those that it takes a client
// id over from.
const evictionTime = 10 * time.Second

// Attach admits a connection. wake is called, without any lock held, when Take
// would give something. Where others with the same client id have to go first,
// it waits until they are gone; Conflict: they did not go in time.
func (s *Server) Attach(o core.ConnectOptions, wake func()) (*Conn, error) {
	c := &Conn{s: s, wake: wake}
	var late <-chan time.Time
	for {
		gone, err := s.connect(c, o)
		if err != nil {
			return nil, err
		}
		if gone == nil {
			return c, nil
		}
		if late == nil {
			late = time.After(evictionTime)
		}
		select {
		case <-gone:
		case <-late:
			return nil, &core.Error{Op: "connect", Kind: core.Conflict, Name: o.ClientID, Err: errors.New("the connection that has the client id does not close")}
		}
	}
}

// connect tries once; gone is closed when it is worth another try.
func (s *Server) connect(c *Conn, o core.ConnectOptions) (gone chan struct{}, err error) {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if s.closed {
			err = &core.Error{Op: "connect", Kind: core.Unavailable, Name: o.ClientID}
			return
		}
		if c.id, err = b.Connect(now, o, fx); err == nil {
			s.conns[c.id] = c
			return
		}
		var e *core.Error
		if errors.As(err, &e) && e.Kind == core.Evicting {
			if s.gone == nil {
				s.gone = make(chan struct{})
			}
			gone, err = s.gone, nil
		}
	})
	return gone, err
}

// ID is the connection's name in the broker.
func (c *Conn) ID() core.ConnID { return c.id }

// Now is the broker's time.
func (c *Conn) Now() time.Time { return c.s.clock.Now() }

// Do runs a step on the broker.
func (c *Conn) Do(step func(now time.Time, b *core.Broker, fx *core.Effects)) { c.s.Do(step) }

// Take exchanges the outs that may leave for an empty slice of the caller's.
func (c *Conn) Take(empty []core.Out) []core.Out {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	out := c.box.ready
	c.box.ready = empty[:0]
	return out
}

// Waiting says whether outs are still behind gates.
func (c *Conn) Waiting() bool {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	return c.box.from < len(c.box.waiting) || len(c.box.ready) > 0
}

// Close ends the connection in the broker.
func (c *Conn) Close() {
	c.s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		b.Disconnect(now, c.id, fx)
		delete(c.s.conns, c.id)
		if c.s.gone != nil {
			close(c.s.gone)
			c.s.gone = nil
		}
	})
}

// Do runs one step under the core lock: what it answers is in the journal's
// queue and in the outboxes before another step begins.
func (s *Server) Do(step func(now time.Time, b *core.Broker, fx *core.Effects)) {
	now := s.clock.Now()
	s.mu.Lock()
	written, synced := s.journal.Stable()
	s.b.Stable(core.Pos(written), core.Pos(synced))
	step(now, s.b, &s.fx)
	s.throttle(now)
	wake := s.carryOut()
	s.schedule()
	traced := s.tracer.due
	s.tracer.due = false
	s.mu.Unlock()
	for _, c := range wake {
		c.wake()
	}
	if traced {
		s.flushTrace()
	}
}

// carryOut hands the step's effects on; the answer is who has something to
// send.
func (s *Server) carryOut() (wake []*Conn) {
	fx := &s.fx
	if len(fx.Records) > 0 {
		for i := range fx.Records {
			r := s.enc.encode(&fx.Records[i])
			if r.Kind&record.FileBit != 0 {
				s.o.Spool.SpoolBind(fileOf(fx.Records[i].Content).Number, r.IDs[0])
			}
			s.records = append(s.records, r)
		}
		last := s.journal.Append(s.records)
		if last != uint64(s.b.Next()-1) {
			panic(fmt.Sprintf("server: the journal is at %d, the broker at %d", last, s.b.Next()-1))
		}
		clear(s.records)
		s.records = s.records[:0]
	}
	for i := range fx.Holds {
		h := &fx.Holds[i]
		head := holdHead(h.Content.Format())
		if f := fileOf(h.Content); f.Number != 0 {
			s.o.Spool.SpoolBind(f.Number, h.ID)
			head = record.AppendFile(head[:len(head):len(head)], record.FileRef(f))
		}
		s.holds = append(s.holds, record.Held{ID: h.ID, Head: head, Body: s.enc.body(h.Content)})
	}
	if len(s.holds) > 0 {
		s.journal.Hold(s.holds...)
		clear(s.holds)
		s.holds = s.holds[:0]
	}
	for i := range fx.Events { // while the messages are there
		if fx.Events[i].Trace != nil && s.o.Trace != nil {
			s.traceLine(&fx.Events[i])
		}
	}
	wake = s.distribute()
	if len(fx.Released) > 0 {
		s.journal.Release(uint64(fx.ReleasedAfter), fx.Released)
	}
	if len(fx.Needs) > 0 {
		ids := append([]uint64(nil), fx.Needs...)
		s.journal.Load(ids, func() {
			s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.Loaded(now, ids, fx) })
		})
	}
	if fx.More {
		s.clock.Soon()
	}
	if s.log != nil {
		for _, e := range fx.Events {
			if e.Trace != nil {
				continue
			}
			s.log.Debug(e.Kind, "destination", e.Name, "err", e.Err)
		}
	}
	fx.Reset()
	return wake
}

// distribute puts outs into outboxes, inside the core lock: else two steps
// could reorder one consumer's deliveries.
func (s *Server) distribute() []*Conn {
	outs := s.fx.Outs
	if len(outs) == 0 {
		return nil
	}
	w, y := s.journal.Stable()
	written, synced := core.Pos(w), core.Pos(y)
	var wake []*Conn
	var c *Conn
	for i := range outs {
		o := &outs[i]
		if c == nil || c.id != o.Conn {
			if c != nil {
				c.box.mu.Unlock()
			}
			if c = s.conns[o.Conn]; c == nil {
				continue
			}
			c.box.mu.Lock()
			if !c.mark {
				c.mark = true
				s.touched = append(s.touched, c)
			}
		}
		c.box.push(o, written, synced)
		if o.Kind == core.OutDeliver {
			s.ahead = append(s.ahead, o.Message)
		}
	}
	if c != nil {
		c.box.mu.Unlock()
	}
	if len(s.ahead) > 0 && s.fetcher != nil { // what a gate or a writer holds up is read meanwhile
		s.fetcher.Fetch(s.ahead)
	}
	s.ahead = s.ahead[:0]
	gates := false
	s.gate.Lock() // always before an outbox's
	for _, c := range s.touched {
		c.mark = false
		c.box.mu.Lock()
		if c.box.from < len(c.box.waiting) && !c.box.gated {
			c.box.gated = true
			s.gated = append(s.gated, c)
			gates = true
		}
		if len(c.box.ready) > 0 {
			wake = append(wake, c)
		}
		c.box.mu.Unlock()
	}
	s.gate.Unlock()
	clear(s.touched)
	s.touched = s.touched[:0]
	if gates { // positions may have moved before we stood at the gate
		if w2, y2 := s.journal.Stable(); w2 != w || y2 != y {
			wake = append(wake, s.openGates()...)
		}
	}
	return wake
}

// Stable is the journal's callback: positions moved.
func (s *Server) Stable() {
	for _, c := range s.openGates() {
		c.wake()
	}
}

func (s *Server) openGates() (wake []*Conn) {
	w, y := s.journal.Stable()
	s.gate.Lock()
	defer s.gate.Unlock()
	kept := s.gated[:0]
	for _, c := range s.gated {
		c.box.mu.Lock()
		if c.box.release(core.Pos(w), core.Pos(y)) {
			wake = append(wake, c)
		}
		if c.box.from < len(c.box.waiting) {
			kept = append(kept, c)
		} else {
			c.box.gated = false
		}
		c.box.mu.Unlock()
	}
	clear(s.gated[len(kept):])
	s.gated = kept
	return wake
}

// Full is the journal's callback: the disk is full, or no longer.
func (s *Server) Full(full bool) {
	if s.log != nil {
		s.log.Warn("disk space", "full", full)
	}
	s.Do(func(time.Time, *core.Broker, *core.Effects) { s.diskFull = full })
}

// Authorize sets who may do what from now on, as core.Broker.Authorize.
func (s *Server) Authorize(authorization bool, a core.Authority) {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.Authorize(now, authorization, a, fx) })
}

// Pressed is the journal's callback: memory is short because messages cannot leave
// it fast enough, or no longer.
func (s *Server) Pressed(pressed bool) {
	s.Do(func(time.Time, *core.Broker, *core.Effects) { s.pressed = pressed })
}

// throttle takes credit from producers while disk or memory is full. What they
// send all the same is refused only where the disk is.
func (s *Server) throttle(now time.Time) {
	held := s.b.HeldBytes()
	if held > s.o.MaxHeld {
		s.memFull = true
	} else if held < s.o.MaxHeld/4*3 {
		s.memFull = false
	}
	s.b.Throttle(now, s.diskFull || s.memFull && s.o.RefuseHeld, &s.fx)
	s.b.Press(now, s.memFull || s.pressed, &s.fx)
}

// schedule asks the clock for the broker's deadline.
func (s *Server) schedule() {
	d := s.b.Deadline()
	if d.Equal(s.due) || s.closed {
		return
	}
	s.due = d
	s.clock.Arm(d)
}

// Tick does what is due; the clock calls it when it was asked to.
func (s *Server) Tick() {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		s.due = time.Time{}
		b.Expire(now, fx)
	})
}

// Continue goes on with scans that were cut into slices; the clock calls it.
func (s *Server) Continue() {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.Continue(now, fx) })
}

// Content answers the broker's selectors: bytes in memory, or of the step that
// is running.
func (s *Server) Content(id uint64) (message.Content, bool) {
	for i := len(s.fx.Holds) - 1; i >= 0; i-- {
		if s.fx.Holds[i].ID == id {
			return s.fx.Holds[i].Content, true
		}
	}
	for i := len(s.fx.Records) - 1; i >= 0; i-- {
		if r := &s.fx.Records[i]; r.ID == id && r.Content != nil {
			return r.Content, true
		}
	}
	head, body, ok := s.journal.Bytes(id)
	if !ok {
		return nil, false
	}
	c, err := s.o.Make(formatOf(head), body)
	if err != nil {
		return nil, false
	}
	return c, true
}

// Bytes gives a message's bytes if they are in memory. Those of a large one are
// in a file: body has the sections before its body.
func (s *Server) Bytes(id uint64) (body [][]byte, file message.File, ok bool) {
	head, body, ok := s.journal.Bytes(id)
	return body, fileIn(head), ok
}

// Spool has the files of large messages; nil: there are none.
func (s *Server) Spool() Spool { return s.o.Spool }

// Load brings messages into memory; each is called for those found, then done.
func (s *Server) Load(ids []uint64, each func(id uint64, body [][]byte, file message.File), done func()) {
	s.journal.Load(ids, func() {
		for _, id := range ids {
			if body, file, ok := s.Bytes(id); ok {
				each(id, body, file)
			}
		}
		done()
	})
}

// Bytes and Load for an edge's connection.
func (c *Conn) Bytes(id uint64) (body [][]byte, file message.File, ok bool) { return c.s.Bytes(id) }

// Load is Server.Load.
func (c *Conn) Load(ids []uint64, each func(id uint64, body [][]byte, file message.File), done func()) {
	c.s.Load(ids, each, done)
}

// Checkpoint writes a checkpoint; the journal says when one is due. What has
// changed is asked only once the journal has begun it: a key that changed
// between the two would be taken for unchanged, and lose its records.
func (s *Server) Checkpoint() {
	s.journal.Checkpoint(func(add func(key, at uint64, recs []record.Record)) {
		s.mu.Lock()
		keys := s.b.Changed()
		s.mu.Unlock()
		var enc encoder
		for _, k := range keys {
			s.mu.Lock()
			recs := s.b.Slice(k)
			at := uint64(s.b.Next() - 1)
			s.mu.Unlock()
			out := make([]record.Record, 0, len(recs))
			for i := range recs {
				out = append(out, enc.encode(&recs[i]))
			}
			add(uint64(k), at, out)
		}
	})
}

// Close stops the server's own goroutines; edges are to be closed before.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.clock.Arm(time.Time{})
	s.mu.Unlock()
	if c, ok := s.clock.(*systemClock); ok {
		c.stop()
	}
}

// Queues and Topics answer an operator.
func (s *Server) Queues() (q []core.QueueInfo) {
	s.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) { q = b.Queues() })
	return q
}

// Topics is like Queues.
func (s *Server) Topics() (t []core.TopicInfo) {
	s.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) { t = b.Topics() })
	return t
}

// Totals is like Queues.
func (s *Server) Totals() (t core.Totals) {
	s.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) { t = b.Totals() })
	return t
}
