package server

import (
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/property"
)

// Configure defines all destinations of a configuration, once, before clients come in;
// see core.Broker.Configure.
func (s *Server) Configure(c core.Configuration) (orphans []core.QueueInfo, err error) {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { orphans, err = b.Configure(now, c, fx) })
	return orphans, err
}

// SetDefinition makes a static destination or a wildcard, or changes its properties; see
// core.Broker.SetDefinition.
func (s *Server) SetDefinition(k core.DestinationKind, d property.Definition) (err error) {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { err = b.SetDefinition(now, k, d, fx) })
	return err
}

// RemoveDefinition takes a definition away; see core.Broker.RemoveDefinition.
func (s *Server) RemoveDefinition(d core.Destination) (err error) {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { err = b.RemoveDefinition(now, d, fx) })
	return err
}

// FlowControl turns flow control on or off; see core.Broker.SetFlowControl.
func (s *Server) FlowControl(on, onlyActive bool) {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.SetFlowControl(now, on, onlyActive, fx) })
}

// SetBridges replaces all bridges; see core.Broker.SetBridges.
func (s *Server) SetBridges(all []core.Bridge) (err error) {
	s.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { err = b.SetBridges(now, all, fx) })
	return err
}
