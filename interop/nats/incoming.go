package nats

import (
	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// reader turns messages of NATS's into ours. One goroutine uses it.
type reader struct {
	c       *settings
	headers []translate.Header
	room    []translate.Message // of which the next are made
}

// roomOf is how many messages are made at a time: one allocation for all.
const roomOf = 32

// read makes what a session delivers.
func (r *reader) read(m *nats.Msg) (in interop.Inbound) {
	r.headers = r.headers[:0]
	for name, values := range m.Header {
		for _, v := range values {
			if name == interop.HeaderOrigin {
				in.Origin = v
				continue
			}
			r.headers = append(r.headers, translate.Header{Name: name, Value: v})
		}
	}
	if len(r.room) == 0 {
		r.room = make([]translate.Message, roomOf)
	}
	f := &r.room[0]
	if in.Err = r.c.encoding.In(r.headers, m.Data, r.c.options, f); in.Err != nil {
		in.Raw = m.Data
		return in
	}
	r.room = r.room[1:]
	in.Fields = f
	r.reply(m, f)
	return in
}

// reply takes over where the sender wants replies.
func (r *reader) reply(m *nats.Msg, f *translate.Message) {
	if m.Reply == "" {
		return
	}
	to, ok := r.c.names.destination(m.Reply)
	if !ok {
		to = m.Reply
	}
	if f.ReplyTo.Name != to {
		f.ReplyTo = translate.Destination{Name: to, Kind: translate.Topic}
	}
}
