package store

import (
	"testing"

	"github.com/tidegate/tidegate/persist/sparse"
)

// TestAgeing: what lives of a page leaves the buffers in which it came once that
// is less than half of their bytes, and old; a page that is full stays as it
// is, and so does one whose rest goes soon anyway.
func TestAgeing(t *testing.T) {
	const size = 1000
	own := func(c *contents, id uint64) bool { return c.get(id) != nil && c.get(id).own }
	page := func(c *contents, number uint64) {
		buffer := make([]byte, sparse.PageIDs*size)
		for i := range uint64(sparse.PageIDs) {
			c.put(number*sparse.PageIDs+i, nil, [][]byte{buffer[i*size : (i+1)*size]}, false)
		}
	}
	// later puts and drops so much newer content that all before is old.
	later := func(c *contents, from uint64) {
		for n := from; n < from+2*youngBytes/(sparse.PageIDs*size)+2; n++ {
			page(c, n)
			for i := range uint64(sparse.PageIDs) {
				c.drop(n*sparse.PageIDs + i)
			}
		}
		for c.agedPage() {
			for at := c.age(0); at > 0; at = c.age(at) {
			}
		}
	}
	var c contents
	page(&c, 1)
	page(&c, 2)
	for i := range uint64(sparse.PageIDs) {
		if i%8 != 0 { // an eighth of page 2 stays
			c.drop(2*sparse.PageIDs + i)
		}
	}
	if own(&c, 2*sparse.PageIDs) {
		t.Error("copied before it is old")
	}
	later(&c, 3)
	if own(&c, sparse.PageIDs) {
		t.Error("a full page was copied")
	}
	for i := uint64(0); i < sparse.PageIDs; i += 8 {
		if !own(&c, 2*sparse.PageIDs+i) {
			t.Fatalf("content %d of a sparse page keeps the buffer it came in", i)
		}
	}
	for i := range uint64(sparse.PageIDs) {
		if i != 700 { // one message stays of page 1, which was passed over
			c.drop(sparse.PageIDs + i)
		}
	}
	later(&c, 200)
	if !own(&c, sparse.PageIDs+700) {
		t.Error("the last content of a page keeps its buffer")
	}
	if n := len(c.young); n > youngBytes/(sparse.PageIDs*size)+2 {
		t.Errorf("%d pages are still remembered", n)
	}
}
