// Command bridge shows the bridges to the outside: it starts a NATS server, a RabbitMQ,
// an ActiveMQ Artemis and the gateway on this machine, has a JMS program publish two
// orders to a topic, and programs on those three systems take and answer them.
//
// It ends with a table, and with exit code 0 only if everything arrived as it was sent.
// make demo-bridge installs what it needs and runs it.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

// allTime is how long all may take.
const allTime = 5 * time.Minute

func main() {
	binary := flag.String("tidegate", "", "the gateway's binary; without it, it is built")
	running := flag.Bool("running", false, "start nothing: use what listens where conf says, as the services of docker-compose.yml")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *binary, *running); err != nil {
		fmt.Fprintln(os.Stderr, "demo-bridge:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, running bool) error {
	ctx, cancel := context.WithTimeout(ctx, allTime)
	defer cancel()
	dir, err := os.MkdirTemp("", "tidegate-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary == "" {
		if binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	all := systems()
	defer closeAll(all)
	g, err := prepare(ctx, binary, dir, all, running)
	if g != nil && g.child != nil {
		defer func() { _ = g.child.Kill() }()
	}
	if err != nil {
		return err
	}
	got := make(chan seen, 16)
	tell := func(s seen) { got <- s }
	for i, on := range []func(url string) (func(), error){
		func(url string) (func(), error) { return onNATS(url, tell) },
		func(url string) (func(), error) { return onRabbitMQ(url, tell) },
		func(url string) (func(), error) { return onArtemis(ctx, url, tell) },
	} {
		end, err := on(all[i].url())
		if end != nil {
			defer end()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", all[i].name, err)
		}
	}
	said, ended := publish(ctx, g.url, len(all))
	return report(all, got, said, ended)
}

// prepare starts everything, or looks whether it runs.
func prepare(ctx context.Context, binary, dir string, all []*system, running bool) (*gateway, error) {
	if running {
		g := &gateway{binary: binary, url: runningURL}
		return g, g.connected(ctx)
	}
	if err := startAll(all, dir); err != nil {
		return nil, err
	}
	return startGateway(ctx, binary, dir, all)
}

// publish runs the JMS program; said are its lines, ended how it ended.
func publish(ctx context.Context, url string, answers int) (said chan string, ended chan error) {
	said, ended = make(chan string, 64), make(chan error, 1)
	fmt.Printf("\na JMS program publishes to topic %s\n", topic)
	launcher := filepath.Join(harness.Root(), ".cache", "clients", "demo")
	cmd := exec.CommandContext(ctx, launcher, url, topic, strconv.Itoa(answers))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("the JMS program is not installed: run `make demo-bridge` or `make clients`: %w", err)
	}
	if err != nil {
		close(said)
		ended <- err
		return said, ended
	}
	go func() {
		for in := bufio.NewScanner(out); in.Scan(); {
			said <- in.Text()
		}
		close(said)
		ended <- cmd.Wait()
	}()
	return said, ended
}

// report prints what happens until the JMS program has ended, and the table.
func report(all []*system, got chan seen, said chan string, ended chan error) error {
	t := newTable(all)
	for said != nil {
		select {
		case s := <-got:
			fmt.Print(s.text())
			t.arrived(s)
		case line, ok := <-said:
			if !ok {
				said = nil
				continue
			}
			fmt.Println("JMS", line)
			t.told(strings.Fields(line))
		}
	}
	for len(got) > 0 {
		s := <-got
		fmt.Print(s.text())
		t.arrived(s)
	}
	if err := <-ended; err != nil {
		t.faults = append(t.faults, fmt.Sprintf("the JMS program ended with %v", err))
	}
	return t.print()
}
