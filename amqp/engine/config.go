// Package engine is AMQP 1.0's connection, session and link state machines, for
// both roles. It turns bytes into events and requests into bytes: it has no
// goroutine, clock, lock or socket. Whoever drives it serialises all calls,
// reads into Space, says so by Input, looks at Events, and writes what Output
// gives.
package engine

import (
	"cmp"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Defaults and limits, in bytes and counts unless said otherwise.
const (
	// DefaultMaxFrameSize is the largest frame we take; large enough that big
	// messages come in few frames, small enough to buffer for every connection.
	DefaultMaxFrameSize = 128 << 10
	// MinMaxFrameSize is what any peer must take (amqp 2.7.1).
	MinMaxFrameSize = 512
	// MaxSASLFrameSize lets tokens through that the 512 of amqp 5.3.1 would not.
	MaxSASLFrameSize = 128 << 10
	// MaxOpenFrameSize bounds frames before the peer's open is read.
	MaxOpenFrameSize = 128 << 10
	// DefaultChannelMax is the highest channel: 1,024 sessions.
	DefaultChannelMax = 1023
	// DefaultHandleMax is the highest handle: 1,024 links of a session.
	DefaultHandleMax = 1023
	// MaxLinks is how many links the sessions of one connection may have together.
	MaxLinks = 8192
	// maxRefused is how many more are refused politely, before the connection is
	// closed: a refused link holds its handle until the peer detaches.
	maxRefused = 512
	// MaxPartial bounds the bytes held of one connection's deliveries that are not
	// complete; a single one may be as long as a message may.
	MaxPartial = 64 << 20
	// tinyPiece: a piece of an incomplete delivery up to so long is copied, or it
	// would keep a whole read buffer for as long as the delivery takes.
	tinyPiece = 1 << 10
	// DefaultIncomingWindow is how many transfer frames a session takes ahead.
	DefaultIncomingWindow = 8192
	// DefaultMaxMessageSize bounds one message.
	DefaultMaxMessageSize = 128 << 20
	// MaxEarly is how many deliveries a link takes before its attach is answered:
	// some clients send all they have at once, without credit (reference 1.5).
	MaxEarly = 100
	// MaxEmptyTransfers is how many frames without payload one delivery may have.
	MaxEmptyTransfers = 1000
	// MaxPieces is how many frames one delivery may have: 128 MiB in frames of
	// 512 bytes, and some.
	MaxPieces = 1 << 19
	// MaxDeliveryTag is the longest delivery-tag (amqp 2.8.7).
	MaxDeliveryTag = 32
	// DefaultIdleTimeOut is advertised; a peer of which no whole frame came is
	// given up after twice as long.
	DefaultIdleTimeOut = 30 * time.Second
	// DefaultAuthTimeOut is how long a peer may take to log in, and one that needs
	// no login until its open came.
	DefaultAuthTimeOut = 10 * time.Second
	// DefaultOpenTimeOut is how long a peer that has logged in may take until its
	// open came: Qpid JMS logs in when a Connection is made, and opens at its first
	// use (reference 2.1).
	DefaultOpenTimeOut = 10 * time.Minute
	// CloseTimeOut is how long we wait for the answer to our close.
	CloseTimeOut = 5 * time.Second
	// minHeartbeat keeps a peer with a tiny idle time-out from making us busy.
	minHeartbeat = 50 * time.Millisecond
	// leastBudget is how many bytes are made ahead of the socket for a peer that
	// has not shown how fast it reads. It doubles with each budget that was taken,
	// up to mostBudget: few large writes cost a third less than many small ones,
	// and a peer that never reads holds no more than the least.
	leastBudget = 64 << 10
	mostBudget  = 1 << 20
	// quietTime is how long a connection that sends nothing keeps large buffers:
	// longer than the pauses of one that sends in bursts.
	quietTime = time.Second
	// gatherAbove: payload pieces above it are handed to the socket as they are;
	// below, copying them into the write buffer is faster (performance.md 3.5).
	gatherAbove = 8 << 10
)

// Config is what a connection is made with. Zero values take the defaults.
type Config struct {
	Client         bool
	ContainerID    string
	Hostname       string // client: told in open
	MaxFrameSize   uint32
	ChannelMax     uint16
	HandleMax      uint32
	IncomingWindow uint32
	MaxMessageSize uint64
	// Large is the size in bytes above which a delivery is told in pieces
	// (EventPiece) and never held whole; 0: all are told whole.
	Large       int64
	IdleTimeOut time.Duration // negative: none
	AuthTimeOut time.Duration
	OpenTimeOut time.Duration
	// FailureDelay is how long a refused login waits for its answer.
	FailureDelay time.Duration
	Offered      []wire.Symbol
	Desired      []wire.Symbol
	Properties   wire.Map
	// SASL admits clients; nil means that SASL is not spoken.
	SASL *sasl.Server
	// Bare lets a client come without SASL.
	Bare bool
	// Login is the client's side of SASL; nil comes without.
	Login  *sasl.Client
	Limits *wire.Limits
}

func (c *Config) fill() {
	c.MaxFrameSize = cmp.Or(c.MaxFrameSize, DefaultMaxFrameSize)
	c.ChannelMax = cmp.Or(c.ChannelMax, DefaultChannelMax)
	c.HandleMax = cmp.Or(c.HandleMax, DefaultHandleMax)
	c.IncomingWindow = cmp.Or(c.IncomingWindow, DefaultIncomingWindow)
	c.MaxMessageSize = cmp.Or(c.MaxMessageSize, DefaultMaxMessageSize)
	c.IdleTimeOut = cmp.Or(c.IdleTimeOut, DefaultIdleTimeOut)
	c.AuthTimeOut = cmp.Or(c.AuthTimeOut, DefaultAuthTimeOut)
	c.OpenTimeOut = cmp.Or(c.OpenTimeOut, DefaultOpenTimeOut)
}

// fault makes an AMQP error.
func fault(condition wire.Symbol, description string) *frame.Error {
	return &frame.Error{Condition: condition, Description: description}
}
