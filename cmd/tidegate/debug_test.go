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
		if l, err := debugListener(addr); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v, %v", addr, l, err)
		}
	}
	if _, err := debugListener("6060"); err == nil || !strings.Contains(err.Error(), "HOST:PORT") {
		t.Errorf("without a host: %v", err)
	}
}

func TestDebugCounts(t *testing.T) {
	l, err := debugListener("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		serveDebug(l, func() int { return 3 }, func() core.Totals { return core.Totals{TempQueues: 2} }, slog.New(slog.DiscardHandler))
	}()
	defer func() { <-ended }()
	defer l.Close()
	url := "http://" + l.Addr().String() + "/debug/"
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
