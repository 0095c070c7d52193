// Package suite holds the scenarios: what users of the gateway do, run against
// the real binary with every client library that can express it.
//
// A scenario asks the drivers for what it needs (harness.Client.Can) and runs
// with each of those; none is ever skipped for want of a toolchain.
package suite
