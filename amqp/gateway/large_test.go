package gateway_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/persist/vfs"
)

// roomy lets messages of 64 MiB in.
func roomy(w *world) { w.options.MaxMessageSize = 64 << 20 }

// largeMessage is one whose size is above what stays in memory.
func largeMessage(durable bool, size int) []byte {
	b := message.NewBuilder()
	b.Header.Durable = durable
	b.SetProperty("color", "red")
	b.SetData(bytes.Repeat([]byte("0123456789abcde\n"), size/16))
	return b.Append(nil)
}

const justLarge = coremessage.LargeAbove + 100_000

// stream sends a message in transfers of 60,000 bytes; last is what becomes of
// it in the end.
func (p *peer) stream(handle, id uint32, state frame.DeliveryState, body []byte, last *frame.Transfer) {
	t := transfer(handle, id)
	t.State = state
	for len(body) > 60_000 {
		t.More = true
		p.send(0, t, body[:60_000])
		body, t = body[60_000:], &frame.Transfer{Handle: handle}
	}
	if last != nil {
		t = last
		t.Handle = handle
	}
	p.send(0, t, body)
}

// arrived is what has come: the payload of the deliveries, joined by link, and
// every other frame as a line.
func (p *peer) arrived() (payload map[uint32][]byte, lines []string) {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	b := p.got
	p.got = nil
	p.mu.Unlock()
	payload = map[uint32][]byte{}
	for len(b) > 0 {
		h, err := frame.ParseHeader(b, 1<<24)
		if err != nil || int(h.Size) > len(b) {
			p.t.Fatalf("not a frame: %v", err)
		}
		f, rest, err := frame.Parse(b[h.Offset:h.Size], nil)
		if err != nil {
			p.t.Fatal(err)
		}
		if t, ok := f.(*frame.Transfer); ok && !t.Aborted {
			payload[t.Handle] = append(payload[t.Handle], rest...)
		} else {
			lines = append(lines, f.String())
		}
		b = b[h.Size:]
	}
	return payload, lines
}

// bare is a message behind its header.
func bare(t testing.TB, b []byte) []byte {
	t.Helper()
	_, at, err := message.SkipHeader(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b[at:]
}

// spooled are the files of large messages, once what was removed is flushed.
func (w *world) spooled() (names []string) {
	w.t.Helper()
	<-time.After(time.Second)
	synctest.Wait()
	all, err := w.disk.List("d")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range all {
		if strings.HasPrefix(name, "large-") {
			names = append(names, name)
		}
	}
	return names
}

func (w *world) wantFiles(n int) {
	w.t.Helper()
	if names := w.spooled(); len(names) != n {
		w.t.Errorf("files %v, want %d", names, n)
	}
}

// wantAccepted wants dispositions up to that of id, and at most flows beside.
func (p *peer) wantAccepted(id uint32) {
	p.t.Helper()
	_, lines := p.arrived()
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "flow") })
	if n := len(lines); n == 0 || !strings.Contains(lines[n-1], fmt.Sprintf("=%d settled=true state=accepted", id)) {
		p.t.Errorf("came %v, want delivery %d accepted", lines, id)
	}
}

const acceptedLine = "disposition role=receiver settled=true accepted"

func TestLargeMessageComesAndGoes(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprintf("durable %v", durable), func(t *testing.T) {
			conform(t, func(w *world) {
				sent := largeMessage(durable, justLarge)
				p := w.connected("a")
				p.attach(sender(0, "q"))
				p.send(0, transfer(0, 0), text("before"))
				p.want(acceptedLine)
				p.stream(0, 1, nil, sent, nil)
				p.send(0, transfer(0, 2), text("behind"))
				p.wantAccepted(2)
				w.wantFiles(1)
				if durable {
					w.restart()
					p = w.connected("a")
					w.wantDepth("q", 1)
				}
				p.attach(receiver(1, "q"))
				p.send(0, flow(1, 0, 10))
				payload, _ := p.arrived()
				if !bytes.Contains(payload[handleOf(payload)], bare(t, sent)) {
					t.Error("the bare message came altered")
				}
				p.send(0, settle(0, 9, &frame.Accepted{}))
				w.wantDepth("q", 0)
				w.wantFiles(0)
			}, roomy)
		})
	}
}

// handleOf is the gateway's handle of the only link that delivered.
func handleOf(payload map[uint32][]byte) (handle uint32) {
	for h := range payload { // order: there is one
		handle = h
	}
	return handle
}

