// Package property knows the properties of destinations (ems 2): what a line of
// queues.conf or topics.conf may say behind the name, what each value means, what
// a name inherits from the wildcard lines above it, and what comes of both.
//
// Its parts, in the order in which they are used:
//
//   - Table is the one list of properties. All that parses, prints, checks or
//     documents a property reads its row.
//   - ParseList reads `secure,maxbytes=1MB`, ParseValue one property; Set is the
//     result, the own properties of one destination, and prints itself as EMS does.
//   - Tree holds the static definitions of one kind, queues or topics. Put, Delete
//     and Get change and read it; Effective says what holds for a name and where
//     each value comes from; Policy gives the same compiled, for the broker;
//     Creatable says whether a client may bring a name into being.
//   - CheckName says which names an administrator may define.
//
// A Tree is for one goroutine. Policies are shared and never change; those that a
// change of the tree could concern must be asked for again.
package property
