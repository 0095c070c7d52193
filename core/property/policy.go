package property

// Overflow is a compiled overflowPolicy.
type Overflow uint8

// The policies; the numbers are those of EMS's admin API (ems 2.1).
const (
	OverflowDefault Overflow = iota
	OverflowDiscardOld
	OverflowRejectIncoming
)

// TraceLevel is a compiled trace.
type TraceLevel uint8

// The levels.
const (
	TraceOff TraceLevel = iota
	TraceIDs
	TraceBody
)

// Default prefetch (ems 2.1).
const (
	QueuePrefetch = 5
	TopicPrefetch = 64
)

// NonFailsafeStore and FailsafeStore are the stores that always exist (ems 12.1).
const (
	NonFailsafeStore = "$sys.nonfailsafe"
	FailsafeStore    = "$sys.failsafe"
	MetaStore        = "$sys.meta"
)

// Policy is what holds for one destination, compiled. It is comparable, shared by
// all destinations for which the same holds, and never changed.
type Policy struct {
	Secure, Exclusive, Global bool
	SenderName                bool // sender_name or sender_name_enforced
	SenderNameEnforced        bool
	ExpirationSet             bool // Expiration holds, 0 being for ever; else the producer's does
	PrefetchDefault           bool // nobody has set prefetch
	Trace                     TraceLevel
	Overflow                  Overflow
	MaxRedelivery             uint8  // delivery attempts, 0 without limit
	Prefetch                  int32  // at least 1, or PrefetchNone
	MaxBytes, MaxMsgs         int64  // 0 without limit
	FlowControl               int64  // bytes, 0 off
	Expiration                int64  // milliseconds
	RedeliveryDelay           int64  // milliseconds, 0 none
	Store                     string // never empty
	Channel                   string
	Import, Export            string // transports, joined by commas
}

// DefaultPolicy holds where nothing is defined.
func DefaultPolicy(k Kind) Policy {
	p := Policy{Prefetch: QueuePrefetch, PrefetchDefault: true, Store: NonFailsafeStore}
	if k == Topic {
		p.Prefetch = TopicPrefetch
	}
	return p
}

// set takes over one effective value.
func (p *Policy) set(v Value) {
	on := v.Number != 0
	switch v.ID {
	case Channel:
		p.Channel = v.Text
	case Exclusive:
		p.Exclusive = on
	case Expiration:
		p.ExpirationSet, p.Expiration = true, v.Number
	case Export:
		p.Export = v.Text
	case Failsafe:
		p.Store = FailsafeStore
	case FlowControl:
		p.FlowControl = v.Number
	case Global:
		p.Global = on
	case Import:
		p.Import = v.Text
	case MaxBytes:
		p.MaxBytes = v.Number
	case MaxMsgs:
		p.MaxMsgs = v.Number
	case MaxRedelivery:
		p.MaxRedelivery = uint8(v.Number)
	case OverflowPolicy:
		switch v.Text {
		case "discardOld":
			p.Overflow = OverflowDiscardOld
		case "rejectIncoming":
			p.Overflow = OverflowRejectIncoming
		}
	case Prefetch:
		p.Prefetch, p.PrefetchDefault = int32(v.Number), false
	case RedeliveryDelay:
		p.RedeliveryDelay = v.Number
	case Secure:
		p.Secure = on
	case SenderName:
		p.SenderName = p.SenderName || on
	case SenderNameEnforced:
		p.SenderName, p.SenderNameEnforced = p.SenderName || on, on
	case Store:
		p.Store = v.Text
	case Trace:
		p.Trace = TraceIDs
		if v.Text == "body" {
			p.Trace = TraceBody
		}
	}
}

// Delayed is the policy of the queue in which messages of a destination wait for
// their delivery time: limits, security and store are the destination's (ems 7.8).
func (p Policy) Delayed() Policy {
	d := DefaultPolicy(Queue)
	d.Secure, d.MaxBytes, d.MaxMsgs, d.Overflow, d.Store = p.Secure, p.MaxBytes, p.MaxMsgs, p.Overflow, p.Store
	return d
}
