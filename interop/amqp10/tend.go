package amqp10

import "time"

// tend attaches links again when they are due, and renews what Service Bus wants renewed.
func (s *session) tend() {
	for {
		next := s.tendOnce(time.Now())
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-s.tasks:
			timer.Stop()
		case <-s.ctx.Done():
			timer.Stop()
			return
		}
	}
}

// idleTend is how long tend rests when nothing is due.
const idleTend = time.Minute

// tendOnce does what is due at now, and says how long there is until the next.
func (s *session) tendOnce(now time.Time) time.Duration {
	next := idleTend
	_ = s.conn.Do(func() { // if it has ended nothing is due
		for _, r := range s.imports { // order: irrelevant
			switch {
			case r.due.IsZero():
			case r.due.After(now):
				next = min(next, r.due.Sub(now))
			default:
				r.attach()
			}
		}
	})
	if s.azure != nil {
		next = min(next, s.azure.tend(now))
	}
	return max(next, time.Millisecond)
}
