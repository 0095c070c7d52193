package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
)

// receiveAhead is how many messages are asked for at a time.
const receiveAhead = 100

type receiveOptions struct {
	target
	count    int
	timeout  time.Duration
	selector string
	ack      string
	json     bool
}

func receiveCommand() *cobra.Command {
	o := &receiveOptions{}
	cmd := &cobra.Command{
		Use:   "receive (--queue NAME | --topic NAME) [--count N] [--timeout D]",
		Short: "Receive messages",
		Long: `Receive messages and print a body a line, or with --json a message a line.
Exits with 0 when it received them all, with 1 when it waited in vain.`,
		Args: cobra.NoArgs,
	}
	o.flags(cmd, true)
	f := cmd.Flags()
	f.IntVar(&o.count, "count", 1, "how many messages")
	f.DurationVar(&o.timeout, "timeout", 0, "how long to wait for each (default for ever)")
	f.StringVar(&o.selector, "selector", "", "only messages that match, for example \"colour = 'red'\"")
	f.StringVar(&o.ack, "ack", "accept", "accept, release, reject or none")
	f.BoolVar(&o.json, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return receive(cmd.Context(), o, cmd.OutOrStdout()) }
	return cmd
}

var acks = map[string]frame.DeliveryState{"accept": frame.Accepted{}, "release": frame.Released{}, "reject": &frame.Rejected{}, "none": nil}

func receive(ctx context.Context, o *receiveOptions, out io.Writer) error {
	address, capabilities, err := o.destination()
	if err != nil {
		return err
	}
	ack, known := acks[o.ack]
	if !known {
		return fmt.Errorf("--ack %s: accept, release, reject or none", o.ack)
	}
	c, err := o.dial(ctx, 1<<40)
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.NewReceiver(client.ReceiverOptions{Address: address, Capabilities: capabilities, Selector: o.selector, Credit: uint32(min(max(o.count, 1), receiveAhead))})
	if err != nil {
		return err
	}
	for range o.count {
		d, err := next(ctx, r, o.timeout)
		if err != nil {
			return err
		}
		if err := show(out, d.Message, o.json, address); err != nil {
			return err
		}
		if ack != nil {
			r.Settle(d, ack)
		}
	}
	r.Close()
	return nil
}

func next(ctx context.Context, r *client.Receiver, timeout time.Duration) (client.Delivery, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	d, err := r.Receive(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return d, &exit{exitNo, fmt.Sprintf("no message within %v", timeout)}
	}
	return d, err
}

func browseCommand() *cobra.Command {
	o := &receiveOptions{}
	cmd := &cobra.Command{
		Use:   "browse --queue NAME [--count N]",
		Short: "Look at a queue's messages without taking them",
		Args:  cobra.NoArgs,
	}
	o.flags(cmd, false)
	f := cmd.Flags()
	f.IntVar(&o.count, "count", 0, "no more than so many")
	f.StringVar(&o.selector, "selector", "", "only messages that match")
	f.BoolVar(&o.json, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return browse(cmd.Context(), o, cmd.OutOrStdout()) }
	return cmd
}

func browse(ctx context.Context, o *receiveOptions, out io.Writer) error {
	address, capabilities, err := o.destination()
	if err != nil {
		return err
	}
	c, err := o.dial(ctx, 1<<40)
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.NewReceiver(client.ReceiverOptions{Address: address, Capabilities: capabilities, Selector: o.selector, Browse: true, Credit: 0})
	if err != nil {
		return err
	}
	for n := 0; o.count == 0 || n < o.count; n++ {
		d, more, err := r.Drain(ctx)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		if err := show(out, d.Message, o.json, address); err != nil {
			return err
		}
	}
	return nil
}

// shown is a message as --json prints it.
type shown struct {
	ID            string         `json:"id"`
	Destination   string         `json:"destination"`
	Type          string         `json:"type"`
	Body          *string        `json:"body,omitempty"`
	BodyBase64    *string        `json:"body_base64,omitempty"`
	Properties    map[string]any `json:"properties"`
	Priority      uint8          `json:"priority"`
	Redelivered   bool           `json:"redelivered"`
	DeliveryCount uint32         `json:"deliveryCount"`
}

var typeNames = map[message.Kind]string{
	message.KindMessage: "message", message.KindObject: "object", message.KindMap: "map",
	message.KindBytes: "bytes", message.KindStream: "stream", message.KindText: "text",
}

func show(out io.Writer, m *message.Message, asJSON bool, address string) error {
	text, data := body(m)
	if !asJSON {
		if data != nil {
			text = string(data)
		}
		_, err := fmt.Fprintln(out, text)
		return err
	}
	h := m.Header()
	s := shown{
		ID: message.MessageIDString(m.MessageID()), Destination: m.To(), Type: typeNames[m.Kind()],
		Properties: map[string]any{}, Priority: h.Priority, Redelivered: h.DeliveryCount > 0, DeliveryCount: h.DeliveryCount + 1,
	}
	if s.Destination == "" {
		s.Destination = address
	}
	for name, v := range m.ApplicationProperties() {
		s.Properties[name] = v
	}
	if data != nil {
		b := base64.StdEncoding.EncodeToString(data)
		s.BodyBase64 = &b
	} else {
		s.Body = &text
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(line))
	return err
}

// body is a message's body as text, or as bytes where it is none.
func body(m *message.Message) (text string, data []byte) {
	if t, ok := m.Text(); ok {
		return t, nil
	}
	if b, ok := m.Bytes(); ok {
		return "", b
	}
	v, err := m.Body()
	if err != nil || v == nil {
		return "", nil
	}
	return fmt.Sprint(v), nil
}
