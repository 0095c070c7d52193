package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/name"
)

// token lets in who shows the text whose SHA-256 it is.
type token struct {
	user string
	sum  [sha256.Size]byte
}

// tokenTable is sasl.Tokens for the tokens that tidegate.yaml names.
type tokenTable []token

// Check compares with all of them, in a time that tells nothing of where they
// differ.
func (t tokenTable) Check(user, text string) (string, bool) {
	sum := sha256.Sum256([]byte(text))
	found, ok := "", false
	for i := range t {
		if subtle.ConstantTimeCompare(t[i].sum[:], sum[:]) == 1 && (user == "" || user == t[i].user) {
			found, ok = t[i].user, true
		}
	}
	return found, ok
}

func (c *configFile) patterns(v *yaml.Node) []string {
	all := c.texts(v)
	for _, p := range all {
		if err := name.Validate(p); err != nil && p != "" {
			c.bad(v, "%v", err)
		}
	}
	return all
}

// grant reads one entry of permissions.
func (c *configFile) grant(n *yaml.Node) {
	var g auth.Grant
	var user string
	var words []string
	var allow *yaml.Node
	c.mapping(n, "a permission", func(key string, k, v *yaml.Node) {
		switch key {
		case "queue", "topic":
			if g.Pattern != "" {
				c.bad(k, "a permission is for a queue or for a topic: write two")
			}
			g.Topic, g.Pattern = key == "topic", c.text(v)
			if err := name.Validate(g.Pattern); err != nil && g.Pattern != "" {
				c.bad(v, "%v", err)
			}
		case "user":
			user = c.text(v)
		case "allow":
			allow = v
			for _, t := range c.texts(v) { // ems writes them with commas
				for p := range strings.SplitSeq(t, ",") {
					words = append(words, strings.TrimSpace(p))
				}
			}
		default:
			c.bad(k, "%s is not known in a permission: write queue or topic, user, allow", k.Value)
		}
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	if g.Pattern == "" || allow == nil {
		c.bad(n, "a permission names what it is for and what it allows: write {queue: NAME, user: NAME, allow: [send]}")
		return
	}
	known := auth.Permissions(g.Topic)
	for _, p := range words {
		if !slices.Contains(known, p) {
			c.bad(allow, "%q is no permission here: write one of %s", p, strings.Join(known, ", "))
		}
	}
	g.Who, g.Rights = auth.Who{Name: user}, auth.ParseRights(g.Topic, words)
	if user == "" {
		g.Who = auth.Who{Name: auth.All, Group: true}
	}
	c.only.grants = append(c.only.grants, g)
}

// token reads one entry of tokens.
func (c *configFile) token(n *yaml.Node) {
	var t token
	found := false
	c.mapping(n, "a token", func(key string, k, v *yaml.Node) {
		switch key {
		case "user":
			t.user = c.text(v)
		case "token":
			t.sum, found = sha256.Sum256([]byte(c.text(v))), true
		case "sha256":
			sum, err := hex.DecodeString(c.text(v))
			if err != nil || len(sum) != sha256.Size {
				c.bad(v, "this is no SHA-256: write the 64 digits that `printf %%s TOKEN | sha256sum` prints")
				return
			}
			t.sum, found = [sha256.Size]byte(sum), true
		default:
			c.bad(k, "%s is not known in a token: write user, and token or sha256", k.Value)
		}
	})
	if n.Kind == yaml.MappingNode && (t.user == "" || len(t.user) > sasl.MaxName || !found) {
		c.bad(n, "a token names its user, and the token or its SHA-256: write {user: NAME, sha256: HEX}")
	}
	c.only.tokens = append(c.only.tokens, t)
}

func (c *configFile) mechanisms(v *yaml.Node) {
	c.only.mechanisms = c.texts(v)
	for _, m := range c.only.mechanisms {
		if !slices.Contains(sasl.Known(), m) {
			c.bad(v, "%q is no mechanism here: write one of %s", m, strings.Join(sasl.Known(), ", "))
		}
	}
}

// check refuses what does not go together.
func (o *fileOnly) check(users bool) error {
	named := slices.ContainsFunc(o.grants, func(g auth.Grant) bool { return !g.Who.Group })
	switch {
	case named && !users:
		return errors.New("permissions of users go with users: without them nobody's name is checked")
	case len(o.tokens) > 0 && !users:
		return errors.New("tokens go with users: without them everybody is let in")
	case o.claims && len(o.tokens) == 0:
		return errors.New("claims go with tokens: there is none that could be shown to $cbs")
	}
	return nil
}

// admits is the tokens that let users in; nil: there are none.
func (o *fileOnly) admits() sasl.Tokens {
	if len(o.tokens) == 0 {
		return nil
	}
	return tokenTable(o.tokens)
}

func sendCheck(text string) (core.Check, error) {
	c, ok := core.ParseCheck(text)
	if !ok {
		return c, fmt.Errorf("--npsend-check-mode %s: write always, never, temp_dest, auth, temp_auth or default", text)
	}
	return c, nil
}
