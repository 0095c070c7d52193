package message

// Offset is where header and delivery annotations end: what SkipHeader finds,
// for a message that is indexed already.
func (m *Message) Offset() int { return int(m.at[annotationSection]) }