// TestLargeMessageIsBeforeWhatCameBehindIt: while its file is being synced, a
// commit behind it waits, others do not, and nothing is accepted.
func TestLargeMessageIsBeforeWhatCameBehindIt(t *testing.T) {
	for _, fail := range []bool{false, true} {
		t.Run(fmt.Sprintf("fail %v", fail), func(t *testing.T) {
			var hold chan struct{}
			conform(t, func(w *world) {
				p := w.connected("a")
				p.attach(sender(0, "q"))
				p.attach(coordinator(1))
				txn := p.declare(1, 0)
				p.stream(0, 1, in(txn, nil), largeMessage(true, justLarge), nil)
				go p.send(0, transfer(1, 2), control(&frame.Discharge{TxnID: txn, Fail: fail}))
				p.want()
				other := w.connected("b")
				other.attach(sender(0, "other"))
				other.send(0, transfer(0, 0), durable("passes"))
				other.want(acceptedLine)
				close(hold)
				p.want("disposition settled=true transactional-state accepted", "disposition settled=true accepted")
				if fail {
					w.wantDepth("q", 0)
					w.wantFiles(0)
					return
				}
				w.wantDepth("q", 1)
				w.restart()
				w.wantDepth("q", 1)
				w.wantFiles(1)
			}, roomy, func(w *world) {
				hold = make(chan struct{}) // of the bubble
				w.fault = func(c vfs.Call) error {
					if c.Op == "sync" && strings.HasPrefix(c.Name, "large-") {
						<-hold
					}
					return nil
				}
			})
		})
	}
}

func TestLargeMessageGivenUp(t *testing.T) {
	for name, end := range map[string]func(p *peer){
		"aborted": func(p *peer) {
			p.send(0, &frame.Transfer{Handle: 0, Aborted: true})
			p.send(0, transfer(0, 1), text("next"))
			p.want(acceptedLine)
		},
		"detached": func(p *peer) {
			p.send(0, &frame.Detach{Handle: 0, Closed: true})
			p.want("detach closed=true !error")
		},
		"session ended": func(p *peer) {
			p.send(0, &frame.End{})
			p.want("end !error")
		},
		"connection lost": func(p *peer) { p.drop() },
		"too large": func(p *peer) {
			for range 10 {
				p.send(0, &frame.Transfer{Handle: 0, More: true}, make([]byte, 60_000))
			}
			p.want("detach closed=true message-size-exceeded")
		},
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p := w.connected("a")
				p.attach(sender(0, "q"))
				p.stream(0, 0, nil, largeMessage(true, justLarge), &frame.Transfer{More: true})
				p.want()
				w.wantFiles(1)
				end(p)
				w.wantFiles(0)
			}, func(w *world) { w.options.MaxMessageSize = justLarge + 200_000 })
		})
	}
}

func TestLargeMessageOnAFullDisk(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(sender(0, "q"))
		p.attach(coordinator(1))
		w.disk.SetLimit(w.disk.Used() + 3<<20)
		p.stream(0, 0, nil, largeMessage(true, 20<<20), nil)
		p.want("disposition role=receiver settled=true rejected resource-limit-exceeded")
		w.wantFiles(0)
		txn := p.declare(1, 1)
		p.stream(0, 2, in(txn, nil), largeMessage(true, 20<<20), nil)
		p.want("disposition settled=true transactional-state rejected resource-limit-exceeded")
		p.send(0, transfer(1, 3), control(&frame.Discharge{TxnID: txn}))
		p.want("disposition settled=true rejected transaction:rollback")
		p.send(0, transfer(0, 4), durable("small"))
		p.want(acceptedLine)
		w.wantDepth("q", 1)
		w.wantFiles(0)
	}, roomy)
}

// TestLargeMessageWaitsForTheDisk: the gateway reads no more than it may have
// waiting for the disk, and others do not wait.
func TestLargeMessageWaitsForTheDisk(t *testing.T) {
	var hold chan struct{}
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(sender(0, "q"))
		body := largeMessage(false, 20<<20)
		t := transfer(0, 0)
		written := make(chan int, 1000)
		go func() {
			for n := 0; n < len(body); {
				piece := body[n:min(n+60_000, len(body))]
				n += len(piece)
				t.More = n < len(body)
				p.send(0, t, piece)
				t = &frame.Transfer{Handle: 0}
				written <- n
			}
			close(written)
		}()
		synctest.Wait()
		if n := len(written) * 60_000; n < 1<<20 || n > 6<<20 {
			w.t.Errorf("%d bytes were read while the disk took none", n)
		}
		other := w.connected("b")
		other.attach(sender(0, "other"))
		other.send(0, transfer(0, 0), text("passes"))
		other.want(acceptedLine)
		close(hold)
		for range written {
			continue
		}
		p.wantAccepted(0)
	}, roomy, func(w *world) {
		hold = make(chan struct{}) // of the bubble
		w.fault = func(c vfs.Call) error {
			if c.Op == "write" && strings.HasPrefix(c.Name, "large-") {
				<-hold
			}
			return nil
		}
	})
}

