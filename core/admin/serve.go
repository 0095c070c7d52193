package admin

import (
	"time"

	"github.com/tidegate/tidegate/core"
)

// Limits on requests.
const (
	MaxRunning     = 16 // at a time
	MaxRequestTime = 10 * time.Minute
)

// Serve does a request on a goroutine of its own and gives the parts of the reply
// to answer, in order. It does not wait: it may be called within a step of the
// broker. Errors, for requests that are not begun: Limit, Invalid,
// Unavailable.
func (s *Service) Serve(user string, _ core.ConnID, body []byte, answer func(part []byte)) error {
	r, err := ParseRequest(body)
	if err != nil {
		return err
	}
	if s.running.Add(1) > MaxRunning {
		s.running.Add(-1)
		return refuse(core.Limit, "%d administrative requests are under way: try again when one is done", MaxRunning)
	}
	ctx, end, ok := s.begin()
	if !ok {
		s.running.Add(-1)
		return refuse(core.Unavailable, "the server is shutting down")
	}
	go func() {
		defer end()
		defer s.running.Add(-1)
		result, then, err := s.do(ctx, Request{User: user, Command: r.Command, Save: r.Save, After: r.After})
		for _, part := range Replies(result, err) {
			answer(part)
		}
		if then != nil {
			then()
		}
	}()
	return nil
}
