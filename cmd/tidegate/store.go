package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/core"
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
	queues := queueInfos(r)
	if asJSON {
		return json.NewEncoder(out).Encode(queues)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "Queue\tMsgs\tBytes\tConsumers\tProducers\t")
	for _, q := range queues {
		if !q.Temporary {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", q.Name, q.Messages, q.Bytes, q.Consumers, q.Producers)
		}
	}
	return w.Flush()
}

// queueInfos takes from `show queues` what holds messages or has users.
func queueInfos(r *screen.Result) []core.QueueInfo {
	infos := []core.QueueInfo{}
	for _, t := range r.Tables {
		at := map[string]int{}
		for i, c := range t.Columns {
			at[c.Name] = i
		}
		for _, row := range t.Rows {
			name, _ := row[at["name"]].(string)
			number := func(column string) int64 { n, _ := row[at[column]].(int64); return n }
			if name[0] == '$' && number("msgs") == 0 || name == ">" {
				continue
			}
			infos = append(infos, core.QueueInfo{Name: name, Messages: int(number("msgs")), Bytes: number("bytes"), Consumers: int(number("receivers"))})
		}
	}
	return infos
}
