package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
)

func TestDebugListensOnLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:6060", "example.com:6060"} {
		if d, err := openDebug(addr); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v, %v", addr, d, err)
		}
	}
	if d, err := openDebug(""); d != nil || err != nil {
		t.Errorf("without an address: %v, %v", d, err)
	}
	if _, err := openDebug("6060"); err == nil || !strings.Contains(err.Error(), "HOST:PORT") {
		t.Errorf("without a host: %v", err)
	}
}

func TestDebugCounts(t *testing.T) {
	d, err := openDebug("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.serve(func() int { return 3 }, func() core.Totals { return core.Totals{TempQueues: 2} }, slog.New(slog.DiscardHandler))
	url := "http://" + d.l.Addr().String() + "/debug/"
	ask := func(url, host string) (int, []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, body
	}
	status, body := ask(url+"counts?gc=1", "")
	var c counts
	if err := json.Unmarshal(body, &c); status != http.StatusOK || err != nil || c.Sockets != 3 || c.Broker.TempQueues != 2 || c.Goroutines == 0 || c.HeapObjects == 0 {
		t.Errorf("%d: %s (%v)", status, body, err)
	}
	if status, _ := ask(url+"pprof/goroutine?debug=1", ""); status != http.StatusOK {
		t.Errorf("the profiles answered %d", status)
	}
	if status, _ := ask(url+"counts", "evil.example:80"); status != http.StatusForbidden {
		t.Errorf("a page whose own name leads here was answered %d", status)
	}
}
