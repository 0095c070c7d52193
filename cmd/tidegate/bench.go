package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidegate/tidegate/amqp/load"
)

// benchOptions are what the flags of bench run say.
type benchOptions struct {
	url, queue, durability, data  string
	workloads                     []string
	shape                         shape
	size, rounds, pid             int
	duration, warm, flush         time.Duration
	patience                      time.Duration
	count                         uint64
	rate                          float64
	persistent, volatile, settled bool
	noPin, json                   bool
}

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure a broker"}
	cmd.AddCommand(benchRunCommand())
	return cmd
}

func benchRunCommand() *cobra.Command {
	o := &benchOptions{}
	cmd := &cobra.Command{
		Use:   "run [--workload NAME]...",
		Short: "Load a broker, check what comes through, and print what it cost",
		Long: `Load a broker with producers and consumers, check that nothing is lost, repeated,
reordered or changed, and print messages a second, latency, the broker's processor
time for each message, and its memory.

Without --url each workload of each round gets a broker of its own: this program's
"serve" on a free port and a new data folder, on one core, with the load on another
where there are two. Of a broker at --url, processor time and memory are known when
--pid names its process on this machine.

Workloads (the first four where none is named):
` + workloadHelp() + `
A flag that is given counts for every workload. --producers, --consumers, --window,
--credit, --batch, --backlog, --queued, and how messages are sent, without --workload
make one workload, called custom.

Latency is from the send to the read that brought the message, or its acceptance. With --rate it counts
from when the message was due, so a stall counts against all that had to wait; give
half of the highest rate for figures that mean something.

Exits with 0 when all was well, 1 when the broker lost, repeated, reordered, changed
or refused a message, and 2 when the run could not be done.`,
		Args: cobra.NoArgs,
	}
	o.flags(cmd.Flags())
	cmd.MarkFlagsMutuallyExclusive("persistent", "non-persistent", "presettled")
	cmd.MarkFlagsMutuallyExclusive("count", "duration")
	cmd.MarkFlagsMutuallyExclusive("count", "warm")
	for _, own := range []string{"durability", "data", "flush-delay", "no-pin"} {
		cmd.MarkFlagsMutuallyExclusive("url", own)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		plan, err := o.plan(cmd.Flags())
		if err != nil {
			return err
		}
		return bench(cmd.Context(), o, plan, cmd.OutOrStdout())
	}
	return cmd
}

func (o *benchOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.url, "url", "", "load the broker at amqp://[USER[:PASSWORD]@]HOST[:PORT] (default: one of our own)")
	f.IntVar(&o.pid, "pid", 0, "with --url: the broker's process, to measure it")
	f.StringVar(&o.queue, "queue", "tidegate.bench", "the queue's `NAME`, as the broker wants addresses; best an empty one")
	f.StringArrayVar(&o.workloads, "workload", nil, "run the workload `NAME`; can be repeated")
	f.IntVar(&o.rounds, "rounds", 3, "run all workloads `N` times, in turn")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "measure for this time")
	f.DurationVar(&o.warm, "warm", time.Second, "load for this time before")
	f.Uint64Var(&o.count, "count", 0, "instead: measure `N` messages, from the first to the last")
	f.IntVar(&o.size, "size", 1024, fmt.Sprintf("bodies of `BYTES`, at least %d", load.MinSize))
	f.IntVar(&o.shape.producers, "producers", 1, "connections that send")
	f.IntVar(&o.shape.consumers, "consumers", 1, "connections that receive")
	f.IntVar(&o.shape.window, "window", 1000, "most unsettled messages of a producer")
	f.IntVar(&o.shape.credit, "credit", 1000, "a consumer's link credit")
	f.IntVar(&o.shape.batch, "batch", 64, "most messages of one write")
	f.IntVar(&o.shape.backlog, "backlog", 5000, "producers wait while `N` messages are not received yet; 0: never")
	f.Uint64Var(&o.shape.queued, "queued", 0, "send `N` messages before, which stay queued in front of the others")
	f.Float64Var(&o.rate, "rate", 0, "offer `N` messages a second, all producers together (default as many as go)")
	f.BoolVar(&o.persistent, "persistent", false, "durable messages")
	f.BoolVar(&o.volatile, "non-persistent", false, "messages that are not durable")
	f.BoolVar(&o.settled, "presettled", false, "messages that are not durable and nobody settles")
	f.StringVar(&o.durability, "durability", "failsafe", "our own broker's: failsafe or normal")
	f.StringVar(&o.data, "data", "", "our own broker's data lies below `DIR` (default the folder for temporary files)")
	f.DurationVar(&o.flush, "flush-delay", 0, "our own broker's: add this to every flush, to stand in for a slower disk")
	f.BoolVar(&o.noPin, "no-pin", false, "leave it to the system which core the load and our own broker run on")
	f.DurationVar(&o.patience, "patience", 10*time.Second, "give messages and settlements up when nothing at all came for this time")
	f.BoolVar(&o.json, "json", false, "print one JSON object instead of the table")
}

