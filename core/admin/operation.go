package admin

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
)

// Right is what an operation takes: a permission of the whole server by its name
// in acl.conf (ems 6.5), or instead one on the destination that the operation is
// about (ems 6.3). The zero Right is everybody's who may administer anything.
type Right struct {
	Global string
	On     core.Permission // 0: the global one alone will do
	Kind   core.DestinationKind
}

// Operation is a row of the table.
type Operation struct {
	Usage string
	Help  string // one sentence
	Right Right
	// Writes says that it may change definitions that EMS keeps in files.
	Writes bool
	// Asks says that an interactive tool asks before it does it.
	Asks bool
	// Local is done by the tool itself; the server only knows its syntax.
	Local bool
	Run   func(ctx context.Context, c *Call) (*screen.Result, error)

	syntax *command.Syntax
}

// Name is the operation's words.
func (o *Operation) Name() string { return o.syntax.Name() }

// Call is one use of an operation.
type Call struct {
	*command.Args
	*Service
	User string
	// After is the name behind which `next=N` goes on.
	After string

	then func() // to be done once the answer has left
}

// Table is all operations. The order is that of help.
var Table = assemble(
	serverOperations, configOperations, queueOperations, topicOperations, defineOperations, bridgeOperations, userOperations, aclOperations,
	factoryOperations, transportOperations, listenerOperations, durableOperations, connectionOperations, linkOperations, statOperations, transactionOperations, messageOperations,
	purgeOperations, storeOperations, laterOperations, localOperations,
)

var byName = map[string]*Operation{}

// Grammar reads command lines of the operations in Table.
var Grammar = grammar()

func assemble(lists ...[]Operation) (all []*Operation) {
	for _, list := range lists {
		for i := range list {
			o := &list[i]
			o.syntax = command.New(o.Usage)
			all = append(all, o)
		}
	}
	return all
}

func grammar() *command.Grammar {
	syntaxes := make([]*command.Syntax, len(Table))
	for i, o := range Table {
		syntaxes[i] = o.syntax
		byName[o.Name()] = o
	}
	return command.NewGrammar(syntaxes)
}

// Parse reads a command line. Errors are *command.Error: faults of syntax.
func Parse(line string) (*Operation, *command.Args, error) {
	s, a, err := Grammar.Parse(line)
	if err != nil {
		return nil, nil, err
	}
	return byName[s.Name()], a, nil
}

// Error is why an operation could not be done.
type Error struct {
	Kind core.ErrorKind
	Text string
}

func (e *Error) Error() string { return e.Text }

func refuse(kind core.ErrorKind, format string, args ...any) error {
	return &Error{kind, fmt.Sprintf(format, args...)}
}

func missing(what, name string) error {
	return refuse(core.NotFound, "%s '%s' does not exist", what, name)
}

func exists(what, name string) error {
	return refuse(core.Exists, "%s '%s' exists already", what, name)
}
