package translate

// Error says what could not be translated, where, and how to mend it.
type Error struct {
	Op     string // "export as headers", "import as ems-json", ...
	Where  string // a header's name, or the way to a JSON value
	Reason string
}

// Error is for logs and dead letters.
func (e *Error) Error() string {
	if e.Where == "" {
		return "translate: " + e.Op + ": " + e.Reason
	}
	return "translate: " + e.Op + ": " + e.Where + ": " + e.Reason
}
