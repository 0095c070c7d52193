package server

// strangers are the connections that have not logged in yet, in the order in
// which they came. Where there are too many connections the first of them is cut
// for a new one: whoever opens connections and says nothing, as many as there may
// be, must not keep everybody else out until their time for login is over.
type strangers struct{ first, last *Conn }

func (l *strangers) add(c *Conn) {
	c.prev = l.last
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
}

// remove takes c out, if it is in.
func (l *strangers) remove(c *Conn) {
	if c.prev == nil && l.first != c {
		return
	}
	if c.prev == nil {
		l.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}
