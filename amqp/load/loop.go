package load

import (
	"errors"
	"os"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
)

// member is what stands at one end of a connection: a producer or a consumer.
// Its methods run in the connection's goroutine.
type member interface {
	// frame takes a frame other than the ends, which loop takes.
	frame(code uint64, body []byte) error
	// act does what the frames of one read, or a wake-up, allow.
	act() error
	// due is when act has to run again whatever comes, in ns since the run
	// began; 0: only then.
	due() int64
}

// loop runs m until the connection ends; in good order that is no error.
func (s *session) loop(r *Run, m member) error {
	for {
		done, err := s.take(m)
		if done || err != nil {
			return err
		}
		if r.closing.Load() && !s.closed {
			s.closed = true
			s.out = frame.Append(s.out, frame.TypeAMQP, 0, &frame.Close{})
			err = s.flush()
		}
		due := int64(0)
		if !s.closed {
			if err = m.act(); err == nil {
				due = m.due()
			}
		}
		if err == nil {
			err = s.sleep(r, due)
		}
		if err != nil {
			if s.closed {
				return nil // it hung up at our close instead of answering
			}
			return lost(err)
		}
	}
}

// take hands m the frames at hand. done: the connection ended in good order.
func (s *session) take(m member) (done bool, err error) {
	for {
		body, err := s.next()
		if body == nil || err != nil {
			return false, err
		}
		if len(body) == 0 {
			continue // it only says that the broker is alive
		}
		code, err := frame.Code(body)
		if err != nil {
			return false, err
		}
		switch code {
		case frame.CodeDetach, frame.CodeEnd, frame.CodeClose:
			p, _, err := frame.Parse(body, nil)
			if err != nil {
				return false, err
			}
			if !s.closed {
				return false, ended(p)
			}
			if code == frame.CodeClose {
				return true, nil
			}
			continue
		}
		if err := m.frame(code, body); err != nil {
			return false, err
		}
	}
}

// sleep reads, until something comes, wake is called, or it is due.
func (s *session) sleep(r *Run, due int64) error {
	if due > 0 {
		if err := s.sock.SetReadDeadline(r.began.Add(time.Duration(due))); err != nil {
			return err
		}
		if s.woken.Swap(false) {
			return nil // the line above may have undone wake's
		}
	}
	err := s.fill()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// What wake is about was stored before it, and is looked at after this.
		s.woken.Store(false)
		return s.sock.SetReadDeadline(time.Time{})
	}
	return err
}

// wake makes the connection's goroutine look at the run again. Anybody may call it.
func (s *session) wake() {
	s.woken.Store(true)
	_ = s.sock.SetReadDeadline(time.Unix(1, 0)) // fails only when it is closed
}
