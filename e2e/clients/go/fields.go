package main

import (
	"fmt"
	"time"

	"github.com/Azure/go-amqp"
)

// addFields adds what the command says of the properties section, and annotations.
func (c *command) addFields(m *amqp.Message) error {
	if c.Relay || len(c.Fields) > 0 {
		if m.Properties == nil {
			m.Properties = &amqp.MessageProperties{}
		}
		if c.Relay {
			m.Properties.To = &c.Address
		}
	}
	for name, written := range c.Fields {
		v, err := value(written)
		if err != nil {
			return err
		}
		if !setField(m.Properties, name, v) {
			return fmt.Errorf("go-amqp has no field %s of the type of %v", name, written)
		}
	}
	annotations, err := annotate(c.Annotations)
	if err != nil {
		return err
	}
	if c.DelayMS > 0 {
		if annotations == nil {
			annotations = amqp.Annotations{}
		}
		annotations["x-opt-delivery-delay"] = c.DelayMS
	}
	m.Annotations = annotations
	return nil
}

// annotate makes annotations of written values; nil of none, which is no section.
func annotate(written map[string]any) (amqp.Annotations, error) {
	if len(written) == 0 {
		return nil, nil
	}
	all := amqp.Annotations{}
	made, err := values(written)
	for name, v := range made {
		all[name] = v
	}
	return all, err
}

// setField says whether the field is there and has the value's type.
func setField(p *amqp.MessageProperties, name string, v any) bool {
	switch v := v.(type) {
	case string:
		field := map[string]**string{
			"to": &p.To, "subject": &p.Subject, "reply_to": &p.ReplyTo, "group_id": &p.GroupID, "reply_to_group_id": &p.ReplyToGroupID,
		}[name]
		if field == nil {
			return false
		}
		*field = &v
	case amqp.Symbol:
		field := map[string]**string{"content_type": &p.ContentType, "content_encoding": &p.ContentEncoding}[name]
		if field == nil {
			return false
		}
		text := string(v)
		*field = &text
	case time.Time:
		field := map[string]**time.Time{"absolute_expiry_time": &p.AbsoluteExpiryTime, "creation_time": &p.CreationTime}[name]
		if field == nil {
			return false
		}
		*field = &v
	case []byte:
		p.UserID = v
		return name == "user_id"
	case uint32:
		p.GroupSequence = &v
		return name == "group_sequence"
	default:
		return false
	}
	return true
}

// tellFields writes the properties section, but for the ids.
func tellFields(p *amqp.MessageProperties) map[string]any {
	all := map[string]any{}
	if p == nil {
		return all
	}
	for name, text := range map[string]*string{
		"to": p.To, "subject": p.Subject, "reply_to": p.ReplyTo, "group_id": p.GroupID, "reply_to_group_id": p.ReplyToGroupID,
	} {
		if text != nil {
			all[name] = tell(*text)
		}
	}
	for name, text := range map[string]*string{"content_type": p.ContentType, "content_encoding": p.ContentEncoding} {
		if text != nil {
			all[name] = "symbol:" + *text
		}
	}
	for name, at := range map[string]*time.Time{"absolute_expiry_time": p.AbsoluteExpiryTime, "creation_time": p.CreationTime} {
		if at != nil {
			all[name] = tell(*at)
		}
	}
	if p.UserID != nil {
		all["user_id"] = tell(p.UserID)
	}
	if p.GroupSequence != nil {
		all["group_sequence"] = tell(*p.GroupSequence)
	}
	return all
}
