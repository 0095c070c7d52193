// Package bridges tests what leaves the gateway and comes in by its transports: the
// real binary, real brokers outside (e2e/peers) and those brokers' own clients.
//
// TestKills keeps a ledger of persistent messages while the gateway and the broker
// outside are killed; its long form is
//
//	go test -count=1 -timeout 60m -run TestKills ./e2e/bridges -bridges.messages=100000 -bridges.kills=10
package bridges
