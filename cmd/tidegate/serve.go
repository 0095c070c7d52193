package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/gateway"
	"github.com/tidegate/tidegate/amqp/message"
	amqpserver "github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/server"
)

// Defaults of serve.
const (
	defaultListen     = "amqp://127.0.0.1:5672"
	defaultData       = "./tidegate-data"
	defaultMaxMessage = "128MiB"
	shutdownTime      = 10 * time.Second
	// gcPercent: read buffers are the garbage, and the live heap is small
	// (performance.md 3.2b measured a third more throughput).
	gcPercent = 1000
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Run the gateway until SIGTERM or SIGINT, which end it in good order.

Prints "ready amqp://HOST:PORT" (amqps://) on standard output for each listener
once it accepts clients; the log goes to standard error. Every flag can stand in
tidegate.yaml, or in the environment as TIDEGATE_NAME; permissions, tokens and
mechanisms stand in the file alone (docs/configuration.md).

--config DIR runs an EMS configuration: it listens where its listen lines say
(tcp://7222 is AMQP 1.0 there), with its destinations, stores and limits. Flags go
over it. docs/ems-configuration.md has what each parameter means here.

Called tibemsd (a link), it takes -config FILE (tibemsd.conf of this directory),
-trace ITEMS, -secondary and the other options of EMS's server.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.String("config", "", "configuration: `PATH` of an EMS set (its directory, tibemsd.conf or tibemsd.json), or of a .yaml file (default tidegate.yaml, if it is there)")
	f.StringArray("listen", []string{defaultListen}, "listen at `URL`, amqp://HOST:PORT or amqps://HOST:PORT, which refuses plain text; WebSocket comes by either; can be repeated")
	f.String("data", defaultData, "keep messages in `DIR`")
	f.String("durability", "failsafe", "persistent messages are accepted when flushed (failsafe) or written (normal)")
	f.String("users", "", "let in the users of `FILE` (users.conf; written by tidegate passwd); without it anybody")
	f.Bool("anonymous", false, "with --users: let in clients without a name as well")
	f.String("tls-cert", "", "serve TLS with the certificate chain in `FILE` (PEM); read anew when it changes, and on SIGHUP")
	f.String("tls-key", "", "the certificate's key in `FILE` (PEM)")
	f.String("tls-client-ca", "", "take client certificates of the authorities in `FILE` (PEM): SASL EXTERNAL, the user is the subject's common name")
	f.StringArray("websocket-origin", nil, "let web pages of `ORIGIN` (https://HOST) connect, besides those of this host; * is all; can be repeated")
	f.Int("max-connections", amqpserver.DefaultMaxConnections, "refuse more connections than `N`")
	f.Duration("idle-timeout", engine.DefaultIdleTimeOut, "tell clients so; who sends no whole frame for twice as long is cut")
	f.Duration("login-timeout", engine.DefaultAuthTimeOut, "cut who has not logged in by then")
	f.String("console", "off", "web console at `ADDR` (accepted; its page comes with a later version)")
	f.String("max-message-size", defaultMaxMessage, "largest message in `BYTES` (with KiB, MiB, GiB, KB, MB or GB if you like); what is above 1MiB lies in a file of its own")
	f.String("memory", "", "keep the process near `BYTES`: what more messages need goes to disk (default a quarter of the machine, at most 1GiB)")
	f.StringArray("dynamic-queues", []string{">"}, "make queues whose names match `PATTERN` when they are first used; can be repeated")
	f.StringArray("dynamic-topics", []string{">"}, "the same for topics")
	f.String("npsend-check-mode", "always", "which non-persistent sends hear that they failed: `MODE` always, never, temp_dest, auth (with --users), temp_auth; the others are accepted whatever becomes of them")
	transactionFlags(f)
	f.Bool("secondary", false, "with an EMS set: be the second server of its pair, with the listeners and files that are this one's in a tibemsd.json")
	f.String("trace", "", "with an EMS set: trace `ITEMS` in place of log_trace and console_trace")
	f.Bool("verbose", false, "log connections and expiry as well")
	f.String("debug", "", "let processes of this host look into this one (Go profiles, counts) by HTTP at loopback `ADDR`")
	f.Duration("flush-delay", 0, "for benchmarks: add this to every flush")
	f.String("cpu-profile", "", "for benchmarks: write a CPU profile to `FILE`")
	f.Int64("segment-bytes", segmentBytes, "for tests of small backlogs: length of the log's files")
	_ = f.MarkHidden("segment-bytes")
	_ = f.MarkHidden("flush-delay")
	_ = f.MarkHidden("cpu-profile")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		file, _ := f.GetString("config")
		set := ""
		if file != "" && emsSet(file) {
			set, file = file, ""
		}
		v, only, err := settings(cmd, file)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), v, only, set)
	}
	return cmd
}

