// Package admin is the administration: the table of operations that EMS's tool
// knows (ems 10.2), what each needs of the broker, the files and the log, and the
// requests and replies that travel to `$sys.admin`.
//
// An operation is one literal in an op_*.go file: its usage line, from which
// parser, help and completion come (core/admin/command), what it takes to be
// allowed, and what it does. Its result is a table or a sentence
// (core/admin/screen). Permission, audit, the mark that files are to be written and
// autocommit happen once, around all of them, in Service.Do.
//
// The broker is touched only through server.Server.Do, in slices where that is
// long; definitions are changed under a lock of their own, never inside the
// broker's.
package admin
