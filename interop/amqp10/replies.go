package amqp10

import (
	"context"
	"fmt"
)

// maxReplies is how many leases have a node at a time.
const maxReplies = maxHandle - 500

// Reply has the peer make a node for a lease. Where it makes none there is no address:
// the message goes out with the reply-to that it has.
func (s *session) Reply(ctx context.Context, token string) (string, error) {
	var r *receiver
	err := s.conn.Do(func() {
		if r = s.replies[token]; r != nil || s.noDynamic || s.azure != nil || len(s.replies) >= maxReplies {
			return
		}
		r = &receiver{s: s, token: token, share: replyCredit, tried: make(chan struct{})}
		s.replies[token] = r
		r.attach()
	})
	if err != nil {
		return "", err
	}
	if r == nil {
		s.noReplies()
		return "", nil
	}
	select {
	case <-r.tried:
	case <-s.conn.Ended():
		return "", s.conn.Err()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	address := ""
	err = s.conn.Do(func() {
		if address = r.address; r.err != nil {
			delete(s.replies, token)
			s.noDynamic = true
			address = ""
		}
	})
	if err == nil && address == "" {
		s.noReplies()
	}
	return address, err
}

func (s *session) noReplies() {
	s.sink.Note(fmt.Sprintf("%s makes no nodes for replies: messages whose reply-to is a temporary destination go out, and their replies do not come back", s.peer.name()))
}

// EndReply closes a lease's node.
func (s *session) EndReply(token string) {
	_ = s.conn.Do(func() { // if it has ended, so have its nodes
		if r := s.replies[token]; r != nil {
			delete(s.replies, token)
			r.leave()
		}
	})
}
