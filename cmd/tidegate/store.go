package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/auth"
)

// liveTimeout bounds the question to a running server.
const liveTimeout = 10 * time.Second

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "store", Short: "Look at a store, offline or live"}
	cmd.AddCommand(inspectCommand(), verifyCommand(), dumpCommand())
	return cmd
}

func inspectCommand() *cobra.Command {
	o := &target{}
	live, asJSON, data := false, false, ""
	cmd := &cobra.Command{
		Use:   "inspect [--data DIR | --live]",
		Short: "Say what a store holds; --live asks a running server for queues and depths",
		Args:  cobra.NoArgs,
	}
	o.flags(cmd, false)
	f := cmd.Flags()
	_ = f.MarkHidden("queue")
	f.StringVar(&data, "data", defaultData, "the store's `DIR`; its server must be stopped")
	f.BoolVar(&live, "live", false, "ask the running server at --url")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !live {
			return inspect(cmd.OutOrStdout(), data, asJSON)
		}
		return inspectLive(cmd.Context(), o, cmd.OutOrStdout(), asJSON)
	}
	return cmd
}

func inspectLive(ctx context.Context, o *target, out io.Writer, asJSON bool) error {
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	if u, err := url.Parse(o.url); err == nil && u.User == nil && o.tls.cert == "" {
		u.User = url.User(auth.Admin) // as the admin tool logs in
		o.url = u.String()
	}
	c, err := o.dial(ctx, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	a := newAdminSession(&adminOptions{}, nil, out)
	if err := a.open(c); err != nil {
		return err
	}
	r, err := a.request(ctx, "show queues notemp", "")
	if err != nil {
		return err
	}
	queues := liveQueues(r)
	if asJSON {
		return json.NewEncoder(out).Encode(queues)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "Queue\tMsgs\tBytes\tConsumers\t")
	for _, q := range queues {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t\n", q.Name, q.Messages, q.Bytes, q.Consumers)
	}
	return w.Flush()
}

// liveQueue is what is said of a queue of a running server.
type liveQueue struct {
	Name      string `json:"name"`
	Messages  int64  `json:"messages"`
	Bytes     int64  `json:"bytes"`
	Consumers int64  `json:"consumers"`
}

// liveQueues takes from `show queues` all but the server's own that are empty, and the
// wildcard that is always there.
func liveQueues(r *screen.Result) []liveQueue {
	queues := []liveQueue{}
	for _, t := range r.Tables {
		for _, row := range t.Rows {
			number := func(column string) int64 { n, _ := t.Cell(row, column).(int64); return n }
			q := liveQueue{Messages: number("msgs"), Bytes: number("bytes"), Consumers: number("receivers")}
			q.Name, _ = t.Cell(row, "name").(string)
			if q.Name != ">" && (q.Messages > 0 || !strings.HasPrefix(q.Name, "$")) {
				queues = append(queues, q)
			}
		}
	}
	return queues
}
