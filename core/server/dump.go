package server

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/persist/record"
)

// Describe says in words what a journal record is, for offline tools.
func Describe(r record.Record) (string, error) {
	d, err := Decode(r)
	if err != nil {
		return "", err
	}
	run := fmt.Sprintf("queue %d priority %d from %d count %d", d.Run.Queue, d.Run.Priority, d.Run.First, d.Run.Count)
	switch d.Kind {
	case core.RecMessage:
		s := fmt.Sprintf("message %d%s", d.ID, inFile(r))
		for _, p := range append([]core.Place{d.Place}, d.More...) {
			s += fmt.Sprintf(" queue %d priority %d sequence %d", p.Queue, p.Priority, p.Seq)
			if p.To != nil {
				s += " to " + p.To.Name
			}
			if p.Delay != nil {
				s += " until " + time.UnixMilli(p.Delay.Due).UTC().Format("2006-01-02T15:04:05.000Z")
			}
		}
		return s, nil
	case core.RecBody:
		return fmt.Sprintf("body %d%s in a transaction", d.ID, inFile(r)), nil
	case core.RecRemove:
		return "remove " + run, nil
	case core.RecCount:
		return fmt.Sprintf("delivery-count %d of %s", d.Count, run), nil
	case core.RecNotes:
		return fmt.Sprintf("%d bytes of notes on %s", len(d.Notes), run), nil
	case core.RecCommit:
		return fmt.Sprintf("commit of %d places and %d runs", len(d.More), len(d.Runs)), nil
	case core.RecQueue:
		return fmt.Sprintf("queue %d is %q", d.Define.Queue, d.Define.Destination.Name), nil
	case core.RecSubscription:
		return fmt.Sprintf("queue %d is subscription %q of client %q to %q", d.Define.Queue, d.Define.Name, d.Define.Client, d.Define.Destination.Name), nil
	case core.RecDelete:
		return fmt.Sprintf("delete queue %d", d.Run.Queue), nil
	case core.RecOffered:
		return fmt.Sprintf("offered queue %d priority %d below %d", d.Run.Queue, d.Run.Priority, d.Run.First), nil
	case core.RecRing:
		return fmt.Sprintf("checkpoint of queue %d priority %d: head %d next %d", d.Ring.Queue, d.Ring.Priority, d.Ring.Head, d.Ring.Next), nil
	case core.RecIDs:
		return fmt.Sprintf("checkpoint: next message %d, next queue %d", d.ID, d.Run.Queue), nil
	}
	return "", fmt.Errorf("a record of kind %d", d.Kind)
}

// inFile says where a large message is.
func inFile(r record.Record) string {
	f := fileIn(r.Head)
	if f.Number == 0 {
		return ""
	}
	return fmt.Sprintf(" of %d bytes in large-%016x", f.Size, f.Number)
}
