package amqp091

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// TestGathered: what was written arrives, in the order of each writer, also what was
// written last before Close; a slow reader holds writers back.
func TestGathered(t *testing.T) {
	near, far := net.Pipe()
	g := gather(near)
	const writers, lines = 4, 500
	filler := bytes.Repeat([]byte("."), 1000)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range lines {
				if _, err := g.Write(append(fmt.Appendf(nil, "%d %04d ", w, i), filler...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	read := make(chan error)
	go func() {
		next := [writers]int{}
		for range writers * lines {
			line := make([]byte, 7+len(filler))
			if _, err := io.ReadFull(far, line); err != nil {
				read <- err
				return
			}
			var w, i int
			if _, err := fmt.Sscanf(string(line[:6]), "%d %d", &w, &i); err != nil || i != next[w] {
				read <- fmt.Errorf("writer %d: line %d came where %d should: %v", w, i, next[w], err)
				return
			}
			next[w]++
			g.mu.Lock()
			waiting := len(g.buf)
			g.mu.Unlock()
			if waiting > maxGathered+len(line) {
				read <- fmt.Errorf("%d bytes wait", waiting)
				return
			}
		}
		read <- nil
	}()
	writing.Wait()
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	go func() {
		b, err := io.ReadAll(far)
		if string(b) != "goodbye" {
			err = errors.Join(err, fmt.Errorf("the last word is %q", b))
		}
		read <- err
	}()
	if _, err := g.Write([]byte("goodbye")); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	if _, err := g.Write([]byte("x")); err == nil {
		t.Error("it can be written to after Close")
	}
}

// TestGatheredBroken: a writer that waits learns that the connection broke, and Close does
// not wait for a peer that reads nothing.
func TestGatheredBroken(t *testing.T) {
	near, far := net.Pipe()
	g := gather(near)
	broken := make(chan error)
	go func() {
		for {
			if _, err := g.Write(make([]byte, 100_000)); err != nil {
				broken <- err
				return
			}
		}
	}()
	first := make([]byte, 10)
	if _, err := io.ReadFull(far, first); err != nil {
		t.Fatal(err)
	}
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-broken; err == nil {
		t.Error("nobody was told")
	}
	_ = g.Close()

	near, _ = net.Pipe() // nobody reads
	g = gather(near)
	if _, err := g.Write([]byte("unread")); err != nil {
		t.Fatal(err)
	}
	_ = g.Close() // returns
}
