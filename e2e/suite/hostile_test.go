package suite

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

// header opens AMQP without SASL; the server answers with its own.
const header = "AMQP\x00\x01\x00\x00"

// framed is an AMQP frame on channel 0.
func framed(body string) string {
	head := make([]byte, 8)
	binary.BigEndian.PutUint32(head, uint32(8+len(body)))
	head[4] = 2
	return string(head) + body
}

// The bodies of a minimal open and begin.
const (
	openBody  = "\x00\x53\x10\xc0\x06\x01\xa1\x03bad"
	beginBody = "\x00\x53\x11\xc0\x0e\x04\x40\x52\x00\x70\x00\x00\x04\x00\x70\x00\x00\x04\x00"
)

// hostile are things a peer may write. Each must cost only its own connection.
func hostile() map[string]string {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	opened := header + framed(openBody)
	begun := opened + framed(beginBody)
	return map[string]string{
		"nothing":                    "",
		"noise":                      string(noise),
		"noise after the header":     header + string(noise),
		"HTTP":                       "GET / HTTP/1.1\r\nHost: example\r\n\r\n",
		"TLS":                        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"AMQP 0-9-1":                 "AMQP\x00\x00\x09\x01",
		"half a header":              "AMQP\x00",
		"half a frame":               header + "\x00\x00\x01\x00\x02\x00",
		"a frame of four billion":    header + "\xff\xff\xff\xff\x02\x00\x00\x00" + strings.Repeat("x", 1<<16),
		"a frame of seven bytes":     header + "\x00\x00\x00\x07\x02\x00\x00\x00",
		"data offset past the frame": header + "\x00\x00\x00\x08\xff\x00\x00\x00",
		"a list of four billion":     header + framed("\x00\x53\x10\xd0\xff\xff\xff\xff\xff\xff\xff\xff"),
		"a count of four billion":    header + framed("\x00\x53\x10\xd0\x00\x00\x00\x08\xff\xff\xff\xff\x40\x40\x40\x40"),
		"deep nesting":               header + framed("\x00\x53\x10"+nested(5_000)),
		"described for ever":         header + framed(strings.Repeat("\x00", 10_000)),
		"transfer before open":       header + framed("\x00\x53\x14\xc0\x02\x01\x43"),
		"SASL frame after AMQP":      header + "\x00\x00\x00\x08\x02\x01\x00\x00",
		"an unknown performative":    opened + framed("\x00\x53\x7f\x45"),
		"a second open":              opened + framed(openBody),
		"transfer without a link":    begun + framed("\x00\x53\x14\xc0\x04\x03\x43\x43\x40"),
		"flow for an unknown handle": begun + framed("\x00\x53\x13\xc0\x09\x05\x43\x52\x10\x43\x52\x10\x52\x63"),
		"detach of an unknown link":  begun + framed("\x00\x53\x16\xc0\x04\x02\x52\x09\x41"),
		"disposition backwards":      begun + framed("\x00\x53\x15\xc0\x07\x03\x41\x52\x09\x52\x01"),
		"a thousand begins":          opened + strings.Repeat(framed(beginBody), 1000),
	}
}

// nested is a list in a list in a list.
func nested(depth int) string {
	b := []byte{0x45}
	for range depth {
		size := binary.BigEndian.AppendUint32([]byte{0xd0}, uint32(len(b)+4))
		b = append(append(size, 0, 0, 0, 1), b...)
	}
	return string(b)
}

// TestHostile: none of it stops the server, holds up the others or fills memory.
func TestHostile(t *testing.T) {
	s := harness.Start(t)
	c := harness.Driver(t, "go")
	// An honest client, at work all the while.
	honest := receiving(t, c, s, "honest", harness.Fields{"count": 500, "idle_ms": 60_000, "credit": 10})
	sent := c.Do(t, harness.Fields{"cmd": "send", "url": s.URL, "address": "honest", "producer": "go", "count": 500, "window": 5})

	before := residentKiB(t, s.PID())
	t.Run("bytes", func(t *testing.T) {
		for name, bytes := range hostile() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				// Whatever came, the answer is AMQP (amqp 2.2) or nothing; HTTP's is its own.
				want := "AMQP"
				if name == "HTTP" {
					want = "HTTP/1.1 426 "
				}
				if answer := provoke(t, s, bytes); answer != "" && !strings.HasPrefix(answer, want) {
					t.Errorf("answered %q", answer)
				}
			})
		}
	})
	if grown := residentKiB(t, s.PID()) - before; grown > 256<<10 {
		t.Errorf("resident memory grew by %d MiB", grown>>10)
	}
	if done, _ := sent.Done(t); done.Accepted != 500 {
		t.Errorf("%d of 500 accepted", done.Accepted)
	}
	inOrder(t, messages(t, honest), "go", 1, 64)
	// And once more with everybody, in case something was left behind.
	for _, name := range harness.Names {
		send(t, harness.Driver(t, name), s, "after", harness.Fields{"count": 10})
		inOrder(t, receive(t, harness.Driver(t, name), s, "after", 10), name, 1, 64)
	}
	if log := s.Log(); strings.Contains(log, "panic") || strings.Contains(log, "goroutine ") {
		t.Errorf("the log shows a panic:\n%s", log)
	}
}

// TestConditions: what is wrong is said in AMQP's words before the connection goes.
func TestConditions(t *testing.T) {
	s := harness.Start(t)
	all := hostile()
	tests := map[string]string{
		"a frame of four billion":    "amqp:connection:framing-error",
		"a frame of seven bytes":     "amqp:connection:framing-error",
		"a list of four billion":     "amqp:decode-error",
		"a count of four billion":    "amqp:decode-error",
		"deep nesting":               "amqp:decode-error",
		"transfer without a link":    "amqp:session:unattached-handle",
		"flow for an unknown handle": "amqp:session:unattached-handle",
	}
	for name, condition := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if answer := provoke(t, s, all[name]); !strings.Contains(answer, condition) {
				t.Errorf("answered %q, want %s in it", answer, condition)
			}
		})
	}
}

// provoke writes bytes to the server, says that no more will come, and returns
// the answer up to the end of the connection. A server that keeps a connection
// open on which nothing more can come fails the test.
func provoke(t *testing.T, s *harness.Server, bytes string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(harness.Patience)); err != nil {
		t.Fatal(err)
	}
	// The server may hang up before it has read all; what it said counts.
	_, _ = io.WriteString(conn, bytes)
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection stayed open; answered so far: %q", answer)
	}
	return string(answer)
}

// residentKiB is the resident memory of a process.
func residentKiB(t testing.TB, pid int) int { return memoryKiB(t, pid, "VmRSS:") }

// memoryKiB is a line of /proc/PID/status.
func memoryKiB(t testing.TB, pid int, line string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(status), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, line) })
	if i < 0 {
		t.Fatalf("no %s in %s", line, status)
	}
	return atoi(t, strings.Fields(lines[i])[1])
}
