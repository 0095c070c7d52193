package server

import (
	"sync"
	"time"
)

// Clock is what a server takes from its process: the time, a timer, and turns
// of its own. A test that drives everything in one goroutine gives another than
// the system's.
type Clock interface {
	Now() time.Time
	// Arm asks for Server.Tick at a time, instead of that asked for before;
	// zero: not at all. The core lock is held.
	Arm(at time.Time)
	// Soon asks for Server.Continue, once for any number of calls. The core
	// lock is held.
	Soon()
}

// longestSleep is how long the timer sleeps at most, ahead of whatever it waits for: it
// does not see that the system's time is set, or that the machine was asleep.
const longestSleep = time.Minute

// systemClock is the system's time, one timer, and a goroutine for Soon.
type systemClock struct {
	s     *Server
	timer *time.Timer
	more  chan struct{}
	quit  chan struct{}
	ended sync.WaitGroup
}

func (c *systemClock) Now() time.Time { return time.Now() }

func (c *systemClock) start() {
	c.more, c.quit = make(chan struct{}, 1), make(chan struct{})
	c.timer = time.AfterFunc(time.Hour, c.s.Tick)
	c.timer.Stop()
	c.ended.Add(1)
	go c.goOn()
}

func (c *systemClock) stop() {
	close(c.quit)
	c.ended.Wait()
}

func (c *systemClock) Arm(at time.Time) {
	if at.IsZero() {
		c.timer.Stop()
		return
	}
	c.timer.Reset(min(max(time.Until(at), time.Millisecond), longestSleep))
}

func (c *systemClock) Soon() {
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (c *systemClock) goOn() {
	defer c.ended.Done()
	for {
		select {
		case <-c.quit:
			return
		case <-c.more:
			c.s.Continue()
		}
	}
}
