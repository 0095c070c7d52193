package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// breakSeeds is within how many seeds a break must be found.
const breakSeeds = 2000

// finds runs seeds until a checker says what is wanted of a break; whatever else
// the break leads to is passed over.
func finds(t *testing.T, want string, b func() breaks) {
	t.Helper()
	findsIn(t, Plan, want, b)
}

func findsIn(t *testing.T, plan func(seed uint64) []Action, want string, b func() breaks) {
	t.Helper()
	t.Parallel()
	other := map[string]int{}
	for seed := uint64(1); seed <= breakSeeds; seed++ {
		_, err := run(plan(seed), b())
		if err == nil {
			continue
		}
		if strings.Contains(err.Error(), want) {
			t.Logf("seed %d: %v", seed, err)
			return
		}
		other[kind(err)]++
	}
	t.Errorf("%d seeds do not find %q, but %v", breakSeeds, want, other)
}

// eager is a journal that says that all is durable as soon as it is appended.
type eager struct{ *watched }

func (j eager) Stable() (written, synced uint64) {
	j.watched.Stable()
	n := uint64(len(j.w.tape.records))
	return n, n
}

func TestBreakDurabilityGateOff(t *testing.T) {
	finds(t, "was accepted and never came", func() breaks {
		return breaks{journal: func(j *watched) server.Journal { return eager{j} }}
	})
}

// lazyDisk is a file system whose syncs do nothing.
type lazyDisk struct{ vfs.FS }

type lazyFile struct{ vfs.File }

func (lazyFile) Sync() error { return nil }

func (d lazyDisk) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return lazyFile{f}, err
}

func (d lazyDisk) Open(name string) (vfs.File, error) {
	f, err := d.FS.Open(name)
	return lazyFile{f}, err
}

func TestBreakSyncsThatDoNothing(t *testing.T) {
	finds(t, "promised were", func() breaks {
		return breaks{fs: func(fs vfs.FS) vfs.FS { return lazyDisk{fs} }}
	})
}

// rewrite changes records on their way to the store.
func rewrite(change func(r *core.Record) bool) func(*record.Record) {
	return func(r *record.Record) {
		c, err := server.Decode(*r)
		if err != nil {
			panic(err)
		}
		if change(&c) {
			body, need := r.Body, r.Need
			*r = server.Encode(&c)
			r.Body, r.Need = body, need
		}
	}
}

// forgetRemovals leaves acknowledgements out of the log.
func forgetRemovals(r *core.Record) bool {
	if r.Kind == core.RecRemove {
		r.Kind, r.Run.First = core.RecOffered, 0
		return true
	}
	return false
}

func TestBreakAcknowledgementForgottenByTheLog(t *testing.T) {
	finds(t, "its acknowledgement was confirmed", func() breaks {
		return breaks{record: rewrite(forgetRemovals), blind: true}
	})
}

// forgetBridged leaves what came by a bridge out of the log.
func forgetBridged(r *core.Record) (changed bool) {
	bridged := func(p core.Place) bool { return p.Flags&core.PlaceBridged != 0 }
	n := len(r.More)
	r.More = slices.DeleteFunc(slices.Clone(r.More), bridged)
	return len(r.More) < n
}

func TestBreakBridgeForgottenByTheLog(t *testing.T) {
	finds(t, "was accepted and never came", func() breaks {
		return breaks{record: rewrite(forgetBridged), blind: true}
	})
}

// delays changes the delay of what is placed in a holding queue.
func delays(change func(p *core.Place)) func(*record.Record) {
	return places(func(p *core.Place) bool {
		if p.Delay != nil {
			change(p)
			return true
		}
		return false
	})
}

// places changes where messages are placed.
func places(change func(p *core.Place) bool) func(*record.Record) {
	return func(in *record.Record) {
		rewrite(func(r *core.Record) (changed bool) {
			for _, p := range append(pointers(r.More), &r.Place) {
				changed = change(p) || changed
			}
			if r.Kind == core.RecMessage && changed {
				var err error
				if r.Content, err = message.FromBytes(coremessage.FormatAMQP, in.Body); err != nil {
					return false // it lies in a file
				}
			}
			return changed && in.Kind&record.FileBit == 0
		})(in)
	}
}

func pointers(all []core.Place) (p []*core.Place) {
	for i := range all {
		p = append(p, &all[i])
	}
	return p
}

func TestBreakDelayForgottenByTheLog(t *testing.T) {
	finds(t, "before its time", func() breaks {
		return breaks{blind: true, record: delays(func(p *core.Place) { p.Delay.Due = 1 })}
	})
}

