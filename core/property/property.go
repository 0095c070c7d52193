package property

import "strings"

// Kind is a kind of destination; Queue|Topic stands for both.
type Kind uint8

// The kinds.
const (
	Queue Kind = 1 << iota
	Topic
)

// String is the kind as commands and files spell it.
func (k Kind) String() string {
	switch k {
	case Queue:
		return "queue"
	case Topic:
		return "topic"
	}
	return "destination"
}

// ID names a property. The zero ID is none.
type ID uint8

// The properties, in alphabetical order of their names.
const (
	Channel ID = 1 + iota
	Exclusive
	Expiration
	Export
	Failsafe
	FlowControl
	Global
	Import
	MaxBytes
	MaxMsgs
	MaxRedelivery
	OverflowPolicy
	Prefetch
	RedeliveryDelay
	Secure
	SenderName
	SenderNameEnforced
	Store
	TibrvExport
	TibrvImport
	TibrvcmExport
	TibrvcmImport
	Trace
)

// String is the property's name.
func (id ID) String() string {
	if int(id) > len(Table) || id == 0 {
		return "?"
	}
	return Table[id-1].Name
}

// Row is the property's row of the table; id must be a property.
func (id ID) Row() *Property { return &Table[id-1] }

// Form is the grammar of a value.
type Form uint8

// The forms.
const (
	Flag   Form = 1 + iota // the bare word; `=true` and its like are taken as well
	Size                   // bytes, with KB, MB or GB
	Count                  // a whole number
	Period                 // a time, in milliseconds within
	Choice                 // one of Choices
	Word                   // a name
	Words                  // names, separated by commas, quoted if several
)

// Rule says what a destination gets of several wildcard lines that give it
// different values of one property (ems 2.2). Its own value goes before theirs,
// but where the rule says otherwise.
type Rule uint8

// The rules.
const (
	Union       Rule = 1 + iota // a flag that any has; it cannot be taken off below
	Smallest                    // the smallest; 0 counts as not set
	Largest                     // prefetch: the largest number, `none` if no parent has a number; an own 0 inherits
	RejectFirst                 // overflowPolicy: rejectIncoming before discardOld; an own `default` inherits
	Disjoint                    // they may not differ: the second definition is refused
	Joined                      // lists: all of the parents' members; an own list takes their place
	Most                        // trace: `body` before the bare word, an own one included
)

// String is the rule in the words of the documentation.
func (r Rule) String() string {
	return [...]string{
		"", "a flag any of them has; cannot be taken off below", "the smallest; 0 counts as not set",
		"the largest number; `none` if there is no number", "`rejectIncoming`, else `discardOld`",
		"must not differ", "all members of all lists", "`body` if one has it",
	}[r]
}

// Property is a row of the table.
type Property struct {
	ID        ID
	Name      string
	Kinds     Kind
	Form      Form
	Bare      bool  // the word alone is a value too
	Min, Max  int64 // of Size, Count, Period (milliseconds); 0 is always allowed; Max 0 is no limit
	Choices   []string
	Units     []unit // of Period, smallest first
	Rule      Rule
	Temporary bool   // has an effect on temporary destinations, by `$TMP$.>` (ems 3.4)
	Default   string // as documentation says it
	Meaning   string // one sentence: what it does here
	Source    string // where the behaviour is written
	Obsolete  string // what to write instead
}

var byName = func() map[string]ID {
	m := map[string]ID{}
	for i := range Table {
		m[strings.ToLower(Table[i].Name)] = Table[i].ID
	}
	return m
}()

// Lookup finds a property by its name, in any case: the admin tool of EMS is
// known to take `URL=`, and a file that says `maxBytes` means it.
func Lookup(name string) (*Property, bool) {
	id, ok := byName[strings.ToLower(name)]
	if !ok {
		return nil, false
	}
	return id.Row(), true
}

// Allows says whether destinations of the kind have the property.
func (p *Property) Allows(k Kind) bool { return p.Kinds&k != 0 }
