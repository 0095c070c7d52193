package sim

import (
	"flag"
	"os"
	"testing"

	"github.com/tidegate/tidegate/core/server"
)

var (
	seeds  = flag.Int("sim.seeds", 0, "how many seeds to run; 0 takes the usual number")
	first  = flag.Uint64("sim.seed", 1, "the first seed")
	script = flag.String("sim.script", "", "replay this `file` instead")
)

// Seeds of a run that asks for no number: a few dozen seconds, and what the race
// detector does in as long.
const (
	usualSeeds = 4000
	shortSeeds = 100
)

// TestSimulation runs seeds; a failing one is shrunk and printed as a script.
func TestSimulation(t *testing.T) {
	if *script != "" {
		t.Skip("a script is replayed")
	}
	n := *seeds
	switch {
	case n > 0:
	case testing.Short():
		n = shortSeeds
	default:
		n = usualSeeds
	}
	for seed := *first; seed < *first+uint64(n); seed++ {
		plan := Plan(seed)
		if err := Run(plan); err != nil {
			small := Shrink(plan, Run)
			t.Fatalf("seed %d: %v\nshrunk, for -sim.script:\n# %v\n%s", seed, err, Run(small), Script(small))
		}
	}
}

// TestTheSamePlanTakesTheSameWay: or no script would replay.
func TestTheSamePlanTakesTheSameWay(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		var histories [2]string
		for i := range histories {
			plan, err := ParseScript(Script(Plan(seed)))
			if err != nil {
				t.Fatal(err)
			}
			w, err := run(plan, breaks{})
			if err != nil {
				t.Fatal(err)
			}
			histories[i] = w.history.String()
		}
		if histories[0] != histories[1] {
			t.Fatalf("seed %d takes two ways:\n%s\n%s", seed, histories[0], histories[1])
		}
	}
}

// TestAFailingPlanShrinks: to what the failure needs, and it still fails.
func TestAFailingPlanShrinks(t *testing.T) {
	fails := func(plan []Action) error {
		_, err := run(plan, breaks{journal: func(j *watched) server.Journal { return hoarder{j} }})
		return err
	}
	plan := Plan(1)
	small := Shrink(plan, fails)
	if err := fails(small); err == nil || len(small) > 8 {
		t.Errorf("%d actions were shrunk to\n%s%v", len(plan), Script(small), err)
	}
}

// TestScript replays a script that TestSimulation printed.
func TestScript(t *testing.T) {
	if *script == "" {
		t.Skip("no -sim.script")
	}
	text, err := os.ReadFile(*script)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := ParseScript(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(plan); err != nil {
		t.Fatal(err)
	}
}
