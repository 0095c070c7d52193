package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/tidegate/tidegate/amqp/gateway"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/sasl"
	amqpserver "github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/server"
)

// Defaults of serve.
const (
	defaultListen     = "amqp://127.0.0.1:5672"
	defaultData       = "./tidegate-data"
	defaultMaxMessage = 128 << 20 // bytes
	shutdownTime      = 10 * time.Second
	// gcPercent: read buffers are the garbage, and the live heap is small
	// (performance.md 3.2b measured a third more throughput).
	gcPercent = 400
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Run the gateway until SIGTERM or SIGINT, which end it in good order.

Prints "ready amqp://HOST:PORT" on standard output for each listener once it
accepts clients; the log goes to standard error. Every flag can stand in
tidegate.yaml, or in the environment as TIDEGATE_NAME.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.String("config", "", "configuration `FILE` (default tidegate.yaml, if it is there)")
	f.StringArray("listen", []string{defaultListen}, "listen at `URL`, amqp://HOST:PORT; can be repeated")
	f.String("data", defaultData, "keep messages in `DIR`")
	f.String("durability", "failsafe", "persistent messages are accepted when flushed (failsafe) or written (normal)")
	f.String("users", "", "let in the users of `FILE` (users.conf; written by tidegate passwd); without it anybody")
	f.Bool("anonymous", false, "with --users: let in clients without a name as well")
	f.String("console", "off", "web console at `ADDR` (accepted; its page comes with a later version)")
	f.Int64("max-message-size", defaultMaxMessage, "largest message in `BYTES`")
	f.String("memory", "", "keep the process near `BYTES`: what more messages need goes to disk (default a quarter of the machine, at most 1GiB)")
	f.Bool("verbose", false, "log connections and expiry as well")
	f.Duration("flush-delay", 0, "for benchmarks: add this to every flush")
	f.String("cpu-profile", "", "for benchmarks: write a CPU profile to `FILE`")
	_ = f.MarkHidden("flush-delay")
	_ = f.MarkHidden("cpu-profile")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		file, _ := f.GetString("config")
		v, err := settings(cmd, file)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), v)
	}
	return cmd
}

func serve(ctx context.Context, v *viper.Viper) error {
	level := slog.LevelInfo
	if v.GetBool("verbose") {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if file := v.GetString("cpu-profile"); file != "" {
		w, err := os.Create(file)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(w); err != nil {
			return err
		}
		defer w.Close()
		defer pprof.StopCPUProfile()
	}
	memory, err := memoryLimit(v.GetString("memory"))
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		boundGarbage(memory/garbageShare, gcPercent)
	}
	runtime.GOMAXPROCS(runtime.NumCPU() + 1) // a flush blocks a processor (performance.md 2.3)
	need := core.Sync
	switch d := v.GetString("durability"); d {
	case "failsafe":
	case "normal":
		need = core.Write
	default:
		return fmt.Errorf("--durability %s: write failsafe or normal", d)
	}
	if v.GetInt64("max-message-size") <= 0 {
		return errors.New("--max-message-size: a number of bytes above 0")
	}
	var users sasl.Users
	if file := v.GetString("users"); file != "" {
		u, err := loadUsers(file, log)
		if err != nil {
			return err
		}
		users = u
	} else if v.GetBool("anonymous") {
		return errors.New("--anonymous goes with --users: without users everybody is let in")
	}
	listeners, err := listen(v.GetStringSlice("listen"), users != nil, log)
	if err != nil {
		return err
	}
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	return run(ctx, v, log, need, memory, users, listeners)
}

func listen(urls []string, plainUsers bool, log *slog.Logger) (listeners []net.Listener, err error) {
	for _, u := range urls {
		l, err := amqpserver.Listen(u)
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return nil, err
		}
		listeners = append(listeners, l)
		if a, ok := l.Addr().(*net.TCPAddr); ok && plainUsers && !a.IP.IsLoopback() {
			log.Warn("passwords come in clear text: PLAIN without TLS on an address that is not loopback", "listen", l.Addr().String())
		}
	}
	return listeners, nil
}

func run(ctx context.Context, v *viper.Viper, log *slog.Logger, need core.Need, memory int64, users sasl.Users, listeners []net.Listener) error {
	began := time.Now()
	failed := make(chan error, 1)
	hooks := &hooks{}
	st, err := openStore(v.GetString("data"), v.GetDuration("flush-delay"), memory/contentsShare, hooks, log, failed)
	if err != nil {
		return err
	}
	broker, err := server.New(st, server.Options{
		Name: "tidegate", StoreNeed: need, Logger: log,
		Make: func(f coremessage.Format, p [][]byte) (coremessage.Content, error) { return message.FromBytes(f, p) },
	})
	if err != nil {
		_ = st.Close()
		return fmt.Errorf("recovering %s: %w", v.GetString("data"), err)
	}
	hooks.connect(broker)
	messages := 0
	queues := broker.Queues()
	for _, q := range queues {
		messages += q.Messages
	}
	log.Info("recovered", "data", v.GetString("data"), "queues", len(queues), "messages", messages, "took", time.Since(began).Round(time.Millisecond).String())
	g := gateway.New(gateway.Options{
		Broker: broker, ContainerID: "tidegate", Version: version, MaxMessageSize: uint64(v.GetInt64("max-message-size")),
		Users: users, Anonymous: v.GetBool("anonymous"), Logger: log,
	})
	front := amqpserver.New(amqpserver.Config{
		Engine: g.Engine, New: func(c *amqpserver.Conn) amqpserver.Handler { return g.Handler(c) }, Logger: log,
	})
	for _, l := range listeners {
		front.Serve(l)
		fmt.Printf("ready amqp://%s\n", l.Addr())
	}
	select {
	case <-ctx.Done():
		log.Info("shutting down", "connections", front.Connections())
	case err = <-failed:
		log.Error("the store failed: nothing more is accepted", "err", err)
	}
	front.Shutdown(shutdownTime)
	if err == nil {
		broker.Checkpoint()
	}
	broker.Close()
	return errors.Join(err, st.Close())
}