// plan checks the flags and gives what to run.
func (o *benchOptions) plan(f *pflag.FlagSet) ([]workload, error) {
	switch {
	case o.rounds < 1:
		return nil, fmt.Errorf("--rounds %d: write 1 or more", o.rounds)
	case o.duration <= 0:
		return nil, fmt.Errorf("--duration %v: write a time above 0", o.duration)
	case o.warm < 0:
		return nil, fmt.Errorf("--warm %v: write a time of 0 or more", o.warm)
	case o.patience <= 0:
		return nil, fmt.Errorf("--patience %v: write a time above 0", o.patience)
	case f.Changed("count") && o.count == 0:
		return nil, errors.New("--count 0: write 1 or more")
	case o.durability != "failsafe" && o.durability != "normal":
		return nil, fmt.Errorf("--durability %s: write failsafe or normal", o.durability)
	case o.pid != 0 && o.url == "":
		return nil, errors.New("--pid goes with --url: of our own broker the process is known")
	case o.pid < 0:
		return nil, fmt.Errorf("--pid %d: write the broker's process id", o.pid)
	}
	if o.pid > 0 {
		if _, err := processUsage(o.pid); err != nil {
			return nil, fmt.Errorf("--pid %d: %w", o.pid, err)
		}
	}
	chosen, err := chooseWorkloads(o.workloads, &o.shape, f, o.delivery())
	if err != nil {
		return nil, err
	}
	for _, w := range chosen {
		l := o.load(&w, "amqp://127.0.0.1")
		if o.url != "" {
			l.URL = o.address()
		}
		if err := l.Check(); err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
		if w.producers == 0 && (o.url == "" || w.queued > 0 || o.count > 0) {
			return nil, errors.New("--producers 0: then somebody else has to have filled the queue at --url, and neither --queued nor --count can be met")
		}
	}
	return chosen, nil
}

// delivery is how messages are sent, where a flag says it.
func (o *benchOptions) delivery() string {
	switch {
	case o.persistent:
		return persistent
	case o.volatile:
		return nonPersistent
	case o.settled:
		return presettled
	}
	return ""
}

// load gives the driver's options of a workload.
func (o *benchOptions) load(w *workload, url string) load.Options {
	return load.Options{
		URL: url, Address: o.queue, Producers: w.producers, Consumers: w.consumers, Size: o.size,
		Durable: w.delivery == persistent, Settled: w.delivery == presettled,
		Window: w.window, Credit: w.credit, Batch: w.batch, Backlog: w.backlog, Count: o.count, Rate: o.rate,
		Patience: o.patience,
	}
}

// address is the broker's URL, with the password of TIDEGATE_PASSWORD where the
// URL has a user without one.
func (o *benchOptions) address() string { return withPassword(o.url, os.Getenv("TIDEGATE_PASSWORD")) }
