package translate

// KindOf gives the kind of a destination.
func KindOf(topic, temporary bool) DestinationKind {
	switch {
	case topic && temporary:
		return TemporaryTopic
	case topic:
		return Topic
	case temporary:
		return TemporaryQueue
	}
	return Queue
}

// Size is about how many bytes the message takes.
func (m *Message) Size() int {
	n := 256 + len(m.Body.Text) + len(m.Body.Bytes) + 32*(len(m.Body.Map)+len(m.Body.List))
	for i := range m.Properties {
		n += len(m.Properties[i].Name) + 16
		if s, ok := m.Properties[i].Value.(string); ok {
			n += len(s)
		}
	}
	return n
}
