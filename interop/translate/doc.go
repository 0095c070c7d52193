// Package translate turns a JMS message into what systems outside of JMS can carry,
// and back: the three encodings of a transport's `encoding` key, headers, ems-json
// and raw (migration 3.4). Read takes a message of ours apart into a Message, Build
// puts one together; Encoding.Out and Encoding.In go to and from the outside. What
// does not survive is a table (Losses), and the tests hold every encoding to it.
// docs/translation.md is the page for users.
package translate
