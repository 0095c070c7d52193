package bridges

import "testing"

// TestBalance: the ledger sees what TestKills looks for.
func TestBalance(t *testing.T) {
	at := func(seq int) *arrival { l := letter{"a", seq}; return &arrival{id: l.id(), body: l.body()} }
	placed := func(seq int, place uint64) *arrival { a := at(seq); a.place = place; return a }
	again := func(seq int) *arrival { a := at(seq); a.again = true; return a }
	other := at(2)
	other.id = "ID:another"
	cut := at(2)
	cut.body = cut.body[:100]
	foreign := &arrival{id: letter{"z", 1}.id(), body: letter{"z", 1}.body()}
	for name, test := range map[string]struct {
		arrivals []*arrival
		repeats  []int
		want     balance
	}{
		"all":                               {[]*arrival{at(1), at(2), at(3)}, nil, balance{arrived: 3}},
		"one lost":                          {[]*arrival{at(1), at(3)}, nil, balance{arrived: 2, lost: []letter{{"a", 2}}}},
		"one late":                          {[]*arrival{at(1), at(3), at(2)}, nil, balance{arrived: 3, outOfOrder: 1}},
		"one late that was sent again":      {[]*arrival{at(1), at(3), at(2)}, []int{2}, balance{arrived: 3, repeated: 1}},
		"a copy":                            {[]*arrival{at(1), at(2), at(2), at(3)}, nil, balance{arrived: 3, copies: 1, unexplained: 1}},
		"a copy of what was sent again":     {[]*arrival{at(1), at(2), at(2), at(3)}, []int{2}, balance{arrived: 3, copies: 1, repeated: 1}},
		"two copies of what was sent again": {[]*arrival{at(1), at(2), at(2), at(2), at(3)}, []int{2}, balance{arrived: 3, copies: 2, repeated: 1, unexplained: 1}},
		"given again":                       {[]*arrival{at(1), at(2), again(2), at(3)}, nil, balance{arrived: 3, copies: 1, flagged: 1}},
		"given again from its place":        {[]*arrival{placed(1, 1), placed(2, 2), placed(2, 2), placed(3, 3)}, nil, balance{arrived: 3, copies: 1, flagged: 1}},
		"in two places":                     {[]*arrival{placed(1, 1), placed(2, 2), placed(3, 3), placed(2, 4)}, nil, balance{arrived: 3, copies: 1, unexplained: 1, twicePlaced: 1}},
		"late, but in its place":            {[]*arrival{placed(1, 1), placed(3, 3), placed(2, 2)}, nil, balance{arrived: 3}},
		"in a wrong place":                  {[]*arrival{placed(1, 1), placed(3, 2), placed(2, 3)}, nil, balance{arrived: 3, outOfOrder: 1}},
		"with another id, altered, of a foreigner": {[]*arrival{at(1), at(2), at(3), other, cut, foreign}, nil, balance{arrived: 3, altered: make([]string, 3)}},
	} { // order: irrelevant
		g := newLedger(3, "a")
		for _, seq := range test.repeats {
			g.answered([]letter{{"a", seq}}, []letter{{"a", seq}})
		}
		g.answered([]letter{{"a", 1}, {"a", 2}, {"a", 3}}, nil)
		for _, a := range test.arrivals {
			g.arrive(a)
		}
		got, want := g.balance(), test.want
		if len(got.altered) != len(want.altered) {
			t.Errorf("%s: altered are %q", name, got.altered)
		}
		if got.String() != want.String() {
			t.Errorf("%s: %s, want %s", name, got.String(), want.String())
		}
	}
}
