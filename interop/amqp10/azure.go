package amqp10

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/interop"
)

const (
	claimsNode  = "$cbs"
	manageNode  = "/$management"
	sasType     = "servicebus.windows.net:sastoken"
	requestTime = 15 * time.Second
	// maxSubscription is how long the name of a subscription of Service Bus may be.
	maxSubscription = 50
)

// azure is what a session at Service Bus has besides: tokens for each entity, locks of
// messages, and sessions of entities, which have to be renewed.
type azure struct {
	s           *session
	host        string
	policy, key string
	sessionIdle time.Duration

	mu        sync.Mutex           // held for a while at most, never while the peer is asked
	permitted map[string]time.Time // until when, by entity
	locks     map[delivered]lock
	claims    *node            // held by the connection
	managers  map[string]*node // the same; by entity
}

// startAzure prepares a session.
func (s *session) startAzure(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	z := &azure{s: s, host: u.Hostname(), sessionIdle: sessionIdle, permitted: map[string]time.Time{}, locks: map[delivered]lock{}, managers: map[string]*node{}}
	z.policy, z.key = s.t.settings.login(u)
	if err := s.conn.Do(func() { z.claims = s.openNode(claimsNode) }); err != nil {
		return err
	}
	select {
	case <-z.claims.ready:
	case <-z.claims.over:
		return z.claims.err
	case <-s.conn.Ended():
		return s.conn.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.conn.Do(func() { s.azure = z })
}

// permit puts a token for an entity, if there is none that lasts.
func (z *azure) permit(ctx context.Context, entity string, now time.Time) error {
	z.mu.Lock()
	until := z.permitted[entity]
	z.mu.Unlock()
	if until.Sub(now) > tokenLife/3 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	resource := "amqp://" + z.host + "/" + entity
	until = now.Add(tokenLife)
	_, err := z.claims.call(ctx, wire.Map{
		{Key: "operation", Value: "put-token"},
		{Key: "type", Value: sasType},
		{Key: "name", Value: resource},
		{Key: "expiration", Value: wire.Timestamp(until.UnixMilli())},
	}, token(resource, z.policy, z.key, until))
	if err != nil {
		return fmt.Errorf("no right to use %s: %w", entity, err)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.permitted[entity] = until
	return nil
}

// permitSending puts tokens for all that messages go to.
func (z *azure) permitSending(ctx context.Context, s *session, all []interop.Outbound) error {
	now := time.Now()
	var last interop.Destination
	for i := range all {
		if all[i].To == last {
			continue
		}
		last = all[i].To
		if err := z.permitOne(ctx, s.peer.address(last, s.t.settings.prefix, true), now); err != nil {
			return err
		}
	}
	return nil
}

// permitOne is permit. Of an entity that is not there its link will tell; a token that is
// refused is the end of the session, or messages would be given up for a wrong key.
func (z *azure) permitOne(ctx context.Context, entity string, now time.Time) error {
	err := z.permit(ctx, entity, now)
	var refused *errNode
	if errors.As(err, &refused) && refused.code == 404 {
		z.s.sink.Note(err.Error())
		return nil
	}
	return err
}

// permitImports is permitSending for what comes in.
func (z *azure) permitImports(ctx context.Context, _ *session, all []interop.Destination) error {
	now := time.Now()
	for _, d := range all {
		if name.IsWildcard(d.Name) {
			continue
		}
		entity := z.source(d)
		if err := z.permitOne(ctx, entity, now); err != nil {
			return err
		}
		if err := z.permitOne(ctx, entity+manageNode, now); err != nil {
			return err
		}
	}
	return nil
}

// source is an entity's address: a topic's messages come from a subscription, which has
// to be there, and is called as this transport is, unless the name says another.
func (z *azure) source(d interop.Destination) string {
	full := z.s.t.settings.prefix + d.Name
	if d.Kind == interop.Queue || strings.Contains(strings.ToLower(full), "/subscriptions/") {
		return full
	}
	return full + "/Subscriptions/" + subscriptionName(z.s.t.settings.cmName)
}

// subscriptionName makes a name that Service Bus takes: letters, digits, and - . _
func subscriptionName(text string) string {
	made := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
			return c
		}
		return '-'
	}, text)
	return made[:min(len(made), maxSubscription)]
}

// tend renews what is due, and says how long there is until the next.
func (z *azure) tend(now time.Time) time.Duration {
	next := min(z.tendTokens(now), z.tendLocks(now), z.tendSessions(now))
	return max(next, 100*time.Millisecond)
}

// tendTokens renews the tokens of links that stay.
func (z *azure) tendTokens(now time.Time) time.Duration {
	next := tokenLife
	used := map[string]bool{}
	_ = z.s.conn.Do(func() { // if it has ended nothing is due
		for _, d := range z.s.recent {
			used[d.address] = true
		}
		for d := range z.s.imports { // order: irrelevant
			used[z.source(d)], used[z.source(d)+manageNode] = true, true
		}
	})
	z.mu.Lock()
	var due []string
	for entity, until := range z.permitted { // order: irrelevant
		switch left := until.Sub(now) - tokenLife/3; {
		case left > 0:
			next = min(next, left)
		case used[entity]:
			due = append(due, entity)
		default:
			delete(z.permitted, entity)
		}
	}
	z.mu.Unlock()
	for _, entity := range due {
		if err := z.permit(z.s.ctx, entity, now); err != nil {
			z.s.sink.Note(err.Error())
			next = min(next, requestTime) // and again
		}
	}
	return next
}

// comesBack says whether a link's end is one of those that happen at Service Bus every
// day: it is attached again, and nobody needs to know.
func (z *azure) comesBack(r *receiver, e *frame.Error, was bool) bool {
	if e == nil {
		return false
	}
	switch {
	case !was && !r.grouped && e.Condition == frame.ConditionNotAllowed && strings.Contains(strings.ToLower(e.Description), "session"):
		r.grouped = true
		z.s.sink.Note(r.to.Name + " needs sessions: they are taken one after the other")
		r.attach()
		return true
	case e.Condition == frame.ConditionDetachForced && was, e.Condition == "com.microsoft:timeout", e.Condition == "com.microsoft:session-lock-lost":
		r.due = time.Now().Add(firstRetry)
		r.tell()
		notify(z.s.tasks)
		return true
	}
	return false
}
