package nats

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/interop"
)

// duplicates is for how long a stream of ours knows the ids of its messages: what is sent
// again within it is not stored twice.
const duplicates = 10 * time.Minute

// maxStreams bounds how many streams are looked through for a subject.
const maxStreams = 4096

// importSuffix and the stream's name make the stream for imports that no other one has.
const importSuffix = "_IMPORT"

// join adds subjects to those of a stream, which must not overlap: one is not added where it
// is covered; what it covers goes; with what it overlaps otherwise it becomes one, wider.
func join(have []string, more ...string) []string {
	set, all, in := name.Trie[string]{}, slices.Clone(have), map[string]bool{}
	for _, subject := range have {
		set.Insert(subject, subject)
		in[subject] = true
	}
	for _, subject := range more {
		for {
			clash, covered := []string(nil), false
			set.Overlapping(subject, func(other string) bool {
				covered = covers(other, subject)
				clash = append(clash, other)
				return !covered
			})
			if covered {
				break
			}
			if len(clash) == 0 {
				set.Insert(subject, subject)
				all, in[subject] = append(all, subject), true
				break
			}
			for _, other := range clash {
				set.Remove(other, other)
				delete(in, other)
				subject = widest(subject, other)
			}
		}
	}
	kept := all[:0]
	for _, subject := range all {
		if in[subject] {
			kept = append(kept, subject)
			delete(in, subject)
		}
	}
	return kept
}

// widest gives the narrowest pattern that covers two that overlap: a token that differs is
// *, and > is where one of them ends in it.
func widest(a, b string) string {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	var all []string
	for i := range min(len(x), len(y)) {
		switch {
		case x[i] == ">" || y[i] == ">":
			return strings.Join(append(all, ">"), ".")
		case x[i] == y[i]:
			all = append(all, x[i])
		default:
			all = append(all, "*")
		}
	}
	return strings.Join(all, ".")
}

