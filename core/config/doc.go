// Package config reads, checks and rewrites an EMS configuration: tibemsd.conf and
// the files it names, or one tibemsd.json (ems 1). It is pure: a caller gives it
// files (Files) and writes what Changed lists.
//
// Load reads a set into a Config. What is wrong with it is in Config.Findings, each
// with file, line, column, the words at fault and what to write; what an error
// stands in does not count, and the rest does, as with EMS. Fatal lists the errors
// that startup_abort_list makes the server stop at.
//
// The model:
//
//   - Param, ParamAll, Bool give parameters; Parameters is the table of all that EMS
//     knows, with what each means here.
//   - Tree(property.Queue) and Tree(property.Topic) hold the static destinations.
//     Ask the tree for policies.
//   - Objects(class) lists everything else as Object: a name and attributes, as the
//     comment at Object says for each class.
//
// Changes are what an administrator's commands need: SetParam, PutDestination,
// DeleteDestination, Put, Delete. Each changes the model and exactly the lines
// concerned; comments, order, blanks, byte order mark and line endings stay. `setprop`
// is PutDestination with a new Set, `addprop` with the old one's Merge; a member more,
// a permission less or another selector is Put of the object with other attributes.
// Changed gives the files to write, Saved says that one was.
//
// A text that nobody changes prints byte for byte as it was read: text.go holds
// lines and replaces parts of them, json.go does the same for tibemsd.json.
package config
