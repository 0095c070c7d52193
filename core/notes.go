package core

// Notes are bytes that stand beside a message in one queue: what consumers added
// to it when they gave it back (amqp 3.4.5). They are opaque to the broker, outlive
// a restart where the message does, and go with it.
const (
	// MaxNotes is how many bytes one message may have.
	MaxNotes = 2 << 10
	// MaxNotesTotal is how many all have together.
	MaxNotesTotal = 16 << 20
)

// Notes gives those of the message of a delivery; nil: there are none.
func (b *Broker) Notes(id DeliveryID) []byte {
	if d := b.deliveries.get(id); d != nil && d.consumer != nil {
		return d.ring.notes[d.seq]
	}
	return nil
}

// note replaces an entry's notes, durably where the message is stored. Those that
// are too long, or too much for the broker, are left as they were: EventNotes.
func (b *Broker) note(r *ring, seq uint64, notes []byte, fx *Effects) {
	e := r.at(seq)
	if e == nil || len(notes) == 0 {
		return
	}
	if len(notes) > MaxNotes || b.noteBytes+len(notes)-len(r.notes[seq]) > MaxNotesTotal {
		fx.Events = append(fx.Events, Event{Kind: EventNotes, Name: r.queue.dest.Name})
		return
	}
	if e.flags&entryStored != 0 {
		b.emit(Record{Kind: RecNotes, Need: Write, Run: Run{Queue: r.queue.id, Priority: r.priority, First: seq, Count: 1}, Notes: notes}, fx)
		return
	}
	b.setNotes(r, seq, notes)
}

func (b *Broker) setNotes(r *ring, seq uint64, notes []byte) {
	if r.notes == nil {
		r.notes = map[uint64][]byte{}
	}
	b.noteBytes += len(notes) - len(r.notes[seq])
	r.notes[seq] = notes
}

// dropNotes ends the notes of an entry that leaves its ring.
func (b *Broker) dropNotes(r *ring, seq uint64) {
	if notes, ok := r.notes[seq]; ok {
		b.noteBytes -= len(notes)
		delete(r.notes, seq)
	}
}

// noteRecords gives the notes of stored entries, for a checkpoint. They come before
// the rings: behind those a checkpoint's own records would be passed over.
func (q *queue) noteRecords(recs []Record) []Record {
	for _, r := range q.order {
		for _, seq := range sortedKeys(r.notes) {
			if e := r.at(seq); e != nil && e.flags&entryStored != 0 {
				recs = append(recs, Record{Kind: RecNotes, Run: Run{Queue: q.id, Priority: r.priority, First: seq, Count: 1}, Notes: r.notes[seq]})
			}
		}
	}
	return recs
}
