package main

import (
	"log/slog"
	"path/filepath"

	"github.com/tidegate/tidegate/interop/nats"
)

// natsDir is where the embedded NATS server keeps its streams, below the data directory.
const natsDir = "nats"

// embeddedNATS is the NATS server of this process, which starts when a transport first
// asks for it. Where our own messages are flushed before they are accepted, so are its.
func (d *doors) embeddedNATS(data, durability string, log *slog.Logger) *nats.Embedded {
	listen := d.only.natsListen
	if listen == "none" {
		listen = ""
	}
	return nats.NewEmbedded(nats.EmbeddedOptions{Dir: filepath.Join(data, natsDir), Listen: listen, SyncAlways: durability == "failsafe", Log: log})
}
