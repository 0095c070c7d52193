package interop

import (
	"container/list"
	"strconv"
	"sync"
	"time"

	"github.com/tidegate/tidegate/core"
)

// MaxLeases is how many temporary destinations may have an address outside at a time;
// beyond that the one that was used least recently loses its own.
const MaxLeases = 10_000

// replies are the temporary destinations whose replies come back from outside (ems 9):
// each has a token, which stands for an address there, until nothing has gone out or
// come back for temp_destination_timeout.
type replies struct {
	lease time.Duration

	mu      sync.Mutex
	byName  map[Destination]*reply
	byToken map[string]*reply
	byUse   list.List // of *reply: the one used last in front
	next    uint64
}

type reply struct {
	to      Destination
	token   string
	address string // of the session of that number
	session uint64
	used    time.Time
	at      *list.Element
}

func newReplies(lease time.Duration) *replies {
	return &replies{lease: lease, byName: map[Destination]*reply{}, byToken: map[string]*reply{}}
}

// get gives a temporary destination's token, and its address if session has one already;
// ended are the tokens that are not needed any more.
func (p *replies) get(to Destination, session uint64, now time.Time) (token, address string, ended []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.byName[to]
	if r == nil {
		ended = p.expire(now)
		p.next++
		r = &reply{to: to, token: strconv.FormatUint(p.next, 36)}
		p.byName[to], p.byToken[r.token], r.at = r, r, p.byUse.PushFront(r)
	}
	p.use(r, now)
	if r.session == session {
		address = r.address
	}
	return r.token, address, ended
}

// bind says which address a token has in a session.
func (p *replies) bind(token, address string, session uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.byToken[token]; r != nil {
		r.address, r.session = address, session
	}
}

// expire takes those away whose time is over, or the oldest where there are too many.
// The caller holds mu.
func (p *replies) expire(now time.Time) (ended []string) {
	for e := p.byUse.Back(); e != nil; e = p.byUse.Back() {
		r := e.Value.(*reply)
		if len(p.byToken) < MaxLeases && now.Sub(r.used) <= p.lease {
			break
		}
		p.remove(r)
		ended = append(ended, r.token)
	}
	return ended
}

func (p *replies) use(r *reply, now time.Time) {
	r.used = now
	p.byUse.MoveToFront(r.at)
}

func (p *replies) remove(r *reply) {
	delete(p.byName, r.to)
	delete(p.byToken, r.token)
	p.byUse.Remove(r.at)
}

// lookup gives the destination of a token; false: its time is over.
func (p *replies) lookup(token string, now time.Time) (Destination, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.byToken[token]
	if r == nil {
		return core.Destination{}, false
	}
	p.use(r, now)
	return r.to, true
}

// gone takes the token of a destination away that is not there any more.
func (p *replies) gone(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.byToken[token]; r != nil {
		p.remove(r)
	}
}

func (p *replies) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byToken)
}

// known gives all tokens: a new session has to listen for their replies.
func (p *replies) known() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for t := range p.byToken {
		all = append(all, t)
	}
	return all
}
