package auth

import "testing"

func TestACL(t *testing.T) {
	a := &ACL{
		SecureQueues: []string{"pay.>"}, SecureTopics: []string{"prices"},
		Grants: []Grant{
			{Pattern: "pay.*", User: "alice", Allow: []string{"send"}},
			{Pattern: "pay.in", User: "alice", Allow: []string{"receive"}},
			{Pattern: ">", Allow: []string{"browse"}},
			{Topic: true, Pattern: "prices", User: "bob", Allow: []string{"durable"}},
			{Pattern: "q.>", User: "bob", Allow: []string{"create"}},
			{Pattern: "all", User: "bob", Allow: []string{All}},
		},
	}
	for _, c := range []struct {
		user, permission string
		topic            bool
		name             string
		want             bool
	}{
		{"alice", "send", false, "pay.in", true},
		{"alice", "receive", false, "pay.in", true}, // grants of several patterns add up
		{"alice", "receive", false, "pay.out", false},
		{"bob", "send", false, "pay.in", false},
		{"bob", "browse", false, "pay.in", true}, // everybody's
		{"bob", "send", false, "free", true},     // not secure
		{"alice", "send", true, "pay.in", true},  // the topic of that name is not
		{"alice", "subscribe", true, "prices", false},
		{"bob", "use_durable", true, "prices", true}, // durable implies it
		{"bob", "subscribe", true, "prices", false},
		{"bob", "create", false, "q.1", true},
		{"bob", "view", false, "q.1", true}, // create implies it
		{"bob", "delete", false, "q.1", false},
		{"alice", "create", false, "free", false}, // never without a grant
		{"bob", "purge", false, "all", true},
		{Admin, "delete", false, "pay.in", true},
	} {
		if got := a.Permits(c.user, c.permission, c.topic, c.name); got != c.want {
			t.Errorf("%s %s topic=%v %s: %v", c.user, c.permission, c.topic, c.name, got)
		}
	}
}
