// Package interoptest is the suite that every transport passes: a real broker over a
// real store here, the transport's real peer outside, and what has to hold between
// them. It never waits by the clock for something to happen: only for what is expected,
// and no longer than Patience.
package interoptest
