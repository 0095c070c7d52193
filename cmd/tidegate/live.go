package main

import (
	"strconv"
	"sync/atomic"

	"github.com/spf13/viper"

	amqpserver "github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/persist/store"
)

// liveLimits are those that `set server` changes while the server runs.
type liveLimits struct {
	memory atomic.Int64 // bytes of messages in memory
}

func newLiveLimits(memory int64) *liveLimits {
	l := &liveLimits{}
	l.memory.Store(memory)
	return l
}

// follow applies max_connections and max_msg_memory when they change. What no
// parameter says, the flags do.
func (l *liveLimits) follow(d *admin.Definitions, v *viper.Viper, front *amqpserver.Server, st *store.Store) {
	first := l.memory.Load()
	d.Watch(func(c *config.Config, what admin.Change) {
		switch {
		case what.Class != 0:
		case what.Name == "max_connections":
			n, err := strconv.Atoi(c.Param("max_connections"))
			if err != nil || n == 0 {
				n = v.GetInt("max-connections")
			}
			front.SetMaxConnections(n)
		case what.Name == "max_msg_memory":
			n, ok := property.ParseSize(c.Param("max_msg_memory"))
			if !ok || n == 0 {
				n = first
			}
			n = max(n, minMemory/contentsShare)
			l.memory.Store(n)
			st.SetMemory(n)
		}
	})
}
