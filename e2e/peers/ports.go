package peers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Ports lie below what the system gives to outgoing connections: a port of that
// range is lent to anybody's connection while its broker is down, and a client
// that dials it again and again may be connected to itself. So they are not asked
// of the system by :0, but drawn, held by a locked file against other processes,
// and tried (decision 0108).
const (
	firstPort = 12000
	portTries = 1000
)

// port is one that no other peer of this machine uses.
type port struct {
	number int
	lock   *os.File
}

func (p port) String() string { return strconv.Itoa(p.number) }

// reserve draws a port of loopback on which nobody listens.
func reserve() (port, error) {
	folder := filepath.Join(os.TempDir(), "tidegate-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return port{}, fmt.Errorf("reserving a port: %w", err)
	}
	end := firstOutgoing()
	for range portTries {
		number := firstPort + rand.IntN(end-firstPort)
		lock, err := os.OpenFile(filepath.Join(folder, strconv.Itoa(number)), os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return port{}, fmt.Errorf("reserving a port: %w", err)
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || !free(number) {
			_ = lock.Close()
			continue
		}
		return port{number, lock}, nil
	}
	return port{}, errors.New("reserving a port: " + strconv.Itoa(portTries) + " were taken")
}

// release lets others have it.
func (p port) release() { _ = p.lock.Close() }

// free says whether a broker could listen on it, on loopback or everywhere.
func free(number int) bool {
	for _, host := range []string{"127.0.0.1", ""} {
		l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(number)))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

// firstOutgoing is where the range of outgoing connections begins.
func firstOutgoing() int {
	const usual = 32768
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return usual
	}
	words := strings.Fields(string(text))
	if len(words) == 0 {
		return usual
	}
	first, err := strconv.Atoi(words[0])
	if err != nil || first < firstPort+portTries {
		return usual
	}
	return first
}

// Port is a port of loopback for a server of the test's own, as it is for brokers: nobody
// else of the tests has it until the test ends.
func Port(t testing.TB) string {
	t.Helper()
	p, err := reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.release)
	return p.String()
}
