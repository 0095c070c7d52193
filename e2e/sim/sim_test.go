package sim

import (
	"flag"
	"os"
	"testing"
)

var (
	seeds  = flag.Int("sim.seeds", 0, "how many seeds to run; 0 takes the usual number")
	first  = flag.Uint64("sim.seed", 1, "the first seed")
	script = flag.String("sim.script", "", "replay this `file` instead")
)

// Seeds of a run that asks for no number: a few dozen seconds, and what the race
// detector does in as long.
const (
	usualSeeds = 2000
	shortSeeds = 200
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