func TestLargeMessageThatIsNone(t *testing.T) {
	front := message.NewBuilder()
	front.SetProperty("long", strings.Repeat("x", 1<<20-100))
	front.SetProperty("longer", strings.Repeat("x", 1<<20-100))
	front.SetData(nil)
	whole := largeMessage(true, justLarge)
	for name, body := range map[string][]byte{
		"properties that do not end in time": front.Append(nil),
		"no sections":                        make([]byte, justLarge),
		"a body that ends early":             whole[:len(whole)-1],
		"bytes behind the body":              append(slices.Clone(whole), 1, 2, 3),
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p := w.connected("a")
				p.attach(sender(0, "q"))
				p.stream(0, 0, nil, body, nil)
				p.want("disposition role=receiver settled=true rejected decode-error")
				w.wantFiles(0)
				p.send(0, transfer(0, 1), text("next"))
				p.want(acceptedLine)
			}, roomy)
		})
	}
}

// TestLargeMessageInSeveralPlaces: subscriptions share one file, which goes with
// the last of them; a browser and a selector see the message too.
func TestLargeMessageInSeveralPlaces(t *testing.T) {
	conform(t, func(w *world) {
		sent := largeMessage(true, justLarge)
		p := w.connected("a")
		p.send(0, subscriber(1, "one", withState, frame.TerminusExpiryPolicyNever))
		p.send(0, subscriber(2, "two", withState, frame.TerminusExpiryPolicyNever))
		p.lines()
		p.attach(topicSender(0))
		p.stream(0, 0, nil, sent, nil)
		p.want(acceptedLine)
		w.wantFiles(1)
		for i := range uint32(2) {
			p.send(0, flow(1+i, 0, 1))
			payload, _ := p.arrived()
			if got := payload[handleOf(payload)]; len(got) == 0 || !bytes.Equal(bare(t, got), bare(t, sent)) {
				t.Errorf("subscription %d got %d bytes", i, len(got))
			}
			w.wantFiles(1)
			p.send(0, settle(i, i, &frame.Accepted{}))
		}
		w.wantFiles(0)

		p.attach(sender(3, "q"))
		p.stream(3, 1, nil, sent, nil)
		p.want(acceptedLine)
		w.restart()
		p = w.connected("a")
		browser := receiver(0, "q")
		browser.Source.DistributionMode = "copy"
		p.attach(browser)
		p.send(0, flow(0, 0, 1))
		payload, _ := p.arrived()
		if got := payload[handleOf(payload)]; len(got) == 0 || !bytes.Equal(bare(t, got), bare(t, sent)) {
			t.Errorf("the browser got %d bytes", len(got))
		}
		chosen := receiver(1, "q")
		chosen.Name = "chosen"
		chosen.SndSettleMode = frame.SenderSettleModeSettled
		chosen.Source.Filter = wire.Map{{Key: wire.Symbol("apache.org:selector-filter:string"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: "color = 'red'"}}}
		p.attach(chosen)
		p.send(0, flow(1, 0, 1))
		payload, _ = p.arrived()
		if got := payload[handleOf(payload)]; len(got) == 0 || !bytes.Equal(bare(t, got), bare(t, sent)) {
			t.Errorf("the selector, at most once, got %d bytes", len(got))
		}
		w.wantDepth("q", 0)
		w.wantFiles(0)
	}, roomy)
}

func topicSender(handle uint32) *frame.Attach {
	a := sender(handle, "t")
	a.Target.(*frame.Target).Capabilities = symbols("topic")
	return a
}

// TestLargeMessageWithoutTakers: a file that no subscription wants goes at once.
func TestLargeMessageWithoutTakers(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(topicSender(0))
		p.stream(0, 0, nil, largeMessage(true, justLarge), nil)
		p.want(acceptedLine)
		w.wantFiles(0)
	}, roomy)
}

