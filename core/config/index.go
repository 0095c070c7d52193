package config

import "slices"

// index is the objects of a document in its order, and by key.
type index[T interface{ object() *Object }] struct {
	items []T
	byKey map[string]T
}

func newIndex[T interface{ object() *Object }]() index[T] {
	return index[T]{byKey: map[string]T{}}
}

// object is what an item of an index is about.
func (o *Object) object() *Object { return o }

func (x *index[T]) objects() []*Object {
	all := make([]*Object, len(x.items))
	for i, item := range x.items {
		all[i] = item.object()
	}
	return all
}

func (x *index[T]) find(key string) *Object {
	if item, ok := x.byKey[key]; ok {
		return item.object()
	}
	return nil
}

// hold adds an item behind the others.
func (x *index[T]) hold(item T) {
	x.items = append(x.items, item)
	x.byKey[item.object().Key()] = item
}

// take takes the item of a key out of it.
func (x *index[T]) take(key string) T {
	item := x.byKey[key]
	delete(x.byKey, key)
	x.items = slices.DeleteFunc(x.items, func(t T) bool { return t.object() == item.object() })
	return item
}
