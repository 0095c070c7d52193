// Package arch holds the tests about the repository itself: who may import
// whom, which packages are pure, how large files and functions may grow, that
// every package says what it is, and that what the documents and the compose
// file name exists.
//
// The rules are data: layers.txt (imports within the module), rooms.txt (what
// is not ours) and exceptions.txt (where a rule does not hold, and why). Every
// check takes a loaded Module and returns what is wrong with it, so that the
// same code runs over this repository and over planted mistakes.
package arch
