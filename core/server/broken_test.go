package server

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/persist/record"
)

// oldTape is a journal with a subscription whose selector is none.
type oldTape struct{ *tape }

func (oldTape) Replay(each func(uint64, record.Record) error) error {
	return each(1, Encode(&core.Record{Kind: core.RecSubscription, Define: &core.Definition{
		Queue: 1, Destination: core.Destination{Kind: core.Topic, Name: "prices"}, Client: "desk", Name: "sub", Selector: "a = = 1",
	}}))
}

func TestAStoreWithASelectorThatIsNoneOpensWithAWarning(t *testing.T) {
	var log bytes.Buffer
	s, err := New(oldTape{&tape{last: 1}}, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, want := range []string{"level=WARN", "sub", "desk", "prices", "a = = 1", "unsubscribed"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	}
}
