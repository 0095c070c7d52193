package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
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
	c, err := o.dial(ctx, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	text, err := ask(ctx, c, "show queues")
	if err != nil {
		return err
	}
	if asJSON {
		_, err = fmt.Fprintln(out, text)
		return err
	}
	var queues []core.QueueInfo
	if err := json.Unmarshal([]byte(text), &queues); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
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

// ask sends an administrative request and gives the answer's text.
func ask(ctx context.Context, c *client.Conn, operation string) (string, error) {
	answers, err := c.NewReceiver(client.ReceiverOptions{Dynamic: true, Credit: 1})
	if err != nil {
		return "", err
	}
	requests, err := c.NewSender("$sys.admin", nil, false)
	if err != nil {
		return "", err
	}
	b := message.NewBuilder()
	b.Properties.MessageID = "1"
	b.Properties.ReplyTo = answers.Address
	b.SetProperty("operation", operation)
	if err := requests.Send(ctx, b.Append(nil)); err != nil {
		return "", err
	}
	if err := requests.Flush(ctx); err != nil {
		return "", err
	}
	d, err := answers.Receive(ctx)
	if err != nil {
		return "", err
	}
	text, ok := d.Message.Text()
	if !ok {
		return "", errors.New("the server's answer is no text")
	}
	return text, nil
}
