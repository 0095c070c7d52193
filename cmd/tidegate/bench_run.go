package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tidegate/tidegate/amqp/load"
)

// bencher runs workloads.
type bencher struct {
	o                    *benchOptions
	brokerCore, loadCore int
	progress             *progress
}

// bench runs the plan and prints what came out, also of a run that was cut short.
func bench(ctx context.Context, o *benchOptions, plan []workload, out io.Writer) error {
	b := &bencher{o: o, brokerCore: -1, loadCore: -1, progress: newProgress()}
	if !o.noPin && o.url == "" {
		b.brokerCore, b.loadCore = cores()
	}
	if b.loadCore >= 0 {
		if err := pinSelf(b.loadCore); err != nil {
			return fmt.Errorf("keeping the load on core %d: %w (--no-pin leaves it out)", b.loadCore, err)
		}
	}
	report := b.newReport(plan)
	err := b.rounds(ctx, plan, report)
	b.progress.clear()
	report.Interrupted = errors.Is(err, errInterrupted)
	if report.Interrupted {
		err = nil
	}
	report.finish()
	if err == nil || report.measured() {
		if perr := report.print(out, o.json); err == nil {
			err = perr
		}
	}
	if err == nil && report.problems() > 0 {
		err = &exit{exitNo, fmt.Sprintf("the broker failed the check: %d problems (lost, repeated, reordered, changed, refused or not settled)", report.problems())}
	}
	return err
}

// rounds runs all workloads in turn, so that what else the machine does falls on
// all of them alike.
func (b *bencher) rounds(ctx context.Context, plan []workload, report *benchReport) error {
	for round := range b.o.rounds {
		for i := range plan {
			b.progress.at = fmt.Sprintf("%s, round %d of %d", plan[i].name, round+1, b.o.rounds)
			figures, err := b.one(ctx, &plan[i])
			if figures != nil {
				report.Workloads[i].Rounds = append(report.Workloads[i].Rounds, *figures)
			}
			if err != nil && !errors.Is(err, errInterrupted) {
				return fmt.Errorf("%s: %w", plan[i].name, err)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// one runs a workload once, against a broker of its own or the one at --url.
func (b *bencher) one(ctx context.Context, w *workload) (*benchFigures, error) {
	if b.o.url != "" {
		return b.against(ctx, w, b.o.address(), b.o.pid)
	}
	broker, err := startBroker(ctx, b.o, b.brokerCore)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	figures, err := b.against(ctx, w, broker.url, broker.cmd.Process.Pid)
	// A broker that ended by itself says more about it than a lost connection.
	if stopped := broker.stop(); stopped != nil {
		err = stopped
	}
	return figures, err
}

// against runs a workload once against a broker that runs. Figures come with an
// error where the run was interrupted.
func (b *bencher) against(ctx context.Context, w *workload, url string, pid int) (*benchFigures, error) {
	m := &meter{pid: pid}
	var s span
	var err error
	if s.idle, err = m.look(load.Totals{}); err != nil {
		return nil, err
	}
	run, err := load.Open(ctx, b.o.load(w, url))
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	s.attached, err = m.look(load.Totals{})
	if err == nil {
		err = b.drive(ctx, run, w, m, &s)
	}
	res := run.Close()
	stuck := load.Stuck(err)
	if err != nil && !stuck && !errors.Is(err, errInterrupted) {
		return nil, err
	}
	end, lookErr := m.look(res.Totals)
	if lookErr != nil {
		return nil, lookErr
	}
	s.end = end
	idle := !stuck && err == nil && s.last.totals == s.first.totals
	switch {
	case stuck && s.last.at.IsZero(), stuck && !res.Problems.Any(), idle:
		return nil, fmt.Errorf("nothing more came for %v: %d messages sent, %d settled, %d received; does the broker give credit? %s",
			b.o.patience, res.Totals.Sent, res.Totals.Settled, res.Totals.Received, strings.Join(res.Problems.Examples, "; "))
	case s.last.at.IsZero():
		return nil, err // interrupted before it measured anything
	case stuck:
		err = nil // what never came is among the problems
	}
	return newFigures(&s, &res), err
}

// drive loads until the workload has what it wants, and looks at the beginning
// and the end of what is measured.
func (b *bencher) drive(ctx context.Context, run *load.Run, w *workload, m *meter, s *span) (err error) {
	if w.queued > 0 {
		if err := run.Fill(ctx, w.queued); err != nil {
			return interrupted(ctx, err)
		}
	}
	run.Start()
	if b.o.count == 0 {
		if err := b.spend(ctx, run, b.o.warm); err != nil {
			return err
		}
	}
	run.Measure(true)
	if s.first, err = m.look(run.Totals()); err != nil {
		return err
	}
	if b.o.count > 0 {
		err = b.watch(ctx, run, func() error { return run.Wait(ctx) })
	} else {
		err = b.spend(ctx, run, b.o.duration)
	}
	run.Measure(false)
	var lookErr error
	if s.last, lookErr = m.look(run.Totals()); err == nil {
		err = lookErr
	}
	if err == nil && b.o.count == 0 {
		err = run.Halt(ctx)
	}
	return interrupted(ctx, err)
}

// interrupted turns the end of ctx into errInterrupted.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// spend lets the load go on for a time.
func (b *bencher) spend(ctx context.Context, run *load.Run, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	return b.watch(ctx, run, func() error {
		select {
		case <-end.C:
			return nil
		case <-run.Failed():
			return run.Err()
		case <-ctx.Done():
			return errInterrupted
		}
	})
}

// watch shows progress while f waits.
func (b *bencher) watch(_ context.Context, run *load.Run, f func() error) error {
	if b.progress.out == nil {
		return f()
	}
	done := make(chan struct{})
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		b.progress.show(run, done)
	}()
	err := f()
	close(done)
	<-shown
	return err
}

// meter looks at the broker's process and at ours.
type meter struct{ pid int }

// span is the looks at a round: before anybody came, with everybody attached and
// nothing sent, at the beginning and the end of what is measured, and at the very end.
type span struct{ idle, attached, first, last, end look }

// look is one look.
type look struct {
	at     time.Time
	totals load.Totals
	broker usage // zero where the process is not known
	known  bool
	load   time.Duration // our own processor time
}

func (m *meter) look(t load.Totals) (l look, err error) {
	l.totals = t
	if l.known = m.pid > 0; l.known {
		if l.broker, err = processUsage(m.pid); err != nil {
			return l, err
		}
	}
	if l.load, err = processTime(os.Getpid()); err != nil {
		return l, err
	}
	l.at = time.Now()
	return l, nil
}

// progress is a line on a terminal that is written over.
type progress struct {
	out io.Writer // nil: standard error is no terminal
	at  string
}

const showEvery = 500 * time.Millisecond

func newProgress() *progress {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return &progress{}
	}
	return &progress{out: os.Stderr}
}

// show writes the line until done.
func (p *progress) show(run *load.Run, done <-chan struct{}) {
	every := time.NewTicker(showEvery)
	defer every.Stop()
	before, last := run.Totals(), time.Now()
	for {
		select {
		case <-done:
			return
		case now := <-every.C:
			t := run.Totals()
			seconds := now.Sub(last).Seconds()
			fmt.Fprintf(p.out, "\r\033[K%s: sent %.0f/s, received %.0f/s", p.at,
				float64(t.Sent-before.Sent)/seconds, float64(t.Received-before.Received)/seconds)
			before, last = t, now
		}
	}
}

func (p *progress) clear() {
	if p.out != nil {
		fmt.Fprint(p.out, "\r\033[K")
	}
}