func TestBreakDelayedMessageForgottenByTheLog(t *testing.T) {
	finds(t, "was accepted and never came", func() breaks {
		return breaks{blind: true, record: delays(func(p *core.Place) { p.Delay = nil })}
	})
}

// TestBreakPreserveForgottenByTheLog: a restart must know which messages are not to
// vanish when they expire or come back too often.
func TestBreakPreserveForgottenByTheLog(t *testing.T) {
	finds(t, "was to be kept and is not in", func() breaks {
		return breaks{blind: true, record: places(func(p *core.Place) bool {
			had := p.Flags&core.PlacePreserve != 0
			p.Flags &^= core.PlacePreserve
			return had
		})}
	})
}

func TestBreakRecordAppliedOnlyLive(t *testing.T) {
	finds(t, "not what its records say", func() breaks {
		return breaks{record: rewrite(forgetRemovals)}
	})
}

func TestBreakTransactionSplitInTheLog(t *testing.T) {
	finds(t, "its acknowledgement was confirmed", func() breaks {
		holding := map[core.QueueID]bool{} // what leaves these is no transaction
		return breaks{blind: true, record: rewrite(func(r *core.Record) bool {
			if r.Kind == core.RecQueue && strings.HasPrefix(r.Define.Destination.Name, "$sys.delayed.") {
				holding[r.Define.Queue] = true
			}
			split := r.Kind == core.RecCommit && len(r.Runs) > 0 && !holding[r.Runs[0].Queue]
			if split {
				r.Runs = nil
			}
			return split
		})}
	})
}

// lostAnswer is a plan in which the answer to a commit is lost with the process,
// somewhere around the moment in which the commit becomes durable.
func lostAnswer(seed uint64) []Action {
	plan, err := ParseScript(fmt.Sprintf(`
		world failsafe=1 segment=65536 memory=1048576 held=1048576 window=2048 frame=65536
		connect client=0
		sender client=0 dest=0
		sender client=0 dest=1
		receiver client=0 source=2
		run steps=60 seed=1
		send client=0 link=1 n=1 size=10
		credit client=0 link=0 n=1
		begin client=0
		run steps=60 seed=1
		send client=0 link=0 n=2 flags=%d size=10
		settle client=0 link=0 n=1 how=0 flags=%d
		run steps=60 seed=1
		discharge client=0 txn=0
		run steps=%d seed=%d
		kill`, sendTxn, settleTxn, seed%20, seed))
	if err != nil {
		panic(err)
	}
	return plan
}

func TestBreakTransactionHalfLost(t *testing.T) {
	findsIn(t, lostAnswer, "is split", func() breaks {
		return breaks{blind: true, record: rewrite(func(r *core.Record) bool {
			split := r.Kind == core.RecCommit && len(r.Runs) > 0
			if split {
				r.More = nil
			}
			return split
		})}
	})
}

