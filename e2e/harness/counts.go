package harness

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Totals are what the broker holds (core.Totals).
type Totals struct {
	Connections, Sessions, Producers, Consumers int
	Queues, Topics, TempQueues, TempTopics      int
	Msgs                                        int64
}

// Counts are what a leak of the gateway's would show in.
type Counts struct {
	Goroutines  int    `json:"goroutines"`
	HeapBytes   int64  `json:"heap_bytes"`
	HeapObjects int64  `json:"heap_objects"`
	Sockets     int    `json:"sockets"`
	Broker      Totals `json:"broker"`
	// Descriptors are the process's open files and sockets, DataFiles the files
	// in its data folder.
	Descriptors, DataFiles int `json:"-"`
}

// Counts are the gateway's now, after it has collected its garbage. It must run
// with --debug 127.0.0.1:0.
func (s *Server) Counts(t testing.TB) Counts {
	t.Helper()
	var c Counts
	r, err := http.Get(s.Debug + "counts?gc=1") //nolint:noctx // the test's own time-out ends it
	if err != nil {
		t.Fatalf("was the gateway started with --debug? %v", err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections() // or it counts itself
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	c.Descriptors = len(fds)
	err = filepath.WalkDir(s.Data, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			c.DataFiles++
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) { // a file may go while it is looked at
		t.Fatal(err)
	}
	return c
}
