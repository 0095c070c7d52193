package load

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
)

// An idle connection says at half of the peer's time-out that it is alive.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(Options{})
		ours, theirs := net.Pipe()
		s := &session{conn: &conn{sock: ours, idle: 1000}}
		began := time.Now()
		go r.keep(s)
		for n := range 3 {
			got := make([]byte, frame.HeaderSize)
			if _, err := io.ReadFull(theirs, got); err != nil || !bytes.Equal(got, frame.Empty[:]) {
				t.Fatalf("% x, %v", got, err)
			}
			if after, want := time.Since(began), time.Duration(n+1)*500*time.Millisecond; after != want {
				t.Errorf("keep-alive %d after %v, not %v", n, after, want)
			}
		}
		close(r.stopped)
		_ = ours.Close()
	})
}

// A connection that stays silent ends the wait once the patience is over, and not
// before: there may be progress elsewhere.
func TestWaitGivesUpWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(Options{Producers: 1, Consumers: 1, Patience: time.Second})
		r.book.allow(0, func(int) uint64 { return 100 })
		r.book.claim(0, 10)
		began := time.Now()
		r.book.ask(true)
		go func() {
			for n := range uint64(5) {
				<-time.After(900 * time.Millisecond)
				r.book.receive(0, n, n+1, false)
			}
		}()
		err := r.wait(t.Context())
		if after := time.Since(began); !Stuck(err) || after < 5500*time.Millisecond || after > 6500*time.Millisecond {
			t.Errorf("%v after %v", err, after)
		}
	})
}
