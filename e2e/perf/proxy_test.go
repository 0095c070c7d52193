package perf

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
)

// meddler is given each frame that the broker sends, header included, and gives
// the frames to pass on in its stead.
type meddler func(f []byte) [][]byte

// proxy stands between clients and a broker. meddle gets one frame at a time,
// those of a connection in order.
func proxy(t *testing.T, broker string, meddle meddler) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	locked := func(f []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		return meddle(f)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", broker)
			if err != nil {
				_ = client.Close()
				t.Error(err)
				return
			}
			all.Go(func() {
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
			all.Go(func() {
				if err := pass(client, server, locked); err != nil {
					t.Error(err)
				}
				_ = client.Close()
			})
		}
	})
	return "amqp://" + l.Addr().String()
}

// pass copies protocol headers and frames from server to client until either
// hangs up.
func pass(client io.Writer, server io.Reader, meddle meddler) error {
	const most = 4 << 20
	for {
		head := make([]byte, frame.HeaderSize)
		if _, err := io.ReadFull(server, head); err != nil {
			return nil
		}
		out := [][]byte{head}
		if _, header := frame.ParseProtocolHeader(head); !header {
			h, err := frame.ParseHeader(head, most)
			if err != nil {
				return err
			}
			whole := append(head, make([]byte, int(h.Size)-len(head))...)
			if _, err := io.ReadFull(server, whole[len(head):]); err != nil {
				return nil
			}
			out = meddle(whole)
		}
		if _, err := client.Write(slices.Concat(out...)); err != nil {
			return nil
		}
	}
}

// is tells whether a frame holds that performative.
func is(f []byte, code uint64) bool {
	body := f[int(f[4])*4:]
	if f[5] != frame.TypeAMQP || len(body) == 0 {
		return false
	}
	got, err := frame.Code(body)
	return err == nil && got == code
}

// nth meddles with the nth frame of a kind, from 1.
func nth(n int, code uint64, do meddler) meddler {
	seen := 0
	return func(f []byte) [][]byte {
		if is(f, code) {
			if seen++; seen == n {
				return do(f)
			}
		}
		return [][]byte{f}
	}
}
