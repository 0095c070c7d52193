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

// debugListener listens for who looks into the process. It shows names and memory to
// whoever can reach it, so only this host may.
func debugListener(addr string) (net.Listener, error) {
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
	return l, nil
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

// serveDebug answers on l until it is closed: Go's profiles under /debug/pprof/ and
// counts under /debug/counts, with ?gc=1 after a collection.
func serveDebug(l net.Listener, sockets func() int, totals func() core.Totals, log *slog.Logger) {
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
	if err := srv.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) {
		log.Warn("the debug listener failed", "err", err)
	}
}
