package admin

import "github.com/tidegate/tidegate/core/server"

// start puts definitions into a broker.
func start(d *Definitions, b *server.Server) error {
	_, err := d.Start(b, nil)
	return err
}
