package config

// document is the text that objects of one class stand in. Objects are told apart
// by Key; which of several with one key counts was settled when it was read.
type document interface {
	objects() []*Object
	find(key string) *Object
	add(o Object)
	set(key string, attrs []Attr)
	drop(key string)
}

// destinations is the text that queues or topics stand in; their properties are in
// a property.Tree, so that 100,000 of them cost little.
type destinations interface {
	put(d definition)
	drop(name string)
	place(name string, part string) Place // part: of a property, its `name=value`; empty: the destination's name
}
