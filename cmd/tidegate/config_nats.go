package main

import (
	"net"

	"go.yaml.in/yaml/v3"

	"github.com/tidegate/tidegate/core/config"
)

// defaultNATSListen is where the embedded NATS server listens: on this machine alone.
const defaultNATSListen = "127.0.0.1:4222"

// rendezvous reads where the sections for Rendezvous of transports.conf go.
func (c *configFile) rendezvous(v *yaml.Node) {
	c.mapping(v, "rendezvous", func(key string, k, v *yaml.Node) {
		if key != "url" {
			c.bad(k, "%s is not known in rendezvous: write url: nats://HOST:4222", k.Value)
			return
		}
		c.only.rendezvous = c.text(v)
		if err := config.CheckRendezvousURL(c.only.rendezvous); err != nil {
			c.bad(v, "%v", err)
		}
	})
}

// nats reads what there is to say of the embedded NATS server.
func (c *configFile) nats(v *yaml.Node) {
	c.mapping(v, "nats", func(key string, k, v *yaml.Node) {
		if key != "listen" {
			c.bad(k, "%s is not known in nats: write listen: HOST:PORT, or listen: none", k.Value)
			return
		}
		c.only.natsListen = c.text(v)
		if _, _, err := net.SplitHostPort(c.only.natsListen); err != nil && c.only.natsListen != "none" {
			c.bad(v, "%q is no address: write HOST:PORT (%s), or none: then only transports of this process reach it", c.only.natsListen, defaultNATSListen)
		}
	})
}