func serve(ctx context.Context, v *viper.Viper, only *fileOnly, setPath string) (err error) {
	trace := newTraceLog(os.Stderr, logLevel(v))
	defer func() {
		if err != nil {
			trace.last(err)
		}
		_ = trace.close()
	}()
	trace.instead = v.GetString("trace")
	if err := config.CheckTrace(trace.instead); err != nil {
		return fmt.Errorf("--trace %s: %w", trace.instead, err)
	}
	log := trace.logger()
	set, stores, err := openSet(v, setPath, only.rendezvous, trace, log)
	if err != nil {
		return err
	}
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
	tuneRuntime(memory)
	need, err := durability(v.GetString("durability"))
	if err != nil {
		return err
	}
	maxMessage, err := parseBytes(v.GetString("max-message-size"))
	if err != nil || maxMessage <= 0 {
		return fmt.Errorf("--max-message-size %s: write a number of bytes above 0, with KiB, MiB, GiB, KB, MB or GB if you like", v.GetString("max-message-size"))
	}
	certs, err := certificates(v, log)
	if err != nil {
		return err
	}
	if v.GetInt("max-connections") <= 0 || v.GetDuration("idle-timeout") < time.Second || v.GetDuration("login-timeout") <= 0 {
		return errors.New("--max-connections and --login-timeout must be above 0, --idle-timeout at least 1s")
	}
	create, definitions, err := defined(v, set, log)
	if err != nil {
		return err
	}
	gate, err := openGate(v, definitions, only, log)
	if err != nil {
		return err
	}
	check, err := sendCheck(v.GetString("npsend-check-mode"))
	if err != nil {
		return err
	}
	limits, err := transactionLimits(v)
	if err != nil {
		return err
	}
	listeners, err := listen(v.GetStringSlice("listen"), certs != nil, gate.on.Load(), log)
	if err != nil {
		return err
	}
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	return run(ctx, v, log, need, memory, doors{
		gate: gate, certs: certs, listeners: listeners, maxMessage: uint64(maxMessage), create: create, check: check, limits: limits, only: only,
		definitions: definitions, trace: trace, set: set, stores: stores,
	})
}

// tuneRuntime sets what the environment does not; memory is what the process is to
// stay near, in bytes.
func tuneRuntime(memory int64) {
	if os.Getenv("GOGC") == "" {
		boundGarbage(memory/garbageShare, gcPercent)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.NumCPU() + 1) // a flush blocks a processor (performance.md 2.3)
	}
}

