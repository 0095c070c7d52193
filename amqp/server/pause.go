package server

import "sync"

// pause holds a connection's reader while its handler waits for the disk: what
// the peer sends stays in the socket, and other connections go on. The reader
// holds no lock meanwhile, and the writer and the timer do not wait.
type pause struct {
	mu     sync.Mutex
	over   sync.Cond
	pauses int // Pause less Resume
	ended  bool
}

// Pause stops reading, until as many calls of Resume. It may be called from any
// goroutine, and in the middle of Events: what was read already is still told.
func (c *Conn) Pause() { c.pause.add(1) }

// Resume undoes a Pause.
func (c *Conn) Resume() { c.pause.add(-1) }

// Serial runs do when no event is being told, and none is told meanwhile.
func (c *Conn) Serial(do func()) {
	c.in.Lock()
	defer c.in.Unlock()
	do()
}

func (p *pause) add(n int) {
	p.mu.Lock()
	p.pauses += n
	p.over.Broadcast()
	p.mu.Unlock()
}

func (p *pause) on() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pauses > 0
}

// end lets the reader go: the socket is closed.
func (p *pause) end() {
	p.mu.Lock()
	p.ended = true
	p.over.Broadcast()
	p.mu.Unlock()
}

func (p *pause) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pauses > 0 && !p.ended {
		p.over.Wait()
	}
}