// TestLargeMessageDamaged: bytes that are not those that came never arrive as a
// whole message; the consumer that could not have it does not block the others.
func TestLargeMessageDamaged(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(sender(0, "q"))
		p.stream(0, 0, nil, largeMessage(true, justLarge), nil)
		p.send(0, transfer(0, 1), durable("sound"))
		p.wantAccepted(1)
		w.disk.Flip("d/"+w.spooled()[0], justLarge/2, 1)
		p.attach(receiver(1, "q"))
		p.send(0, flow(1, 0, 2))
		payload, lines := p.arrived()
		if len(lines) != 1 || !strings.Contains(lines[0], "aborted=true") {
			t.Errorf("frames %v", lines)
		}
		if got := payload[handleOf(payload)]; !bytes.Contains(got, []byte("sound")) {
			t.Error("the next message did not come")
		}
		p.send(0, settle(1, 1, &frame.Accepted{}))
		w.wantDepth("q", 1) // for an operator to see
		w.wantFiles(1)
	}, roomy)
}

// TestLargeMessageAtTheCoordinator: it is not even read.
func TestLargeMessageAtTheCoordinator(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(coordinator(0))
		p.stream(0, 0, nil, largeMessage(true, justLarge), nil)
		p.want("detach closed=true message-size-exceeded")
		w.wantFiles(0)
	}, roomy)
}

// TestLargeMessageLetsOthersPass: while its bytes are being read, what is for
// other links of the connection goes out.
func TestLargeMessageLetsOthersPass(t *testing.T) {
	var hold chan struct{}
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(sender(0, "q"))
		p.attach(sender(1, "other"))
		sent := largeMessage(true, justLarge)
		p.stream(0, 0, nil, sent, nil)
		p.wantAccepted(0)
		p.attach(receiver(2, "q"))
		p.send(0, flow(2, 0, 1))
		p.want()
		p.attach(receiver(3, "other"))
		p.send(0, flow(3, 0, 1))
		p.send(0, transfer(1, 1), text("passes"))
		p.want("transfer delivery-id=0 text=passes", acceptedLine)
		close(hold)
		payload, _ := p.arrived()
		if got := payload[handleOf(payload)]; len(got) == 0 || !bytes.Equal(bare(t, got), bare(t, sent)) {
			t.Errorf("%d bytes came", len(got))
		}
	}, roomy, func(w *world) {
		hold = make(chan struct{}) // of the bubble
		w.fault = func(c vfs.Call) error {
			if c.Op == "read" && strings.HasPrefix(c.Name, "large-") {
				<-hold
			}
			return nil
		}
	})
}

// TestLargeMessagesAtATimeAreBounded: one connection cannot have all files.
func TestLargeMessagesAtATimeAreBounded(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		body := largeMessage(false, justLarge)
		const most = 16
		for i := range uint32(most) {
			p.attach(sender(i, fmt.Sprintf("q%d", i)))
			p.stream(i, i, nil, body, &frame.Transfer{More: true})
		}
		p.attach(sender(most, "q"))
		p.stream(most, most, nil, body, nil)
		p.want("disposition role=receiver settled=true rejected resource-limit-exceeded")
		w.wantFiles(most)
		p.send(0, &frame.Transfer{Handle: 0, Aborted: true})
		p.stream(most, most+1, nil, body, nil)
		p.wantAccepted(most + 1)
	}, roomy)
}

// TestLargeMessagesTogetherWaitForTheDisk: many connections have no more waiting
// for the disk than a few may.
func TestLargeMessagesTogetherWaitForTheDisk(t *testing.T) {
	var hold chan struct{}
	conform(t, func(w *world) {
		const peers = 40 // each alone could have 4 MiB
		body := largeMessage(false, 4<<20)
		var taken atomic.Int64
		var sent sync.WaitGroup
		for i := range peers {
			p := w.connected(fmt.Sprint(i))
			p.attach(sender(0, "q"))
			sent.Go(func() {
				t := transfer(0, 0)
				for n := 0; n < len(body); {
					piece := body[n:min(n+60_000, len(body))]
					n += len(piece)
					t.More = n < len(body)
					p.send(0, t, piece)
					t = &frame.Transfer{Handle: 0}
					taken.Add(int64(len(piece)))
				}
			})
		}
		synctest.Wait()
		// What a connection has before its message counts as large is its own.
		if n, most := taken.Load(), int64(32<<20+peers*(2<<20)); n > most {
			w.t.Errorf("%d bytes were read while the disk took none, more than %d", n, most)
		}
		close(hold)
		sent.Wait()
		w.wantDepth("q", peers)
	}, roomy, func(w *world) {
		hold = make(chan struct{}) // of the bubble
		w.fault = func(c vfs.Call) error {
			if c.Op == "write" && strings.HasPrefix(c.Name, "large-") {
				<-hold
			}
			return nil
		}
	})
}
