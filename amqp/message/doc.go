// Package message reads AMQP 1.0 messages where they lie (amqp part 3). A
// Message is an index of the sections of immutable bytes, in one piece or in
// several as their frames came; nothing is decoded before it is asked for, and
// the bytes are never changed. On the way out, header and delivery annotations
// are replaced by cutting them off (SkipHeader) and writing new ones
// (AppendHeader) in front of the untouched rest.
package message

import (
	core "github.com/tidegate/tidegate/core/message"
)

var _ core.Content = (*Message)(nil)
