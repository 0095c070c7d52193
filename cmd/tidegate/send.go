package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// maxLine is the longest line of standard input that is sent, in bytes.
const maxLine = 16 << 20

type sendOptions struct {
	target
	text, file                            string
	hasText                               bool
	count, size                           int
	persistent, nonPersistent, unreliable bool
	priority                              int
	ttl, delay                            time.Duration
	properties                            []string
}

func sendCommand() *cobra.Command {
	o := &sendOptions{}
	cmd := &cobra.Command{
		Use:   "send (--queue NAME | --topic NAME) [--text T | --file F|- | --size BYTES]",
		Short: "Send messages",
		Long: `Send messages. --file - sends one message for each line of standard input,
--file F the file as one message. Messages are persistent unless told otherwise.
Exits with 0 when every message was accepted.`,
		Args: cobra.NoArgs,
	}
	o.flags(cmd, true)
	f := cmd.Flags()
	f.StringVar(&o.text, "text", "", "the body")
	f.StringVar(&o.file, "file", "", "the body from `FILE`, or - for lines of standard input")
	f.IntVar(&o.count, "count", 1, "how many messages")
	f.IntVar(&o.size, "size", 0, "bodies of `BYTES` filling, the message's number in front")
	f.BoolVar(&o.persistent, "persistent", false, "stored before it is accepted (the default)")
	f.BoolVar(&o.nonPersistent, "non-persistent", false, "kept in memory only")
	f.BoolVar(&o.unreliable, "reliable", false, "EMS RELIABLE_DELIVERY: kept in memory only, and not confirmed")
	f.IntVar(&o.priority, "priority", message.DefaultPriority, "0 to 9")
	f.DurationVar(&o.ttl, "ttl", 0, "expire after this time")
	f.DurationVar(&o.delay, "delay", 0, "deliver not before this time has passed; a time to live runs meanwhile")
	f.StringArrayVar(&o.properties, "property", nil, "`NAME[:TYPE]=VALUE`; types boolean byte short int long float double string; can be repeated")
	cmd.MarkFlagsMutuallyExclusive("persistent", "non-persistent", "reliable")
	cmd.MarkFlagsMutuallyExclusive("text", "file", "size")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.hasText = f.Changed("text")
		return send(cmd.Context(), o)
	}
	return cmd
}

func send(ctx context.Context, o *sendOptions) error {
	address, capabilities, err := o.destination()
	if err != nil {
		return err
	}
	if !o.hasText && o.file == "" && o.size <= 0 {
		return errors.New("say what to send: --text T, --file FILE, --file - or --size BYTES")
	}
	if o.priority < 0 || o.priority > 9 {
		return fmt.Errorf("--priority %d: 0 to 9", o.priority)
	}
	properties, err := parseProperties(o.properties)
	if err != nil {
		return err
	}
	c, err := o.dial(ctx, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.NewSender(address, capabilities, o.unreliable)
	if err != nil {
		return err
	}
	prefix, n := "ID:"+rand.Text()+"-", 0
	one := func(body string) error {
		n++
		b := message.NewBuilder()
		b.Header.Durable = !o.nonPersistent && !o.unreliable
		b.Header.Priority = uint8(o.priority)
		b.Properties.MessageID = prefix + strconv.Itoa(n)
		b.Properties.To = address
		now := time.Now().UnixMilli()
		b.Properties.CreationTime = wire.Some(wire.Timestamp(now))
		if o.ttl > 0 {
			b.Header.TTL = wire.Some(uint32(min(o.ttl.Milliseconds(), 1<<32-1)))
			b.Properties.AbsoluteExpiryTime = wire.Some(wire.Timestamp(now + o.ttl.Milliseconds()))
		}
		if o.delay > 0 {
			b.Annotations = wire.Map{{Key: wire.Symbol(message.DeliveryTimeAnnotation), Value: now + o.delay.Milliseconds()}}
		}
		b.ApplicationProperties = properties
		b.SetText(body)
		return s.Send(ctx, b.Append(nil))
	}
	if err := o.bodies(one); err != nil {
		return err
	}
	return s.Flush(ctx)
}

// bodies gives every body to be sent.
func (o *sendOptions) bodies(one func(string) error) error {
	switch {
	case o.file == "-":
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			if err := one(lines.Text()); err != nil {
				return err
			}
		}
		return lines.Err()
	case o.file != "":
		b, err := os.ReadFile(o.file)
		if err != nil {
			return err
		}
		o.text = string(b)
	}
	filling := ""
	if o.size > 0 {
		filling = strings.Repeat("x", o.size)
	}
	for i := range o.count {
		body := o.text
		if o.size > 0 {
			number := strconv.Itoa(i+1) + " "
			body = (number + filling)[:o.size]
		}
		if err := one(body); err != nil {
			return err
		}
	}
	return nil
}

// parseProperties reads NAME[:TYPE]=VALUE.
func parseProperties(texts []string) (wire.Map, error) {
	var m wire.Map
	for _, t := range texts {
		name, value, ok := strings.Cut(t, "=")
		name, kind, typed := strings.Cut(name, ":")
		if !typed {
			kind = "string"
		}
		if !ok || name == "" {
			return nil, fmt.Errorf("--property %s: write NAME[:TYPE]=VALUE", t)
		}
		v, err := parseProperty(kind, value)
		if err != nil {
			return nil, fmt.Errorf("--property %s: %w", t, err)
		}
		m = append(m, wire.Entry{Key: name, Value: v})
	}
	return m, nil
}

func parseProperty(kind, value string) (any, error) {
	integer := func(bits int) (int64, error) { return strconv.ParseInt(value, 10, bits) }
	switch kind {
	case "string":
		return value, nil
	case "boolean":
		return strconv.ParseBool(value)
	case "byte":
		v, err := integer(8)
		return int8(v), err
	case "short":
		v, err := integer(16)
		return int16(v), err
	case "int":
		v, err := integer(32)
		return int32(v), err
	case "long":
		return integer(64)
	case "float":
		v, err := strconv.ParseFloat(value, 32)
		return float32(v), err
	case "double":
		return strconv.ParseFloat(value, 64)
	}
	return nil, fmt.Errorf("type %s is none of boolean byte short int long float double string", kind)
}
