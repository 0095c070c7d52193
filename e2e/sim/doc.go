// Package sim runs clients, network, broker, journal and disk in one goroutine
// from one seed: the real engine at both ends of the wire, the real gateway,
// core/server and core, the real store and journal, over a file system in
// memory that crashes. Only the shell is replaced (design section 8).
//
// A seed gives a plan, a list of actions (plan.go); the plan alone decides what
// happens, so that a failing one can be printed, replayed and shrunk
// (shrink.go). What clients were told is kept in a ledger, which knows what may
// come and what must (ledger.go). DESIGN.md tells
// the rest.
package sim