func logLevel(v *viper.Viper) slog.Level {
	if v.GetBool("verbose") {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// durability is what a persistent message waits for.
func durability(name string) (core.Need, error) {
	switch name {
	case "failsafe":
		return core.Sync, nil
	case "normal":
		return core.Write, nil
	}
	return 0, fmt.Errorf("--durability %s: write failsafe or normal", name)
}

// doors are where clients come in, and who may.
type doors struct {
	gate      *gate
	certs     *amqpserver.Certificates // nil: no TLS
	listeners []*amqpserver.Listener
	// maxMessage is the largest message in bytes.
	maxMessage uint64
	// create says which destinations come into being by being used; nil: all.
	create func(core.Destination) bool
	check  core.Check
	limits core.TransactionLimits
	only   *fileOnly
	// definitions are what administrators define.
	definitions *admin.Definitions
	trace       *traceLog
	// set is the EMS configuration that was named, and stores what its stores make
	// producers wait for; nil: there is none.
	set    *config.Config
	stores map[string]core.Need
}

// define makes what is defined.
func (d *doors) define(b *server.Server, log *slog.Logger) {
	orphans, err := d.definitions.Start(b, d.stores)
	if err != nil {
		log.Warn("not all that is defined could be made", "err", err)
	}
	for _, q := range orphans {
		log.Warn("a queue is defined no longer and holds messages: it lives on as a dynamic one until they are gone", "queue", q.Name, "messages", q.Messages)
	}
}

func (d *doors) urls() (all []string) {
	for _, l := range d.listeners {
		all = append(all, l.URL())
	}
	return all
}

func run(ctx context.Context, v *viper.Viper, log *slog.Logger, need core.Need, memory int64, in doors) error {
	look, err := openDebug(v.GetString("debug"))
	if err != nil {
		return err
	}
	defer look.close()
	in.trace.follow(in.definitions)
	began := time.Now()
	failed := make(chan error, 1)
	hooks := &hooks{}
	st, err := openStore(v, memory/contentsShare, hooks, log, failed)
	if err != nil {
		return err
	}
	options := server.Options{
		Name: "tidegate", StoreNeed: need, MayCreate: in.create,
		Authority: in.gate.authority(), Authorization: in.gate.on.Load(), SendCheck: in.check, Transactions: in.limits, Spool: st, Logger: log,
		MaxHeld: math.MaxInt64, // the store swaps, and says when it cannot
		Make:    message.FromBytes,
		Trace:   in.trace.traced,
	}
	if in.set != nil {
		brokerFromSet(&options, in.set)
	}
	broker, err := server.New(st, options)
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
	in.gate.follow(in.definitions, broker)
	in.gate.warnOfAdmin(in.listeners)
	in.define(broker, log)
	ctx, shutdown := context.WithCancel(ctx)
	defer shutdown()
	bridges, err := in.openTransports(ctx, v.GetString("data"), v.GetString("durability"), broker, log)
	if err != nil {
		broker.Close()
		return errors.Join(err, st.Close())
	}
	limits := newLiveLimits(memory / contentsShare)
	service := in.administration(v, log, broker, st, began, limits, bridges, shutdown)
	front := in.front(v, broker, service, log)
	limits.follow(in.definitions, v, front, st)
	look.serve(front.Connections, broker.Totals, log)
	for _, l := range in.listeners {
		front.Serve(l)
		fmt.Printf("ready %s\n", l.URL())
		log.Info("listening", "url", l.URL())
	}
	err = until(ctx, failed, in.certs)
	if err != nil {
		log.Error("the store failed: nothing more is accepted", "err", err)
	} else {
		log.Info("shutting down", "connections", front.Connections())
	}
	front.Shutdown(shutdownTime)
	service.Close()
	bridges.close()
	if err == nil {
		broker.Checkpoint()
	}
	if e := in.definitions.Save(); e != nil { // a clean exit commits (ems 1.1)
		log.Error("definitions were not saved", "err", e)
		err = errors.Join(err, e)
	}
	broker.Close()
	return errors.Join(err, st.Close())
}

// front is where clients come in.
func (d *doors) front(v *viper.Viper, broker *server.Server, service *admin.Service, log *slog.Logger) *amqpserver.Server {
	edge := amqpserver.Quiet(log) // for what clients can cause
	g := gateway.New(gateway.Options{
		Broker: broker, Admin: service, ContainerID: "tidegate", Version: version, MaxMessageSize: d.maxMessage,
		Users: d.gate, Authorization: d.gate.on.Load, Anonymous: v.GetBool("anonymous"), Logger: edge,
		Tokens: d.only.admits(), Claims: d.only.claims, Management: d.only.management, Mechanisms: d.only.mechanisms,
		IdleTimeOut: v.GetDuration("idle-timeout"), AuthTimeOut: v.GetDuration("login-timeout"),
	})
	return amqpserver.New(amqpserver.Config{
		Engine: g.Engine, New: func(c *amqpserver.Conn) amqpserver.Handler { return g.Handler(c) }, Logger: edge,
		MaxConnections: v.GetInt("max-connections"),
		Certificates:   d.certs, External: gateway.ExternalUser, Origins: v.GetStringSlice("websocket-origin"),
	})
}

// until waits for the end of ctx, or for the store's failure, which it returns.
// SIGHUP reads certificates anew in the meantime.
func until(ctx context.Context, failed <-chan error, certs *amqpserver.Certificates) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			if certs != nil {
				certs.Reload()
			}
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		}
	}
}
