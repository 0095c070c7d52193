package sim

import (
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/property"
)

// policies are what an administrator defined of a world's destinations, before
// anything was sent. The ledger reads the properties as core does, so that
// inheritance is not what is tested here.
type policies struct {
	queues, topics []property.Definition
	trees          [2]*property.Tree
}

// overflows are the values of an overflowPolicy, by the number that a plan gives.
var overflows = []string{"", "rejectIncoming", "discardOld"}

// policiesOf reads the definitions out of a plan, wherever they stand in it.
func policiesOf(plan []Action) (*policies, error) {
	p := &policies{trees: [2]*property.Tree{property.NewTree(property.Queue), property.NewTree(property.Topic)}}
	sets := map[string]property.Set{}
	var names []string
	for _, a := range plan {
		if a.Verb != "define" {
			continue
		}
		n := dests[a.Args[0]%len(dests)]
		if _, ok := sets[n]; !ok {
			names = append(names, n)
		}
		sets[n] = sets[n].Merge(properties(n, a.Args[1:]))
	}
	if len(names) == 0 {
		return p, nil
	}
	// Everything else may come into being by being used, as in EMS's files.
	p.queues = []property.Definition{{Name: ">"}}
	p.topics = []property.Definition{{Name: ">"}}
	for _, n := range names {
		d := property.Definition{Name: n, Set: sets[n]}
		all, tree := &p.queues, p.trees[0]
		if n[0] == 't' {
			all, tree = &p.topics, p.trees[1]
		}
		*all = append(*all, d)
		if err := tree.Put(d); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// properties are those of one define.
func properties(dest string, n []int) (set property.Set) {
	add := func(id property.ID, number int, text string) {
		if number > 0 {
			set = set.With(property.Value{ID: id, Number: int64(number), Text: text})
		}
	}
	add(property.MaxMsgs, n[2], "")
	add(property.OverflowPolicy, n[3]%len(overflows), overflows[n[3]%len(overflows)])
	add(property.Expiration, n[5], "")
	if dest[0] == 'q' {
		add(property.MaxRedelivery, n[0], "")
		add(property.RedeliveryDelay, n[1], "")
		add(property.Exclusive, n[4], "")
	}
	return set
}

func (p *policies) any() bool { return len(p.queues) > 0 }

// of gives what holds for a destination.
func (p *policies) of(dest string) *property.Policy {
	tree := p.trees[0]
	if dest[0] == 't' {
		tree = p.trees[1]
	}
	return tree.Policy(dest)
}

// defines says whether a queue is one that stays.
func (p *policies) defines(queue string) bool {
	for i := range p.queues {
		if p.queues[i].Name == queue {
			return true
		}
	}
	return property.IsSystem(property.Queue, queue)
}

// configure tells a new life of the broker what was defined.
func (p *process) configure() error {
	if !p.w.policies.any() {
		return nil
	}
	c := core.Configuration{Queues: p.w.policies.queues, Topics: p.w.policies.topics}
	if change := p.w.breaks.policy; change != nil {
		c.Queues, c.Topics = changed(c.Queues, change), changed(c.Topics, change)
	}
	_, err := p.server.Configure(c)
	return err
}

// changed is definitions as a break has them.
func changed(all []property.Definition, change func(*property.Value) bool) (others []property.Definition) {
	for _, d := range all {
		var set property.Set
		for _, v := range d.Set {
			if change(&v) {
				set = set.With(v)
			}
		}
		d.Set = set
		others = append(others, d)
	}
	return others
}

// limits checks that no queue holds more than it may.
func (p *process) limits() {
	if !p.w.policies.any() {
		return
	}
	for _, q := range p.queues() {
		if strings.HasPrefix(q.Name, "$sys.") {
			continue
		}
		if limit := p.w.policies.of(q.Name).MaxMsgs; limit > 0 && int64(q.Messages) > limit {
			p.w.fail("queue %s holds %d messages, its maxmsgs is %d", q.Name, q.Messages, limit)
		}
	}
}

// define adds one or two definitions to a plan.
func (p *planner) define() {
	for range 1 + p.r.IntN(2) {
		dest := p.r.IntN(len(dests))
		if dests[dest][0] == 'q' {
			p.failing = dest
		}
		p.add("define", dest, oneOf(p.r, 0, 2, 2, 3), oneOf(p.r, 0, 0, redeliveryDelay), oneOf(p.r, 0, 0, 2, 4, 8), p.r.IntN(len(overflows)), oneOf(p.r, 0, 0, 1), oneOf(p.r, 0, 0, 0, 0, 500, 5000))
	}
	p.defined = true
}

// redeliveryDelay is the shortest that there is (ems 2.3), in ms.
const redeliveryDelay = 15_000

// misfortune is messages whose attempts fail, again and again: of a connection of
// their own, so that it meets the same ones.
func (p *planner) misfortune(c int, quiet bool) {
	p.add("close", c)
	p.add("run", 60, p.r.IntN(1<<30))
	p.fresh(c)
	p.add("send", c, 0, 1+p.r.IntN(3), sendPreserve*p.r.IntN(2)|oneOf(p.r, 0, 0, sendVolatile), 10, 0, 0)
	for range 1 + p.r.IntN(4) {
		p.add("credit", c, 0, 1+p.r.IntN(8), 0)
		p.add("run", 60, p.r.IntN(1<<30))
		p.add("settle", c, 0, 1+p.r.IntN(4), oneOf(p.r, settleFail, settleFail, settleReject, settleUndeliverable, settleRelease), 0)
		p.add("run", 20+p.r.IntN(40), p.r.IntN(1<<30))
		if p.r.IntN(2) == 0 {
			p.add("tick", redeliveryDelay+oneOf(p.r, -1000, 0, 1, 1000))
			p.add("run", 10+p.r.IntN(30), p.r.IntN(1<<30))
		}
		if !quiet && p.r.IntN(3) == 0 {
			p.add("kill")
			p.fresh(c)
		}
	}
	if p.r.IntN(3) == 0 {
		p.add("receiver", c, len(sources)-1, modeSecond)
		p.add("run", 40, p.r.IntN(1<<30))
		p.add("credit", c, 1, 8, 0)
		p.add("run", 60, p.r.IntN(1<<30))
		if !quiet && p.r.IntN(2) == 0 {
			p.add("kill")
		}
	}
}

// fresh connects a client that has nothing, to where attempts are counted.
func (p *planner) fresh(c int) {
	p.add("connect", c)
	p.add("sender", c, p.failing, 0)
	p.add("receiver", c, 2*p.failing, oneOf(p.r, 0, modeSecond, modeSecond))
	p.add("run", 60, p.r.IntN(1<<30))
}
