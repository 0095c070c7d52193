package property

import (
	"strings"
	"testing"
)

// TestListsPrintAsTheyMean parses and prints: units are the largest that lose
// nothing, names are spelt as in the table, flags are bare words.
func TestListsPrintAsTheyMean(t *testing.T) {
	for list, want := range map[string]string{
		"secure,prefetch=2,maxbytes=1MB":                  "secure,prefetch=2,maxbytes=1MB",
		"maxbytes=1048576,expiration=120":                 "maxbytes=1MB,expiration=2min",
		"expiration=1500msec,redeliveryDelay=15":          "expiration=1500msec,redeliveryDelay=15sec",
		"MAXBYTES=1kb,Secure,overflowpolicy=discardold":   "maxbytes=1KB,secure,overflowPolicy=discardOld",
		`import="RV1, RV2"`:                               `import="RV1,RV2"`,
		`import="RV1"`:                                    "import=RV1",
		"secure=enabled,exclusive=FALSE":                  "secure",
		"flowControl,trace":                               "flowControl,trace",
		"flowControl=256KB,trace=body":                    "flowControl=256KB,trace=body",
		"prefetch=NONE,maxRedelivery=255":                 "prefetch=none,maxRedelivery=255",
		"maxbytes=0,maxmsgs=0,expiration=0,prefetch=0":    "maxbytes=0,maxmsgs=0,expiration=0,prefetch=0",
		"redeliveryDelay=8hour,expiration=90day":          "redeliveryDelay=8hour,expiration=90day",
		"maxbytes=1000,sender_name_enforced,store=$sys.x": "maxbytes=1000,sender_name_enforced,store=$sys.x",
	} {
		items, wrong := ParseList(Queue, list)
		if len(wrong) > 0 {
			t.Errorf("%s: %v", list, wrong[0])
			continue
		}
		var s Set
		for _, i := range items {
			s = append(s, i.Value)
		}
		if s.String() != want {
			t.Errorf("%s prints as %s, want %s", list, s, want)
		}
		again, wrong := ParseList(Queue, s.String())
		if len(wrong) > 0 || len(again) != len(s) {
			t.Errorf("%s cannot be read again: %v", s, wrong)
		}
	}
}

// TestListsRefuse says of each mistake where it is and what to write.
func TestListsRefuse(t *testing.T) {
	for _, c := range []struct {
		kind               Kind
		list, at, rule, in string
	}{
		{Queue, "secure,maxbyte=1MB", "maxbyte=1MB", "property-name", "did you mean maxbytes?"},
		{Queue, "frobnicate", "frobnicate", "property-name", "take it out"},
		{Queue, "secure,,trace", "", "property-name", "between two commas"},
		{Queue, "secure,", "", "property-name", "between two commas"},
		{Topic, "exclusive", "exclusive", "property-kind", "of queues, not of topics"},
		{Queue, "channel=a", "channel=a", "property-kind", "of topics, not of queues"},
		{Topic, "prefetch=none", "prefetch=none", "property-kind", "queues only"},
		{Queue, "maxbytes=1TB", "maxbytes=1TB", "property-value", "KB, MB or GB"},
		{Queue, "maxbytes=-1", "maxbytes=-1", "property-value", "whole number"},
		{Queue, "expiration=107000day", "expiration=107000day", "property-value", "whole number"},
		{Queue, "maxbytes=9999999999GB", "maxbytes=9999999999GB", "property-value", "whole number"},
		{Queue, "maxbytes", "maxbytes", "property-value", "needs a value"},
		{Queue, "maxbytes=", "maxbytes=", "property-value", "empty value"},
		{Queue, "expiration=3week", "expiration=3week", "property-value", "msec, sec, min, hour, day"},
		{Queue, "maxRedelivery=1", "maxRedelivery=1", "property-range", "from 2 to 255"},
		{Queue, "maxRedelivery=256", "maxRedelivery=256", "property-range", "from 2 to 255"},
		{Queue, "redeliveryDelay=14sec", "redeliveryDelay=14sec", "property-range", "from 15sec to 8hour"},
		{Queue, "redeliveryDelay=9hour", "redeliveryDelay=9hour", "property-range", "from 15sec to 8hour"},
		{Queue, "redeliveryDelay=1day", "redeliveryDelay=1day", "property-value", "sec, min, hour"},
		{Queue, "overflowPolicy=drop", "overflowPolicy=drop", "property-value", "discardOld"},
		{Queue, "secure=maybe", "secure=maybe", "property-value", "neither yes nor no"},
		{Queue, "trace=all", "trace=all", "property-value", "body"},
		{Queue, "store=a b", "store=a b", "property-value", "one name"},
		{Queue, `import="RV1,,RV2"`, `import="RV1,,RV2"`, "property-value", "several in quotes"},
		{Queue, "secure,trace,secure", "secure", "property-twice", "already"},
		{Queue, "store=" + strings.Repeat("x", MaxWord+1), "store=" + strings.Repeat("x", MaxWord+1), "property-value", "one name"},
		{Queue, `import="` + strings.Repeat("a,", MaxWords) + `a"`, `import="` + strings.Repeat("a,", MaxWords) + `a"`, "property-value", "64"},
	} {
		_, wrong := ParseList(c.kind, c.list)
		if len(wrong) != 1 {
			t.Errorf("%.60s: %d mistakes, want 1", c.list, len(wrong))
			continue
		}
		e := wrong[0]
		if at := c.list[e.Offset : e.Offset+e.Length]; at != c.at || e.Rule != c.rule || !strings.Contains(e.Error(), c.in) {
			t.Errorf("%.60s: at %.40q, %s: %s", c.list, at, e.Rule, e)
		}
	}
}

