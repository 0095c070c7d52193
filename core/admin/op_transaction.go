package admin

import (
	"context"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

var transactionOperations = []Operation{
	{Usage: "show transactions", Help: "Transactions that are open.", Right: Right{Global: "view-server"}, Run: showTransactions},
	{Usage: "show transaction ID", Help: "One open transaction.", Right: Right{Global: "view-server"}, Run: showTransaction},
	{Usage: "transaction commit ID", Help: "Commit a prepared transaction.", Right: Right{Global: "change-server"}, Asks: true, Run: endTransaction},
	{Usage: "transaction rollback ID", Help: "Roll a transaction back.", Right: Right{Global: "change-server"}, Asks: true, Run: endTransaction},
}

const transactionColumns = "id text Transaction ID;state text State;connection count Conn;user text User;sends count Sent;acknowledged count Acked;bytes bytes Size"

func (c *Call) transactions() (views []core.TxnView) {
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { views = b.TxnViews() })
	return views
}

func addTransaction(t *screen.Table, v *core.TxnView) {
	state := "active"
	if v.RollbackOnly {
		state = "rollback-only"
	}
	t.Add(strconv.FormatUint(uint64(v.ID), 10), state, v.Conn, userOrAnonymous(v.User), v.Sends, v.Acks, v.Bytes)
}

func showTransactions(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("transactions", transactionColumns)
	t.Empty = "No transactions."
	views := c.transactions()
	for i := range views {
		addTransaction(t, &views[i])
	}
	return shown(t), nil
}

// transaction finds an open one by what the command says.
func (c *Call) transaction() (*core.TxnView, error) {
	views := c.transactions()
	for i := range views {
		if strconv.FormatUint(uint64(views[i].ID), 10) == c.Get("id") {
			return &views[i], nil
		}
	}
	return nil, missing("transaction", c.Get("id"))
}

func showTransaction(_ context.Context, c *Call) (*screen.Result, error) {
	v, err := c.transaction()
	if err != nil {
		return nil, err
	}
	t := newTable("transaction", transactionColumns)
	t.Single = true
	addTransaction(t, v)
	return shown(t), nil
}

// endTransaction: only prepared transactions wait for an administrator, and
// nothing prepares one here: local ones are their client's, and end with its
// connection.
func endTransaction(_ context.Context, c *Call) (*screen.Result, error) {
	v, err := c.transaction()
	if err != nil {
		return nil, err
	}
	return nil, refuse(core.Conflict, "transaction %d is not prepared: it is connection %d's own; delete connection %d rolls it back", v.ID, v.Conn, v.Conn)
}
