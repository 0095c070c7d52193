// Package perf runs "tidegate bench run" as its users do: the real binary
// against real brokers.
//
// Its tests ask for counts, for what is printed, and for exit codes, and that
// the check finds a broker which loses, repeats, swaps or changes messages: a man
// in the middle (proxy_test.go) is that broker. They never ask how long anything
// took; times are what the benchmarks are for:
//
//	go test -run xxx -bench . ./e2e/perf
package perf
