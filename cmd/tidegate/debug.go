package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"github.com/tidegate/tidegate/core"
)

// counts are what /debug/counts answers: what a leak would show in.
type counts struct {
	Goroutines  int         `json:"goroutines"`
	HeapBytes   uint64      `json:"heap_bytes"`   // of objects that live, or are not yet collected
	HeapObjects uint64      `json:"heap_objects"` // likewise
	Sockets     int         `json:"sockets"`      // connections of clients, logged in or not
	Broker      core.Totals `json:"broker"`
}

// debugTime bounds reading a request, so that idle peers do not gather.
const debugTime = 10 * time.Second

// debugDoor lets processes of this host look into this one. It shows names and
// memory to whoever can reach it. A nil one is none.
type debugDoor struct{ l net.Listener }

// openDebug listens at a loopback address; nil for no address.
func openDebug(addr string) (*debugDoor, error) {
	if addr == "" {
		return nil, nil //nolint:nilnil // none is what was asked for
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--debug %s: write HOST:PORT of this host, such as 127.0.0.1:6060: %w", addr, err)
	}
	if !loopback(host) {
		return nil, fmt.Errorf("--debug %s: it shows the process's memory to anybody: write a loopback address, such as 127.0.0.1:6060", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--debug %s: %w", addr, err)
	}
	return &debugDoor{l}, nil
}

func (d *debugDoor) close() {
	if d != nil {
		_ = d.l.Close()
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// onlyLoopback refuses requests for another host's name: a web page could have
// its own name lead here.
func onlyLoopback(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil || !loopback(host) {
			http.Error(w, "ask by a loopback address", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// serve answers until close: Go's profiles under /debug/pprof/ and counts under
// /debug/counts, with ?gc=1 after a collection. It prints its URL.
func (d *debugDoor) serve(sockets func() int, totals func() core.Totals, log *slog.Logger) {
	if d == nil {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/counts", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("gc") != "" {
			runtime.GC() // twice: what has a finalizer goes with the second
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(counts{
			Goroutines: runtime.NumGoroutine(), HeapBytes: m.HeapAlloc, HeapObjects: m.HeapObjects,
			Sockets: sockets(), Broker: totals(),
		})
	})
	srv := &http.Server{Handler: onlyLoopback(mux), ReadHeaderTimeout: debugTime, IdleTimeout: debugTime}
	go func() {
		if err := srv.Serve(d.l); err != nil && !errors.Is(err, net.ErrClosed) {
			log.Warn("the debug listener failed", "err", err)
		}
	}()
	fmt.Printf("debug http://%s/debug/\n", d.l.Addr())
}
