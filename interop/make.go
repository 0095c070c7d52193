package interop

import (
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop/translate"
)

// makerRoom is what a maker allocates for messages at a time: each by itself would cost
// more than the rest of its import.
const makerRoom = 64 << 10

// maker makes messages of what comes in, many after the other.
type maker struct {
	r       *Runner
	builder message.Builder
	room    []byte
	notes   wire.Map
	// the last destination and source, and what they are in annotations and properties
	to     Destination
	mark   any
	source string
	boxed  any
}

var (
	importedKey any = wire.Symbol(AnnotationImported)
	originKey   any = wire.Symbol(AnnotationOrigin)
)

// build makes a message of fields, with the marks of an imported one (ems 7.6).
func (mk *maker) build(in *Inbound, now time.Time) (*message.Message, error) {
	r, f := mk.r, in.Fields
	f.Destination = translate.Destination{Name: in.To.Name, Kind: translate.KindOf(in.To.Kind == core.Topic, in.To.Temporary)}
	f.Persistent = r.isPersistent(in.To, f.Persistent)
	f.DeliveryCount = 0
	if f.Timestamp == 0 {
		f.Timestamp = now.UnixMilli()
	}
	if f.MessageID == nil {
		f.MessageID = r.newID()
	}
	if r.markImported && in.Token == "" {
		f.MarkImported()
		if in.Source != "" {
			if mk.boxed == nil || mk.source != in.Source {
				mk.source, mk.boxed = in.Source, in.Source
			}
			f.Set(publisherProperty, mk.boxed)
			f.Set(sequenceProperty, int64(in.Sequence))
		}
	}
	f.Annotations = mk.marks(in)
	if size := f.Size(); cap(mk.room)-len(mk.room) < size {
		mk.room = make([]byte, 0, max(makerRoom, size))
	}
	start := len(mk.room)
	mk.room = f.Append(mk.room, &mk.builder)
	m, err := message.Index(mk.room[start:len(mk.room):len(mk.room)], nil, nil)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// adopt gives a message of an AMQP peer the same marks. Its own sections stay as they
// are, but for the properties that EMS sets (mark_imported).
func (mk *maker) adopt(in *Inbound) (*message.Message, error) {
	r := mk.r
	rewrite := message.Rewrite{Durable: r.isPersistent(in.To, in.Message.Header().Durable), Annotations: mk.marks(in)}
	if r.markImported && in.Token == "" {
		rewrite.Properties = wire.Map{{Key: translate.ImportedProperty, Value: true}}
	}
	return in.Message.Rewritten(rewrite)
}

// marks are the annotations of a message that comes in; valid until the next one.
func (mk *maker) marks(in *Inbound) wire.Map {
	if in.Token != "" {
		return nil
	}
	if mk.mark == nil || mk.to != in.To {
		kind := "queue:"
		if in.To.Kind == core.Topic {
			kind = "topic:"
		}
		mk.to, mk.mark = in.To, mk.r.spec.Name+";"+kind+in.To.Name
	}
	mk.notes = append(mk.notes[:0], wire.Entry{Key: importedKey, Value: mk.mark})
	if in.Origin != "" {
		mk.notes = append(mk.notes, wire.Entry{Key: originKey, Value: in.Origin})
	}
	return mk.notes
}
