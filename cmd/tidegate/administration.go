package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/spf13/viper"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/config/disk"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// administration makes the service behind `$sys.admin`. shutdown ends the server
// in good order.
func (d *doors) administration(v *viper.Viper, log *slog.Logger, broker *server.Server, st *store.Store, began time.Time, limits *liveLimits, bridges *transports, shutdown func()) *admin.Service {
	o := admin.Options{
		Broker: broker, Name: "tidegate", Version: version, Log: log, Definitions: d.definitions, Shutdown: shutdown, RotateLog: d.trace.rotator(),
		HashPassword: hashed, Rights: d.gate.rights.Load, Transports: transportAdmin{bridges}, RendezvousURL: bridges.rendezvous,
	}
	d.definitions.View(func(c *config.Config) {
		if n := c.Param("server"); n != "" {
			o.Name = n
		}
	})
	hostname, _ := os.Hostname()
	data, need := v.GetString("data"), v.GetString("durability")
	o.Facts = func() admin.Facts {
		s := st.Stats()
		_, logSize, logMax := d.trace.facts()
		return admin.Facts{
			Hostname: hostname, ProcessID: os.Getpid(), State: "active", DataDir: data, Started: began, LogFileSize: logSize, LogFileMax: logMax, Listens: d.urls(),
			MemoryUsed: s.Memory, MemoryMax: limits.memory.Load(), Fsync: true, SyncStorage: storage(need == "failsafe", s), AsyncStorage: storage(need != "failsafe", s),
			Reads: uint64(s.Reads), ReadBytes: uint64(s.ReadBytes), Writes: uint64(s.Writes), WriteBytes: uint64(s.WriteBytes),
			Store: admin.StoreFacts{
				Segments: s.Segments, Spares: s.Spares, LogBytes: s.LogBytes, Spilled: s.SpillBytes,
				Messages: s.LiveIDs, InMemory: s.InMemory, SwapFiles: s.SwapFiles, Flushes: uint64(s.Flushes), FlushTime: s.FlushAverage,
			},
		}
	}
	return admin.New(o)
}

// storage is the disk space of the one log, which counts as synced or not.
func storage(this bool, s store.Stats) int64 {
	if this {
		return s.LogBytes + s.SpillBytes
	}
	return 0
}

// defined reads what administrators have defined, and says what comes into being
// by being used: what flags say goes over the files.
// set is the EMS configuration that was named; nil: the server's own.
func defined(v *viper.Viper, set *config.Config, log *slog.Logger) (func(core.Destination) bool, *admin.Definitions, error) {
	create, err := mayCreate(v.GetStringSlice("dynamic-queues"), v.GetStringSlice("dynamic-topics"))
	if err != nil {
		return nil, nil, err
	}
	var d *admin.Definitions
	if set != nil {
		d = admin.NewDefinitions(set, func(c *config.Config) error { return disk.Save(vfs.OS, c) })
	} else if d, err = openDefinitions(v.GetString("data"), log); err != nil {
		return nil, nil, err
	}
	if !v.IsSet("dynamic-queues") && !v.IsSet("dynamic-topics") {
		return nil, d, nil // the definitions say
	}
	if set != nil {
		log.Info("a setting goes over the configuration", "setting", "--dynamic-queues, --dynamic-topics", "parameter", "wildcards of queues.conf and topics.conf")
	}
	if create == nil {
		create = func(core.Destination) bool { return true }
	}
	return create, d, nil
}
