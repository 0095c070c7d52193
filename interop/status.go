package interop

import (
	"sync"
	"sync/atomic"
	"time"
)

// State is what a transport is doing.
type State string

// The states.
const (
	Connecting State = "connecting" // for the first time, or again
	Connected  State = "connected"
	Suspended  State = "suspended" // by an administrator
	Stopped    State = "stopped"   // by an error of its own: see Status.Error
)

// Status is a transport at one moment.
type Status struct {
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Certified bool      `json:"certified"`
	State     State     `json:"state"`
	Since     time.Time `json:"since"`
	Error     string    `json:"error,omitempty"` // the last one; "" there was none
	Connects  uint64    `json:"connects"`        // how often it connected
	Notes     []string  `json:"notes,omitempty"` // what the outside cannot do, what was made there

	Imports  []Destination `json:"imports,omitempty"`
	Exports  []Destination `json:"exports,omitempty"`
	Counts   Counts        `json:"counts"`
	UnderWay int           `json:"underWay"` // sent and not confirmed
	Leases   int           `json:"leases"`   // temporary destinations whose replies come back
}

// Counts are a transport's messages since the server started.
type Counts struct {
	Exported      uint64 `json:"exported"` // the outside has them
	ExportedBytes uint64 `json:"exportedBytes"`
	Imported      uint64 `json:"imported"` // they are here
	ImportedBytes uint64 `json:"importedBytes"`
	// Resent went out although the outside may have had them; Redelivered came in
	// although they may have been here. With the same message id.
	Resent      uint64 `json:"resent"`
	Redelivered uint64 `json:"redelivered"`
	Duplicates  uint64 `json:"duplicates"`  // came in again, and were known to be here: not taken twice
	LostOut     uint64 `json:"lostOut"`     // by a reliable transport
	LostIn      uint64 `json:"lostIn"`      // the same
	LoopDropped uint64 `json:"loopDropped"` // a loop guard stopped them
	LoopSuspect uint64 `json:"loopSuspect"` // passed a transport that cannot carry marks, and look as if they had been here
	Refused     uint64 `json:"refused"`     // could not be sent, taken or translated: on_error
	LateReplies uint64 `json:"lateReplies"` // to temporary destinations that are gone
}

// counters are Counts while they count.
type counters struct {
	exported, exportedBytes, imported, importedBytes       atomic.Uint64
	resent, redelivered, duplicates, lostOut, lostIn       atomic.Uint64
	loopDropped, loopSuspect, refused, lateReplies, opened atomic.Uint64
}

func (c *counters) counts() Counts {
	return Counts{
		Exported: c.exported.Load(), ExportedBytes: c.exportedBytes.Load(), Imported: c.imported.Load(), ImportedBytes: c.importedBytes.Load(),
		Resent: c.resent.Load(), Redelivered: c.redelivered.Load(), Duplicates: c.duplicates.Load(), LostOut: c.lostOut.Load(), LostIn: c.lostIn.Load(),
		LoopDropped: c.loopDropped.Load(), LoopSuspect: c.loopSuspect.Load(), Refused: c.refused.Load(), LateReplies: c.lateReplies.Load(),
	}
}

// add counts what was counted elsewhere.
func (c *counters) add(n *Counts, connects uint64) {
	c.exported.Add(n.Exported)
	c.exportedBytes.Add(n.ExportedBytes)
	c.imported.Add(n.Imported)
	c.importedBytes.Add(n.ImportedBytes)
	c.resent.Add(n.Resent)
	c.redelivered.Add(n.Redelivered)
	c.duplicates.Add(n.Duplicates)
	c.lostOut.Add(n.LostOut)
	c.lostIn.Add(n.LostIn)
	c.loopDropped.Add(n.LoopDropped)
	c.loopSuspect.Add(n.LoopSuspect)
	c.refused.Add(n.Refused)
	c.lateReplies.Add(n.LateReplies)
	c.opened.Add(connects)
}

// maxNotes is how many notes a transport keeps.
const maxNotes = 50

// condition is what a runner says of itself.
type condition struct {
	mu    sync.Mutex
	state State
	since time.Time
	err   string
	notes []string
}

func (c *condition) set(s State, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != s {
		c.state, c.since = s, time.Now()
	}
	if err != nil {
		c.err = err.Error()
	}
}

func (c *condition) current() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *condition) fill(s *Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.State, s.Since, s.Error, s.Notes = c.state, c.since, c.err, append([]string(nil), c.notes...)
}

// note keeps what is new; false: it was there.
func (c *condition) note(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.notes {
		if n == text {
			return false
		}
	}
	if len(c.notes) < maxNotes {
		c.notes = append(c.notes, text)
	}
	return true
}
