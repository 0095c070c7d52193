package gateway

import (
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// claimsAddress takes tokens of clients that are connected (reference 4.2).
const claimsAddress = "$cbs"

// claimTime is how long a client that logged in by sasl.Claims may take to show a
// token.
const claimTime = 20 * time.Second

// claimsOnly says whether an attach asks for nothing but $cbs.
func claimsOnly(a *frame.Attach) bool {
	if a.Role == frame.RoleReceiver {
		return a.Source != nil && a.Source.Address == claimsAddress && !a.Source.Dynamic
	}
	t, ok := a.Target.(*frame.Target)
	return ok && t.Address == claimsAddress && !t.Dynamic
}

// claim answers put-token. What the token is for, and until when, is not asked:
// it names its user, and that user's permissions count.
func (x *call) claim(now time.Time, b *core.Broker, fx *core.Effects) {
	reply := func(code int32, text string) {
		r := amqpmessage.NewBuilder()
		r.SetProperty("status-code", code)
		r.SetProperty("status-description", text)
		x.reply(now, b, fx, r)
	}
	if op := x.text("operation"); op != "put-token" {
		reply(400, "operation "+op+" is not known: write put-token")
		return
	}
	body, _ := x.m.Body()
	code, text := statusOf(x.c.show(now, b, fx, body))
	if code == 403 {
		code = 401
	}
	reply(int32(code), text)
}

// show takes a token, text or bytes, and gives the connection its user's rights.
// Who has logged in as somebody else stays that.
func (c *conn) show(now time.Time, b *core.Broker, fx *core.Effects, body any) error {
	text, ok := wire.Text(body)
	if binary, bytes := body.([]byte); bytes {
		text, ok = string(binary), true
	}
	if !ok || text == "" {
		return &core.Error{Op: "show a token", Kind: core.Invalid, Name: "body"}
	}
	if c.g.o.Tokens == nil {
		return &core.Error{Op: "show a token", Kind: core.Denied}
	}
	user, ok := c.g.o.Tokens.Check("", text)
	if !ok || !c.unclaimed && !c.stranger && c.user != sasl.AnonymousUser && c.user != "" && c.user != user {
		c.log.Warn("token refused", "user", c.user)
		return &core.Error{Op: "show a token", Kind: core.Denied}
	}
	b.Reauthenticate(now, c.b.ID(), user, fx)
	c.user, c.stranger = user, false
	if c.unclaimed {
		c.unclaimed = false
		c.edge(fx, 0, 0, false, func(x *engine.Conn) { x.Expire(time.Time{}) })
	}
	return nil
}
