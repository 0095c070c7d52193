package suite

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// cell is what a run saw of one scenario with one client library.
type cell struct {
	Ran     bool     `json:"ran"`
	Failed  bool     `json:"-"`
	Reasons []string `json:"reasons,omitempty"` // why some or all of it was left out
}

// matrix is what a run saw: scenario by client (docs/clients.md).
var matrix = struct {
	sync.Mutex
	cells map[string]map[string]*cell // by scenario, then by driver
	steps map[string]bool             // names of subtests that are no scenarios of their own

	clients map[string]Library // of earlier parts of the run
}{cells: map[string]map[string]*cell{}, steps: map[string]bool{}, clients: map[string]Library{}}

// at is the cell of a client; the matrix must be locked.
func at(scenario string, c *harness.Client) *cell {
	row := matrix.cells[scenario]
	if row == nil {
		row = map[string]*cell{}
		matrix.cells[scenario] = row
	}
	if row[c.Name] == nil {
		row[c.Name] = &cell{}
	}
	return row[c.Name]
}

// scenarioOf is the row that a test belongs to: its name without the clients and
// the steps in it, of which one scenario has many.
func scenarioOf(t *testing.T) string {
	parts := strings.Split(t.Name(), "/")
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool {
		return matrix.steps[part] || slices.Contains(harness.Names, part)
	}), "/")
}

// shows says that this test, if it passes, shows its scenario with these clients.
func shows(t *testing.T, clients ...*harness.Client) {
	t.Helper()
	matrix.Lock()
	defer matrix.Unlock()
	scenario := scenarioOf(t)
	for _, c := range clients {
		at(scenario, c).Ran = true
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		matrix.Lock()
		defer matrix.Unlock()
		for _, c := range clients {
			at(scenario, c).Failed = true
		}
	})
}

// leaves says whether a scenario, or the part of it that needs these, must be left
// out with a client, and keeps the reason for the page.
func leaves(t *testing.T, c *harness.Client, needs ...string) bool {
	t.Helper()
	reason := c.Cannot(needs...)
	if reason == "" {
		return false
	}
	t.Logf("left out with %s: it cannot %s", c.Name, reason)
	matrix.Lock()
	defer matrix.Unlock()
	to := at(scenarioOf(t), c)
	if !slices.Contains(to.Reasons, reason) {
		to.Reasons = append(to.Reasons, reason)
	}
	return true
}

// only says that this test shows its scenario with these clients and is, for that
// reason, not run with the others.
func only(t *testing.T, reason string, clients ...*harness.Client) {
	t.Helper()
	shows(t, clients...)
	matrix.Lock()
	defer matrix.Unlock()
	for _, c := range everybody(t) {
		if !slices.Contains(clients, c) {
			to := at(scenarioOf(t), c)
			to.Reasons = append(to.Reasons, reason)
		}
	}
}

// everybody is every driver.
func everybody(t *testing.T) []*harness.Client {
	t.Helper()
	var all []*harness.Client
	for _, name := range harness.Names {
		all = append(all, harness.Driver(t, name))
	}
	return all
}

// step runs a part of a scenario that has several, one after the other. A name
// must not be that of a scenario's variant elsewhere.
func step(t *testing.T, name string, run func(t *testing.T)) {
	t.Helper()
	matrix.Lock()
	matrix.steps[strings.ReplaceAll(name, " ", "_")] = true // as t.Name has it
	matrix.Unlock()
	t.Run(name, run)
}
