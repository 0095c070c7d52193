package admin

import (
	"strings"
	"sync"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// Definitions are what EMS keeps in files: static destinations and all that is
// defined about them. The methods of a nil one answer as of an empty set.
type Definitions struct {
	mu    sync.Mutex
	trees [2]*property.Tree
}

// properties is what screens say of a destination's properties.
type properties struct {
	flags             string
	prefetch          string
	prefetchInherited bool
	list              []string // for `show queue`: inherited ones are marked
}

func (d *Definitions) tree(k property.Kind) *property.Tree {
	if d == nil {
		return nil
	}
	if k == property.Topic {
		return d.trees[1]
	}
	return d.trees[0]
}

// has says whether the files, or the server itself, define a destination.
func (d *Definitions) has(k property.Kind, n string) bool {
	if property.IsSystem(k, n) {
		return true
	}
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.tree(k).Get(n)
	return ok
}

// beside lists definitions that are not in the broker: wildcards, and the
// server's own queues.
func (d *Definitions) beside(k property.Kind) (names []string) {
	if k == property.Queue {
		for i := range property.System {
			names = append(names, property.System[i].Name)
		}
	}
	if d == nil {
		return names
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for def := range d.tree(k).All() {
		if def.Wildcard() {
			names = append(names, def.Name)
		}
	}
	return names
}

// extras counts what beside lists.
func (d *Definitions) extras() (queues, topics int) {
	return len(d.beside(property.Queue)), len(d.beside(property.Topic))
}

func (d *Definitions) parents(k property.Kind, n string) (all []property.Definition) {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tree(k).Parents(n, func(p *property.Definition) { all = append(all, *p) })
	return all
}

// properties says which flags to show for a destination: + its own, * inherited.
func (d *Definitions) properties(k property.Kind, n string, bridges []bridgeSource) properties {
	var effective []property.Effective
	policy := property.DefaultPolicy(k)
	if d != nil {
		d.mu.Lock()
		effective = d.tree(k).Effective(n)
		policy = *d.tree(k).Policy(n)
		d.mu.Unlock()
	} else if property.IsSystem(k, n) {
		t := property.NewTree(k)
		effective = t.Effective(n)
	}
	flags := newFlags(k)
	p := properties{prefetchInherited: true}
	for _, e := range effective {
		mark := byte('+')
		if e.Origin == property.Inherited || e.Origin == property.Default {
			mark = '*'
		}
		if e.ID == property.Prefetch && e.Origin == property.Own {
			p.prefetchInherited = false
		}
		flags.set(e.Value, mark)
		text := e.Value.String()
		if mark == '*' {
			text = "*" + text
		}
		p.list = append(p.list, text)
	}
	for i := range bridges {
		if b := &bridges[i]; b.kind == k && (b.name == n || name.Match(b.name, n)) {
			flags.mark('B', map[bool]byte{true: '+', false: '*'}[b.name == n])
		}
	}
	p.flags = flags.String()
	p.prefetch = prefetchText(policy.Prefetch)
	return p
}

func prefetchText(n int32) string {
	if n == property.PrefetchNone {
		return "none"
	}
	return decimal(int(n))
}

// flags are the letters of `show queues` and `show topics` (ems 10.4).
type flags struct {
	letters string
	marks   []byte
}

func newFlags(k property.Kind) *flags {
	letters := "SNFGXIBCT"
	if k == property.Topic {
		letters = "SNFGEIBCTM"
	}
	return &flags{letters, []byte(strings.Repeat("-", len(letters)))}
}

func (f *flags) String() string { return string(f.marks) }

func (f *flags) mark(letter, mark byte) {
	if i := strings.IndexByte(f.letters, letter); i >= 0 && f.marks[i] != '+' {
		f.marks[i] = mark
	}
}

// letterOf is the flag that a property sets; failsafe is a store that is synced.
var letterOf = map[property.ID]byte{
	property.Secure: 'S', property.SenderName: 'N', property.SenderNameEnforced: 'N', property.Failsafe: 'F', property.Global: 'G',
	property.Exclusive: 'X', property.Import: 'I', property.TibrvImport: 'I', property.TibrvcmImport: 'I',
	property.Export: 'E', property.TibrvExport: 'E', property.TibrvcmExport: 'E', property.FlowControl: 'C', property.Trace: 'T', property.Channel: 'M',
}

func (f *flags) set(v property.Value, mark byte) {
	letter := letterOf[v.ID]
	if v.ID == property.Store && v.Text == property.FailsafeStore {
		letter = 'F'
	}
	if letter != 0 {
		f.mark(letter, mark)
	}
}

// bridgeSource is where a bridge begins.
type bridgeSource struct {
	kind property.Kind
	name string
}

func (d *Definitions) bridgeSources() []bridgeSource       { return nil }
func (d *Definitions) bridgesFrom(kind, n string) []string { return nil }
func (d *Definitions) groupsOf(user string) []string       { return nil }
func (d *Definitions) durable(name, client string) bool    { return false }
func (d *Definitions) stores() []storeRow                  { return nil }
func (d *Definitions) param(name, otherwise string) string { return otherwise }
func (d *Definitions) Save() error                         { return nil }

// jndiNames are the names under which a static destination is looked up (ems 11).
func (d *Definitions) jndiNames(kind, n string, static bool) []string {
	if !static || name.IsWildcard(n) {
		return nil
	}
	return []string{n}
}
