// Package interop brings messages in from other systems and sends them out (ems 9,
// import and export). A Transport is the way to one such system; a Runner uses it:
// it connects again, keeps the order of each destination, guards against loops, and
// says to either side that a message has arrived only when the other side has it.
package interop