func TestSetChanges(t *testing.T) {
	items, _ := ParseList(Queue, "secure,maxmsgs=5")
	s := Set{items[0].Value, items[1].Value}
	grown := s.Merge(Set{{ID: MaxMsgs, Number: 9}, {ID: Exclusive, Bare: true, Number: 1}})
	if got := grown.String(); got != "secure,maxmsgs=9,exclusive" {
		t.Errorf("addprop gives %s", got)
	}
	if got := grown.Without(Secure).String(); got != "maxmsgs=9,exclusive" {
		t.Errorf("removeprop gives %s", got)
	}
	if s.String() != "secure,maxmsgs=5" {
		t.Errorf("the set was changed in place: %s", s)
	}
}

func TestTheTableIsWhole(t *testing.T) {
	last := ""
	for i, p := range Table {
		if p.ID != ID(i+1) || p.ID.Row() != &Table[i] {
			t.Errorf("%s stands in the wrong place", p.Name)
		}
		if strings.ToLower(p.Name) <= last {
			t.Errorf("%s is out of order", p.Name)
		}
		last = strings.ToLower(p.Name)
		if p.Kinds == 0 || p.Form == 0 || p.Rule == 0 || p.Meaning == "" || p.Source == "" || p.Default == "" {
			t.Errorf("%s lacks a column", p.Name)
		}
		if (p.Form == Period) != (p.Units != nil) || (p.Form == Choice) != (p.Choices != nil) && p.ID != Prefetch {
			t.Errorf("%s: form and grammar do not agree", p.Name)
		}
		if p.Rule.String() == "" {
			t.Errorf("%s: its rule has no words", p.Name)
		}
	}
	if len(Table) != int(Trace) {
		t.Errorf("%d rows, %d properties", len(Table), Trace)
	}
}

func TestCheckName(t *testing.T) {
	long := strings.Repeat("x", MaxElement+1)
	for n, want := range map[string]string{
		"a.b": "", ">": "", "a.*.>": "", "q@SERVER": "", "$TMP$.>": "", "$sys.undelivered": "", "!hash_queue#": "", `a\b`: "",
		"a..b": "empty element", "a.": "empty element", "a.>.b": "before its end", "a.*@S": "cannot be wildcards", "$TMP$.a": "one line for all",
		"$sys.mine": "belong to the server", "$x": "belong to the server", long: "128 bytes", "": "empty",
		strings.Repeat("a.", 64) + "a": "more than 64",
	} {
		err := CheckName(Queue, n)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Message, want) {
			t.Errorf("%.40s: %v, want %q", n, err, want)
		}
	}
	if err := CheckName(Topic, "$sys.undelivered"); err == nil {
		t.Error("a topic may take the name of the system's queue")
	}
}

func TestCheckSet(t *testing.T) {
	for _, c := range []struct{ name, list, wrong, warning string }{
		{"q", "exclusive,global", "exclusive", ""},
		{"q@S", "exclusive", "exclusive", ""},
		{"q", "global,prefetch=none", "prefetch", ""},
		{"q@S", "redeliveryDelay=1min", "", "redeliveryDelay"},
		{"q", "failsafe,store=x", "", "failsafe"},
		{"q", "failsafe,store=$sys.failsafe", "", ""},
		{"$TMP$.>", "import=A", "import", ""},
		{"$TMP$.>", "store=x", "", "store"},
		{"$TMP$.>", "maxbytes=1MB,prefetch=1", "", ""},
	} {
		items, _ := ParseList(Queue, c.list)
		var s Set
		for _, i := range items {
			s = append(s, i.Value)
		}
		wrong, warnings := CheckSet(Queue, c.name, s)
		if got := ids(wrong); got != c.wrong {
			t.Errorf("%s %s: errors %q, want %q", c.name, c.list, got, c.wrong)
		}
		if got := ids(warnings); got != c.warning {
			t.Errorf("%s %s: warnings %q, want %q", c.name, c.list, got, c.warning)
		}
	}
}

func ids(faults []Fault) string {
	var all []string
	for _, f := range faults {
		all = append(all, f.ID.String())
	}
	return strings.Join(all, ",")
}

// FuzzParseList: no input panics, places lie inside the text, and what is taken
// reads the same when printed.
func FuzzParseList(f *testing.F) {
	for _, s := range []string{"secure,maxbytes=1MB", `import="a,b",x`, "prefetch=none", `"`, ",,=", "trace=body,expiration=1day"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range []Kind{Queue, Topic} {
			items, wrong := ParseList(k, text)
			for _, e := range wrong {
				_ = text[e.Offset : e.Offset+e.Length]
			}
			var s Set
			for _, i := range items {
				_ = text[i.Offset : i.Offset+i.Length]
				s = append(s, i.Value)
			}
			again, wrong := ParseList(k, s.String())
			if len(wrong) > 0 || len(again) != len(s) {
				t.Fatalf("%q gives %q, which gives %v %v", text, s, again, wrong)
			}
			for i := range s {
				if again[i].Value != s[i] {
					t.Fatalf("%v became %v", s[i], again[i].Value)
				}
			}
		}
	})
}
