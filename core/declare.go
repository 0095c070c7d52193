package core

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// MaxDeclared is how many queues clients may declare.
const MaxDeclared = 100_000

// Declared is how long a queue that a client declares is to be there.
type Declared uint8

// A Lasting queue stays, over restarts too, until it is deleted; a Fleeting one
// until it is deleted or the server ends; a Passing one is a dynamic queue: it goes
// when it is empty and its last user leaves.
const (
	Lasting Declared = iota + 1
	Fleeting
	Passing
)

// Declare makes a queue without using it, or finds it; one that is there stays at
// least as long as is asked for. Errors: Invalid, Limit.
func (b *Broker) Declare(_ time.Time, n string, life Declared, fx *Effects) (created bool, err error) {
	d := Destination{Kind: Queue, Name: n}
	if err := b.checkName("declare", d, false); err != nil {
		return false, err
	}
	if strings.HasPrefix(n, "$") {
		return false, &Error{Op: "declare", Kind: Invalid, Name: n, Err: errors.New("names that begin with $ are the server's")}
	}
	q := b.queues[n]
	if life != Passing && (q == nil || q.life == 0) && b.declared >= MaxDeclared {
		return false, &Error{Op: "declare", Kind: Limit, Name: n, Err: errors.New("there are " + strconv.Itoa(MaxDeclared) + " already")}
	}
	if q == nil {
		q, created = b.addQueue(b.newQueueID(), d), true
	}
	switch {
	case life == Lasting && q.life != Lasting:
		b.emit(Record{Kind: RecQueue, Need: b.o.StoreNeed, Define: q.definition(Lasting)}, fx)
	case life == Fleeting && q.life == 0:
		b.live(q, Fleeting)
	}
	return created, nil
}

// live sets how long a queue is there.
func (b *Broker) live(q *queue, life Declared) {
	if q.life == 0 && life != 0 {
		b.declared++
	}
	q.life = life
}

// definition is what a record says of a queue.
func (q *queue) definition(life Declared) *Definition {
	return &Definition{Queue: q.id, Destination: q.dest, Lasting: life == Lasting, Static: q.static}
}
