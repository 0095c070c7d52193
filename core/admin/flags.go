package admin

import (
	"strings"

	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// properties is what screens say of a destination's properties.
type properties struct {
	flags             string
	prefetch          string
	prefetchInherited bool
	list              []string // for `show queue`: inherited ones are marked
}

// properties says which flags to show for a destination: + its own, * inherited.
func (d *Definitions) properties(k property.Kind, n string, bridges []bridgeSource) properties {
	var effective []property.Effective
	var policy property.Policy
	var synced bool
	d.View(func(c *config.Config) {
		effective, policy = c.Tree(k).Effective(n), *c.Tree(k).Policy(n)
		synced = c.SyncStore(policy.Store)
	})
	flags := newFlags(k)
	p := properties{prefetchInherited: true}
	for _, e := range effective {
		mark := byte('+')
		if e.Origin == property.Inherited {
			mark = '*'
		}
		if e.ID == property.Prefetch && e.Origin == property.Own {
			p.prefetchInherited = false
		}
		if e.ID != property.Store || synced {
			flags.mark(letterOf[e.ID], mark)
		}
		text := e.Value.String()
		if mark == '*' {
			text = "*" + text
		}
		p.list = append(p.list, text)
	}
	for i := range bridges {
		switch b := &bridges[i]; {
		case b.kind == k && b.name == n:
			flags.mark('B', '+')
		case b.kind == k && name.Match(b.name, n):
			flags.mark('B', '*')
		}
	}
	p.flags, p.prefetch = string(flags.marks), prefetchText(policy.Prefetch)
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

// mark sets a flag; what is the destination's own stays so.
func (f *flags) mark(letter, mark byte) {
	if i := strings.IndexByte(f.letters, letter); letter != 0 && i >= 0 && f.marks[i] != '+' {
		f.marks[i] = mark
	}
}

// letterOf is the flag that a property sets; a store does where it is synced.
var letterOf = map[property.ID]byte{
	property.Secure: 'S', property.SenderName: 'N', property.SenderNameEnforced: 'N', property.Failsafe: 'F', property.Store: 'F',
	property.Global: 'G', property.Exclusive: 'X', property.Import: 'I', property.TibrvImport: 'I', property.TibrvcmImport: 'I',
	property.Export: 'E', property.TibrvExport: 'E', property.TibrvcmExport: 'E', property.FlowControl: 'C', property.Trace: 'T', property.Channel: 'M',
}
