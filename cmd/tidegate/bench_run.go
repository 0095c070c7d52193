package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
func (b *bencher) one(ctx context.Context, w *workload) (figures *benchFigures, err error) {
	url, pid := b.o.address(), b.o.pid
	if b.o.url == "" {
		broker, err := startBroker(ctx, b.o, b.brokerCore)
		if ctx.Err() != nil {
			return nil, errInterrupted
		}
		if err != nil {
			return nil, err
		}
		url, pid = broker.url, broker.cmd.Process.Pid
		defer func() {
			if stopped := broker.stop(); err == nil {
				err = stopped
			}
		}()
	}
	m := &meter{pid: pid}
	idle, err := m.look(load.Totals{})
	if err != nil {
		return nil, err
	}
	run, err := load.Open(ctx, b.o.load(w, url))
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	if err != nil {
		return nil, err
	}
	attached, attachedErr := m.look(load.Totals{})
	first, last, runErr := b.drive(ctx, run, w, m)
	res := run.Close()
	end, err := m.look(res.Totals)
	if err == nil {
		err = attachedErr
	}
	if runErr != nil && !errors.Is(runErr, errInterrupted) && !load.Stuck(runErr) {
		return nil, runErr
	}
	if err != nil {
		return nil, err
	}
	if load.Stuck(runErr) {
		runErr = nil // what never came is among the problems
	}
	if last.at.IsZero() {
		return nil, runErr // interrupted before it measured anything
	}
	return newFigures(&span{idle, attached, first, last, end}, &res), runErr
}

// drive loads until the workload has what it wants, and looks at the beginning
// and the end of what is measured.
func (b *bencher) drive(ctx context.Context, run *load.Run, w *workload, m *meter) (first, last look, err error) {
	if w.queued > 0 {
		if err := run.Fill(ctx, w.queued); err != nil {
			return first, last, interrupted(ctx, err)
		}
	}
	run.Start()
	if b.o.count == 0 {
		if err := b.spend(ctx, run, b.o.warm); err != nil {
			return first, last, err
		}
	}
	run.Measure(true)
	if first, err = m.look(run.Totals()); err != nil {
		return first, last, err
	}
	if b.o.count > 0 {
		err = b.watch(ctx, run, func() error { return run.Wait(ctx) })
	} else {
		err = b.spend(ctx, run, b.o.duration)
	}
	run.Measure(false)
	var lookErr error
	if last, lookErr = m.look(run.Totals()); err == nil {
		err = lookErr
	}
	if err == nil && b.o.count == 0 {
		err = run.Halt(ctx)
	}
	return first, last, interrupted(ctx, err)
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
