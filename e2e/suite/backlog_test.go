package suite

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/e2e/harness"
)

// What the process may use beside --memory: itself (code, stacks, buffers of
// the store's writes and of one connection), and for each message its entry in
// a queue, the count of its holders, its place in the log, and the growth of
// the arrays that hold them.
const (
	backlogFixed      = 128 << 20
	backlogPerMessage = 50               // core: entry 24, holders 4; journal: index 8; their blocks and the collector's share
	backlogPerSwapped = 8                // where it stands in a swap file
	backlogPatience   = 10 * time.Minute // of the form with millions; the small one takes seconds
)

// backlogSize is the number of messages and the length of each: few, but longer,
// in make test, or what TIDEGATE_BACKLOG says (acceptance 4 of issue 4: 5000000)
// of 256 bytes.
func backlogSize(t *testing.T) (n, body int) {
	t.Helper()
	if text := os.Getenv("TIDEGATE_BACKLOG"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("TIDEGATE_BACKLOG=%s: %v", text, err)
		}
		return n, 256
	}
	if testing.Short() {
		return 60_000, 2048
	}
	return 150_000, 1024
}

// TestBacklogLargerThanMemory: more bytes than --memory are enqueued, the server
// is killed half way and stopped at the end, and every message comes in order
// and once. The process stays within the limit and its stated overhead.
func TestBacklogLargerThanMemory(t *testing.T) {
	n, body := backlogSize(t)
	limit := max(24<<20, int64(n)*int64(body)/8)
	args := []string{"--memory", strconv.FormatInt(limit, 10)}
	if n < 4_000_000 { // then files and log are as small in proportion, and spill too
		args = append(args, "--segment-bytes", strconv.Itoa(4<<20))
	}
	s := harness.Start(t, args...)
	began := time.Now()
	lap := func(what string) {
		peak := vmHWM(t, s)
		bound := limit + backlogFixed + int64(n)*backlogPerMessage
		t.Logf("%s: %v, VmHWM %d MiB of %d, %d MiB on disk", what, time.Since(began).Round(10*time.Millisecond), peak>>20, bound>>20, diskUse(t, s.Data)>>20)
		if peak > bound && !raced() {
			t.Errorf("%s: VmHWM is %d bytes, over the limit %d + %d + %d messages * %d = %d", what, peak, limit, backlogFixed, n, backlogPerMessage, bound)
		}
		began = time.Now()
	}
	enqueue(t, s, "backlog", true, 0, n/2, body)
	lap("half enqueued")
	s.Kill(t)
	s.Run(t)
	lap("recovered from SIGKILL")
	enqueue(t, s, "backlog", true, n/2, n, body)
	lap("all enqueued")
	s.Restart(t)
	lap("restarted")
	if spills, err := filepath.Glob(filepath.Join(s.Data, "spill-*")); err != nil || len(spills) == 0 {
		t.Errorf("nothing spilled: %v", err)
	}
	drain(t, s, "backlog", n, body)
	lap("drained")
	s.Stop(t)
	if r := s.Tool(t, "", "store", "verify", "--data", "{data}"); r.Code != 0 {
		t.Errorf("the store is damaged: %s%s", r.Stdout, r.Stderr)
	}
	s.Run(t)
}

// TestBacklogNotStoredLargerThanMemory: what is not persistent leaves memory as
// well, for files that go with it.
func TestBacklogNotStoredLargerThanMemory(t *testing.T) {
	n, body := backlogSize(t)
	if n > 1_000_000 {
		t.Skip("the form with millions is of what is stored")
	}
	limit := max(24<<20, int64(n)*int64(body)/8)
	s := harness.Start(t, "--memory", strconv.FormatInt(limit, 10))
	enqueue(t, s, "volatile", false, 0, n, body)
	swapped := diskUse(t, s.Data)
	drain(t, s, "volatile", n, body)
	bound := limit + backlogFixed + int64(n)*(backlogPerMessage+backlogPerSwapped)
	peak := vmHWM(t, s)
	t.Logf("VmHWM %d MiB of %d, %d MiB on disk when all was enqueued, %d at the end", peak>>20, bound>>20, swapped>>20, diskUse(t, s.Data)>>20)
	if peak > bound && !raced() {
		t.Errorf("VmHWM is %d bytes, over %d", peak, bound)
	}
	if left, err := filepath.Glob(filepath.Join(s.Data, "swap-*")); err != nil || len(left) > 1 {
		t.Errorf("swap files are left: %v, %v", left, err)
	}
}

// backlogMessage is message i: its number, then bytes that depend on it.
func backlogMessage(i, length int) []byte {
	body := make([]byte, length)
	binary.BigEndian.PutUint64(body, uint64(i))
	for k := 8; k < len(body); k++ {
		body[k] = byte(i + k)
	}
	return body
}

// enqueue sends the messages from one number to before another.
func enqueue(t *testing.T, s *harness.Server, address string, durable bool, from, to, length int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), backlogPatience)
	defer cancel()
	c, err := client.Dial(ctx, s.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sender, err := c.NewSender(address, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		b := message.NewBuilder()
		b.Header.Durable = durable
		b.SetData(backlogMessage(i, length))
		if err := sender.Send(ctx, b.Append(nil)); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if err := sender.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// drain receives and accepts n messages in order, and then wants nothing more.
func drain(t *testing.T, s *harness.Server, address string, n, length int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), backlogPatience)
	defer cancel()
	conn, err := amqp.Dial(ctx, s.URL, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := session.NewReceiver(ctx, address, &amqp.ReceiverOptions{Credit: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		m, err := r.Receive(ctx, nil)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if got := m.GetData(); string(got) != string(backlogMessage(i, length)) {
			t.Fatalf("message %d came as %d, %d bytes", i, number(got), len(got))
		}
		if err := r.AcceptMessage(ctx, m); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}
	nothingIn(ctx, t, s, address)
}

// nothingIn wants a drain to bring nothing.
func nothingIn(ctx context.Context, t *testing.T, s *harness.Server, address string) {
	t.Helper()
	c, err := client.Dial(ctx, s.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := c.NewReceiver(client.ReceiverOptions{Address: address, Browse: true, Credit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if d, more, err := r.Drain(ctx); err != nil || more {
		t.Fatalf("after the last message: %v, %v", d.Message, err)
	}
}

func number(b []byte) int64 {
	if len(b) < 8 {
		return -1
	}
	return int64(binary.BigEndian.Uint64(b))
}

// vmHWM is the largest resident set of the server's life, in bytes.
func vmHWM(t *testing.T, s *harness.Server) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	kib := int64(0)
	for _, line := range strings.Split(string(b), "\n") {
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// diskUse is the sum of the lengths of a folder's files.
func diskUse(t *testing.T, dir string) (sum int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
