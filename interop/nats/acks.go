package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/tidegate/tidegate/interop"
)

// acks are the confirmations of a stream: each message that is published asks for one at an
// address of its own.
type acks struct {
	l       *line
	address string
	most    int // under way at a time

	mu     sync.Mutex
	flying int
	sent   []interop.Sent // to be reported
	fatal  error          // to be reported behind them; it ends the session
	more   chan struct{}
	room   chan struct{}
	reply  []byte
}

func newAcks(l *line, c *settings) *acks {
	most := c.prefetch
	if c.certified.oneByOne {
		most = 1
	}
	return &acks{l: l, address: inbox + nuid.Next() + ".", most: most, more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func (a *acks) listen() error {
	sub, err := a.l.nc.Subscribe(a.address+"*", a.take)
	if err == nil {
		err = sub.SetPendingLimits(-1, -1) // no more than are under way
	}
	return err
}

// publish sends a message, when there is room for it.
func (a *acks) publish(ctx context.Context, m *nats.Msg, tag uint64) error {
	for {
		a.mu.Lock()
		if a.fatal != nil { // nothing is to pass what was not taken
			defer a.mu.Unlock()
			return a.fatal
		}
		if a.flying < a.most {
			a.flying++
			a.mu.Unlock()
			break
		}
		a.mu.Unlock()
		select {
		case <-a.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	a.reply = strconv.AppendUint(append(a.reply[:0], a.address...), tag, 36)
	m.Reply = string(a.reply)
	err := a.l.nc.PublishMsg(m)
	if err != nil {
		a.mu.Lock()
		a.flying--
		a.mu.Unlock()
	}
	return err
}

// replyHeader has the address for replies of a message that a stream takes: NATS's own
// field asks the stream for its confirmation.
const replyHeader = "Ems-Reply-To"

// confirmation is what a stream says of a message.
type confirmation struct {
	Stream    string `json:"stream"`
	Sequence  uint64 `json:"seq"`
	Duplicate bool   `json:"duplicate"`
	Error     *struct {
		Code        int    `json:"code"`
		ErrCode     int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// Codes of JetStream that blame the message (err_code of its API).
const (
	tooLarge  = 10054 // message size exceeds maximum allowed
	badTTL    = 10165 // invalid per-message TTL
	badHeader = 10060 // expected stream does not match, and the like
)

var stored = []byte(`{"stream":`)

// take is called for each confirmation.
func (a *acks) take(m *nats.Msg) {
	tag, err := strconv.ParseUint(m.Subject[len(a.address):], 36, 64)
	if err != nil {
		return
	}
	s := interop.Sent{Tag: tag}
	var fatal error
	if !bytes.HasPrefix(m.Data, stored) || bytes.Contains(m.Data, []byte(`"error"`)) {
		s.Refused, fatal = verdict(m)
	}
	a.mu.Lock()
	a.flying--
	if fatal == nil {
		a.sent = append(a.sent, s)
	} else if a.fatal == nil {
		a.fatal = fatal
	}
	a.mu.Unlock()
	notify(a.room)
	notify(a.more)
}

// verdict reads a confirmation that is none: the message is refused, or everything waits.
func verdict(m *nats.Msg) (refused, fatal error) {
	if m.Header.Get("Status") == "503" {
		return nil, errors.New("no stream takes the subject any more: JetStream is not there, or the stream was deleted")
	}
	var c confirmation
	if err := json.Unmarshal(m.Data, &c); err != nil {
		return nil, fmt.Errorf("JetStream's confirmation cannot be read: %w", err)
	}
	if c.Error == nil {
		return nil, nil
	}
	err := fmt.Errorf("JetStream says: %s (%d)", c.Error.Description, c.Error.ErrCode)
	switch c.Error.ErrCode {
	case tooLarge:
		return fmt.Errorf("%w: raise max_msg_size of the stream", err), nil
	case badTTL, badHeader:
		return err, nil
	}
	return nil, err
}

// report is the goroutine that tells the runner of confirmations, all that have come at a
// time.
func (a *acks) report() {
	for {
		select {
		case <-a.more:
		case <-a.l.ctx.Done():
			return
		}
		a.mu.Lock()
		sent, fatal := a.sent, a.fatal
		a.sent = nil
		a.mu.Unlock()
		if len(sent) > 0 {
			a.l.sink.Sent(sent)
		}
		if fatal != nil {
			a.l.failed(fatal)
			return
		}
	}
}