// TestALostAnswerLeavesATransactionWhole is the plan of that break, without it.
func TestALostAnswerLeavesATransactionWhole(t *testing.T) {
	for seed := range uint64(100) {
		if err := Run(lostAnswer(seed)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// swapped is a journal that gives every other message for its neighbour.
type swapped struct{ *watched }

func (j swapped) Bytes(id uint64) (head []byte, body [][]byte, ok bool) {
	if head, body, ok := j.watched.Bytes(id ^ 1); ok {
		return head, body, true
	}
	return j.watched.Bytes(id)
}

func TestBreakOrderSwapped(t *testing.T) {
	finds(t, "out of order", func() breaks {
		return breaks{journal: func(j *watched) server.Journal { return swapped{j} }}
	})
}

// change rewrites one kind of frame on the wire.
func change[P frame.Performative](code uint64, p func() P, how func(P, []byte) (keep bool, payload []byte)) func(uint16, []byte) []byte {
	return func(_ uint16, body []byte) []byte {
		if c, _ := frame.Code(body); c != code {
			return body
		}
		f := p()
		n, err := any(f).(interface {
			Decode(b []byte, lim *wire.Limits) (int, error)
		}).Decode(body, nil)
		if err != nil {
			panic(err)
		}
		keep, payload := how(f, body[n:])
		if !keep {
			return nil
		}
		return append(f.Append(nil), payload...)
	}
}

func TestBreakRedeliveredFlagOmitted(t *testing.T) {
	finds(t, "comes again unflagged", func() breaks {
		return breaks{down: change(frame.CodeTransfer, newTransfer, func(f *frame.Transfer, payload []byte) (bool, []byte) {
			if !f.DeliveryID.OK {
				return true, payload // a continuation
			}
			h, at, err := message.SkipHeader(payload, nil)
			if err != nil || at > len(payload) {
				return true, payload
			}
			return true, append(message.AppendHeader(nil, h.Durable, h.Priority, h.TTL, true, 0), payload[at:]...)
		})}
	})
}

func TestBreakCreditIgnored(t *testing.T) {
	finds(t, "credit exceeded", func() breaks {
		return breaks{up: change(frame.CodeFlow, func() *frame.Flow { return new(frame.Flow) }, func(f *frame.Flow, _ []byte) (bool, []byte) {
			if f.LinkCredit.OK && f.LinkCredit.V > 0 {
				f.LinkCredit.V += 3
			}
			return true, nil
		})}
	})
}

func TestBreakDrainNotAnswered(t *testing.T) {
	finds(t, "is not answered", func() breaks {
		return breaks{down: change(frame.CodeFlow, func() *frame.Flow { return new(frame.Flow) }, func(f *frame.Flow, _ []byte) (bool, []byte) {
			return !f.Drain, nil
		})}
	})
}

func newDisposition() *frame.Disposition { return new(frame.Disposition) }

func newTransfer() *frame.Transfer { return new(frame.Transfer) }

func accepts(f *frame.Disposition) bool {
	_, ok := f.State.(frame.Accepted)
	return ok && f.Role == frame.RoleReceiver && f.Settled
}

func TestBreakAcknowledgementForgotten(t *testing.T) {
	finds(t, "its acknowledgement was confirmed", func() breaks {
		return breaks{up: change(frame.CodeDisposition, newDisposition, func(f *frame.Disposition, _ []byte) (bool, []byte) {
			return !accepts(f), nil
		})}
	})
}

func TestBreakAcknowledgementTakenForRelease(t *testing.T) {
	finds(t, "acknowledged on a connection that lives", func() breaks {
		return breaks{up: change(frame.CodeDisposition, newDisposition, func(f *frame.Disposition, _ []byte) (bool, []byte) {
			if accepts(f) {
				f.State = frame.Released{}
			}
			return true, nil
		})}
	})
}

func TestBreakSendOutsideOfItsTransaction(t *testing.T) {
	finds(t, "its transaction is open", func() breaks {
		return breaks{up: change(frame.CodeTransfer, newTransfer, func(f *frame.Transfer, payload []byte) (bool, []byte) {
			if f.Settled.Or(false) {
				f.State = nil
			}
			return true, payload
		})}
	})
}

// TestBreakAcknowledgementOfASecondSessionOutsideOfItsTransaction: the transaction is the
// other session's.
func TestBreakAcknowledgementOfASecondSessionOutsideOfItsTransaction(t *testing.T) {
	finds(t, "was accepted and never came", func() breaks {
		takesOut := change(frame.CodeDisposition, newDisposition, func(f *frame.Disposition, _ []byte) (bool, []byte) {
			if s, ok := f.State.(*frame.TransactionalState); ok {
				f.State = s.Outcome
			}
			return true, nil
		})
		return breaks{up: func(channel uint16, body []byte) []byte {
			if channel == 0 {
				return body
			}
			return takesOut(channel, body)
		}}
	})
}

// hoarder is a journal that never lets go of a message.
type hoarder struct{ *watched }

func (hoarder) Release(uint64, []uint64) {}

func TestBreakMessagesNeverReleased(t *testing.T) {
	finds(t, "nobody has any", func() breaks {
		return breaks{journal: func(j *watched) server.Journal { return hoarder{j} }}
	})
}

// without is a broker that was not told of a property.
func without(id property.ID) func() breaks {
	return func() breaks { return breaks{policy: func(v *property.Value) bool { return v.ID != id }} }
}

func TestBreakMaxRedeliveryIgnored(t *testing.T) {
	finds(t, "its maxRedelivery is", without(property.MaxRedelivery))
}

func TestBreakRedeliveryDelayIgnored(t *testing.T) {
	finds(t, "before its redelivery delay is over", without(property.RedeliveryDelay))
}

func TestBreakLimitIgnored(t *testing.T) {
	finds(t, "its maxmsgs is", without(property.MaxMsgs))
}

// TestBreakOverflowTakesWhatWasAccepted: a broker that discards where it should refuse.
func TestBreakOverflowTakesWhatWasAccepted(t *testing.T) {
	finds(t, "was accepted and never came", func() breaks {
		return breaks{policy: func(v *property.Value) bool {
			if v.ID == property.OverflowPolicy {
				v.Text = "discardOld"
			}
			return true
		}}
	})
}

// discards is a plan in which room is made, and the process dies.
func discards(seed uint64) []Action {
	plan, err := ParseScript(fmt.Sprintf(`
		world failsafe=1 segment=65536 memory=1048576 held=1048576 window=2048 frame=65536
		define dest=0 msgs=2 overflow=2
		connect client=0
		sender client=0 dest=0
		run steps=60 seed=1
		send client=0 link=0 n=1 size=10
		run steps=60 seed=%d
		send client=0 link=0 n=1 size=10
		run steps=60 seed=%d
		send client=0 link=0 n=1 size=10
		run steps=60 seed=%d
		kill`, seed, seed, seed))
	if err != nil {
		panic(err)
	}
	return plan
}

func TestRoomIsMadeInOrder(t *testing.T) {
	for seed := range uint64(100) {
		if err := Run(discards(seed)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestBreakOverflowTakesTheWrongOne: the log has the neighbour of what was discarded.
func TestBreakOverflowTakesTheWrongOne(t *testing.T) {
	findsIn(t, discards, "was older and stays", func() breaks {
		return breaks{blind: true, record: rewrite(func(r *core.Record) bool {
			removes := r.Kind == core.RecRemove && r.Run.Count == 1
			if removes {
				r.Run.First++
			}
			return removes
		})}
	})
}

func TestBreakExclusiveIgnored(t *testing.T) {
	finds(t, "its queue is exclusive and serves", without(property.Exclusive))
}

func TestBreakExpirationIgnored(t *testing.T) {
	finds(t, "its header came otherwise", without(property.Expiration))
}

// forgetCounts leaves failed attempts out of the log.
func forgetCounts(r *core.Record) bool {
	if r.Kind == core.RecCount && r.Due == 0 {
		r.Kind, r.Run.First = core.RecOffered, 0
		return true
	}
	return false
}

func TestBreakAttemptForgottenByTheLog(t *testing.T) {
	finds(t, "attempts of it have failed, it counts fewer", func() breaks {
		return breaks{blind: true, record: rewrite(forgetCounts)}
	})
}

func TestBreakRedeliveryDelayForgottenByTheLog(t *testing.T) {
	finds(t, "before its redelivery delay is over", func() breaks {
		return breaks{blind: true, record: rewrite(func(r *core.Record) bool {
			waits := r.Kind == core.RecCount && r.Due != 0
			if waits {
				r.Due = 0
			}
			return waits
		})}
	})
}

// ofUndelivered changes what the log is told of messages that go to $sys.undelivered.
func ofUndelivered(change func(r *core.Record)) func() breaks {
	return func() breaks {
		return breaks{blind: true, record: rewrite(func(r *core.Record) bool {
			moves := r.Kind == core.RecCommit && len(r.More) == 1 && r.More[0].Flags&core.PlaceReason != 0
			if moves {
				change(r)
			}
			return moves
		})}
	}
}

func TestBreakUndeliveredForgottenByTheLog(t *testing.T) {
	finds(t, "was to be kept and is not in", ofUndelivered(func(r *core.Record) { r.More = nil }))
}

// gaveUp is a plan in which a message uses up its attempts, comes out of
// $sys.undelivered, and the process dies.
func gaveUp(seed uint64) []Action {
	plan, err := ParseScript(fmt.Sprintf(`
		world failsafe=1 segment=65536 memory=1048576 held=1048576 window=2048 frame=65536
		define dest=0 redelivery=2
		connect client=0
		sender client=0 dest=0
		receiver client=0 source=0
		receiver client=0 source=%d
		run steps=60 seed=%d
		send client=0 link=0 n=1 flags=%d size=10
		credit client=0 link=0 n=2
		run steps=60 seed=1
		settle client=0 link=0 n=1 how=%d
		run steps=60 seed=1
		settle client=0 link=0 n=1 how=%d
		run steps=60 seed=1
		credit client=0 link=1 n=1
		run steps=60 seed=1
		kill`, len(sources)-1, seed, sendPreserve, settleFail, settleReject))
	if err != nil {
		panic(err)
	}
	return plan
}

func TestAttemptsEndInTheQueueOfUndelivered(t *testing.T) {
	for seed := range uint64(100) {
		w, err := run(gaveUp(seed), breaks{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if m := w.ledger.sends[0]; !m.copies[w.ledger.targets["q0"]].moved {
			t.Fatalf("seed %d: the message did not come out of %s", seed, core.UndeliveredQueue)
		}
	}
}

func TestBreakUndeliveredInBothPlaces(t *testing.T) {
	findsIn(t, gaveUp, "it was undelivered", ofUndelivered(func(r *core.Record) { r.Runs = nil }))
}

func TestBreakReasonForgottenByTheLog(t *testing.T) {
	finds(t, "it is said to be undelivered for", ofUndelivered(func(r *core.Record) { r.More[0].Flags &^= core.PlaceReason }))
}
