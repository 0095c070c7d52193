package amqp10

import (
	"context"
	"errors"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

type azure struct{}

func (s *settings) checkAzure() error {
	return errors.New("transports of type azure are not built yet")
}
func (s *settings) forAzure(o *client.Options)                                        {}
func (s *session) startAzure(ctx context.Context, url string) error                   { return nil }
func (s *session) lockToken(tag []byte) (u wire.UUID)                                 { return u }
func (z *azure) permitSending(context.Context, *session, []interop.Outbound) error    { return nil }
func (z *azure) permitImports(context.Context, *session, []interop.Destination) error { return nil }
func (z *azure) source(d interop.Destination) string                                  { return d.Name }
func (z *azure) shape(r *receiver, a *frame.Attach)                                   {}
func (z *azure) attached(r *receiver, a *frame.Attach)                                {}
func (z *azure) comesBack(r *receiver, e *frame.Error, was bool) bool                 { return false }
func (z *azure) arrived(a *arrival, m *message.Message)                               {}
func (z *azure) settled(number, from uint32, n int)                                   {}
func (z *azure) tend(now time.Time) time.Duration                                     { return time.Hour }
func (t *transport) probeOnce(s *session, u string)                                   {}
