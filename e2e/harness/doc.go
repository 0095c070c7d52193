// Package harness runs the real binary and the client drivers of e2e/clients as
// processes, for scenarios in e2e/suite.
//
// Nothing here sleeps: every wait is for a line or an event, with a deadline
// (Patience) after which the test fails and shows what the processes logged. A
// toolchain or library that is missing fails the test and says what to install;
// no scenario is ever skipped.
package harness
