package gateway

import (
	"errors"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

// EMS's modes, for clients that cannot say them by settle modes (docs/delivery-modes.md):
// properties of a link, by number or name, and capabilities of its terminus. What is
// in force the attach's answer says again.
const (
	deliveryMode = "ems-delivery-mode"     // of a sender
	checkMode    = "ems-npsend-check-mode" // of a sender
	ackMode      = "ems-ack-mode"          // of a receiver

	reliableCapability wire.Symbol = "ems-reliable"
	noAckCapability    wire.Symbol = "ems-no-acknowledge"
)

// The numbers that EMS gives its modes (ems 7.1, 7.3).
const (
	modeAsSent          = 0 // what the message's header says
	modeNonPersistent   = 1
	modePersistent      = 2
	modeReliable        = 22
	ackNone             = 22
	ackExplicit         = 23
	ackExplicitDupsOkay = 24
)

var (
	deliveryModes = map[string]int64{"non_persistent": modeNonPersistent, "persistent": modePersistent, "reliable": modeReliable}
	ackModes      = map[string]int64{
		"no_acknowledge": ackNone, "explicit_client_acknowledge": ackExplicit, "explicit_client_dups_ok_acknowledge": ackExplicitDupsOkay,
	}
)

// modeIn reads a mode out of a link's properties; 0: it is not among them.
func modeIn(a *frame.Attach, property string, known map[string]int64) (int64, error) {
	v, ok := a.Properties.Get(property)
	if !ok {
		return 0, nil
	}
	n, number := wire.Integer(v)
	if text, ok := wire.Text(v); ok {
		n, number = known[strings.ReplaceAll(strings.ToLower(text), "-", "_")]
	}
	var names []string
	for name, value := range known { // order: sorted below
		if number && value == n {
			return n, nil
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return 0, &core.Error{Op: "attach", Kind: core.Invalid, Name: property, Err: errors.New("write one of " + strings.Join(names, ", ") + ", or its number")}
}

// sendModes reads what a sender says of its messages, and gives the answer's
// properties.
func (p *producer) sendModes(a *frame.Attach, t *frame.Target) (in wire.Map, err error) {
	if p.mode, err = modeIn(a, deliveryMode, deliveryModes); err != nil {
		return nil, err
	}
	if slices.Contains(t.Capabilities, reliableCapability) {
		p.mode = modeReliable
	}
	if p.mode != modeAsSent {
		in = append(in, wire.Entry{Key: wire.Symbol(deliveryMode), Value: p.mode})
	}
	if v, ok := a.Properties.Get(checkMode); ok {
		text, _ := wire.Text(v)
		if p.check, ok = core.ParseCheck(text); !ok {
			return nil, &core.Error{Op: "attach", Kind: core.Invalid, Name: checkMode, Err: errors.New("write always, never, temp_dest, auth, temp_auth or default")}
		}
		if text == "default" { // a producer's default is the server's mode
			p.check = core.CheckDefault
		}
		in = append(in, wire.Entry{Key: wire.Symbol(checkMode), Value: wire.Symbol(text)})
	}
	if p.mode == modeReliable {
		p.check = core.CheckNever
	}
	return in, nil
}

// govern puts the link's mode in the place of the header's.
func (p *producer) govern(env *message.Envelope) {
	switch p.mode {
	case modeNonPersistent, modeReliable:
		env.Durable = false
	case modePersistent:
		env.Durable = true
	}
}

// ackModeOf reads how a receiver acknowledges: settled says that it does not, for
// which the attach is changed; mode, if not 0, is to be said again.
func ackModeOf(a *frame.Attach) (mode int64, settled bool, err error) {
	if mode, err = modeIn(a, ackMode, ackModes); err != nil {
		return 0, false, err
	}
	if slices.Contains(a.Source.Capabilities, noAckCapability) {
		mode = ackNone
	}
	return mode, mode == ackNone || a.SndSettleMode == frame.SenderSettleModeSettled, nil
}