func same(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// prepare sees to it that each subject is some stream's: one that has it already, or the
// transport's own, made or grown. It says whether those take a time to live.
func (s *certified) prepare(ctx context.Context, subjects []string) (deadlines bool, err error) {
	of, err := s.holders(ctx, subjects)
	if err != nil {
		return false, err
	}
	deadlines = true
	var ours []string
	theirs := map[string][]string{}
	for _, subject := range subjects {
		i := of(subject)
		if i == nil || i.Config.Name == s.c.certified.stream {
			ours = append(ours, subject)
			continue
		}
		deadlines = deadlines && i.Config.AllowMsgTTL
		theirs[i.Config.Name] = append(theirs[i.Config.Name], subject)
	}
	for _, stream := range slices.Sorted(maps.Keys(theirs)) {
		what := theirs[stream][0]
		if n := len(theirs[stream]); n > 1 {
			what = fmt.Sprintf("%s and %d more", what, n-1)
		}
		s.note(fmt.Sprintf("%s: stream %s has the subject already, and gets the messages", what, stream))
	}
	if len(ours) == 0 {
		return deadlines, nil
	}
	i, err := s.grow(ctx, s.c.certified.stream, ours)
	if err != nil {
		return false, err
	}
	return deadlines && i.Config.AllowMsgTTL, nil
}

// held is a subject of a stream.
type held struct {
	pattern string
	stream  *jetstream.StreamInfo
}

// askEach is up to how many subjects are asked for one by one; for more the streams are
// listed once.
const askEach = 16

// holders gives the stream that has all messages of a subject, for each of subjects; nil:
// none has them all.
func (s *certified) holders(ctx context.Context, subjects []string) (of func(subject string) *jetstream.StreamInfo, err error) {
	ask := []string{""}
	if len(subjects) <= askEach {
		ask = subjects
	}
	set, seen := name.Trie[held]{}, map[string]bool{}
	for _, subject := range ask {
		streams, err := s.streamsOf(ctx, subject)
		if err != nil {
			return nil, err
		}
		for _, i := range streams {
			for _, p := range i.Config.Subjects {
				if !seen[p] {
					seen[p] = true
					set.Insert(p, held{p, i})
				}
			}
		}
	}
	return func(subject string) (found *jetstream.StreamInfo) {
		set.Overlapping(subject, func(h held) bool {
			if covers(h.pattern, subject) {
				found = h.stream
			}
			return found == nil
		})
		return found
	}, nil
}

// streamsOf lists the streams that have messages of a subject, maybe with wildcards; "" all.
func (s *certified) streamsOf(ctx context.Context, subject string) (all []*jetstream.StreamInfo, err error) {
	var only []jetstream.StreamListOpt
	if subject != "" {
		only = append(only, jetstream.WithStreamListSubject(subject))
	}
	list := s.js.ListStreams(ctx, only...)
	for i := range list.Info() {
		if len(all) < maxStreams {
			all = append(all, i)
		}
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("listing the streams of %s: %w", subject, err)
	}
	slices.SortFunc(all, func(x, y *jetstream.StreamInfo) int { return strings.Compare(x.Config.Name, y.Config.Name) })
	return all, nil
}

// grow has a stream have subjects besides those that it has; it makes the stream if there
// is none.
func (s *certified) grow(ctx context.Context, stream string, subjects []string) (*jetstream.StreamInfo, error) {
	st, err := s.js.Stream(ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return s.make(ctx, stream, subjects)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for stream %s: %w", stream, err)
	}
	i := st.CachedInfo()
	all := join(i.Config.Subjects, subjects...)
	if same(all, i.Config.Subjects) {
		return i, nil
	}
	changed := i.Config
	changed.Subjects = all
	if st, err = s.js.UpdateStream(ctx, changed); err != nil {
		return nil, fmt.Errorf("stream %s cannot have %s: %w", stream, strings.Join(subjects, ", "), err)
	}
	return st.CachedInfo(), nil
}

func (s *certified) make(ctx context.Context, stream string, subjects []string) (*jetstream.StreamInfo, error) {
	c := jetstream.StreamConfig{
		Name: stream, Subjects: subjects, Retention: jetstream.InterestPolicy, Storage: jetstream.FileStorage, Replicas: 1,
		Duplicates: duplicates, AllowMsgTTL: true,
		Description: "certified messages of tidegate " + s.c.gateway,
	}
	if s.c.certified.ttl > 0 {
		c.MaxAge = s.c.certified.ttl
		c.Duplicates = min(c.Duplicates, c.MaxAge)
	}
	st, err := s.js.CreateStream(ctx, c)
	if err != nil { // a server before 2.11 has no time to live for a message
		c.AllowMsgTTL = false
		var again error
		if st, again = s.js.CreateStream(ctx, c); again != nil {
			return nil, fmt.Errorf("stream %s cannot be made for %s: %w", stream, strings.Join(subjects, ", "), err)
		}
	}
	s.note(fmt.Sprintf("stream %s was made: file storage, one replica, a message stays until all consumers have it", stream))
	return st.CachedInfo(), nil
}

// mark gives a message its id, and its time to live.
func (s *certified) mark(o *interop.Outbound) {
	s.writer.set(jetstream.MsgIDHeader, o.ID)
	if !s.deadlines.Load() {
		return
	}
	ttl := s.c.certified.ttl
	if o.Expires > 0 {
		left := time.Until(time.UnixMilli(o.Expires))
		if ttl == 0 || left < ttl {
			ttl = left
		}
	}
	if o.Expires > 0 || ttl > 0 { // whole seconds, at least one
		s.writer.set("Nats-TTL", strconv.FormatInt(max(1, int64((ttl+time.Second-1)/time.Second)), 10))
	}
}

func sortedTags(m map[uint64]pending) []uint64 { return slices.Sorted(maps.Keys(m)) }
