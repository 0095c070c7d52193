package main

import (
	"testing"

	"github.com/tidegate/tidegate/core"
)

func TestMayCreate(t *testing.T) {
	all, err := mayCreate([]string{">"}, []string{"a", ">"})
	if err != nil || all != nil {
		t.Errorf("patterns of all: %v, a function: %v", err, all != nil)
	}
	may, err := mayCreate([]string{"app.>", "one"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[core.Destination]bool{ // order: irrelevant
		{Kind: core.Queue, Name: "app.x"}:   true,
		{Kind: core.Queue, Name: "one"}:     true,
		{Kind: core.Queue, Name: "two"}:     false,
		{Kind: core.Queue, Name: "$app.x"}:  false,
		{Kind: core.Topic, Name: "app.x"}:   false,
		{Kind: core.Queue, Name: "app"}:     false,
		{Kind: core.Queue, Name: "app.x.y"}: true,
	} {
		if got := may(d); got != want {
			t.Errorf("%+v: %v", d, got)
		}
	}
	if _, err := mayCreate([]string{"a..b"}, nil); err == nil {
		t.Error("a pattern that is no name is taken")
	}
}
