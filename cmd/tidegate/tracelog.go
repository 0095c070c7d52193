package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
)

// traceLog is where the log goes: to the console as it always does, or in EMS's
// lines where console_trace is set; and into the file of logfile, in EMS's lines.
// What is written there, log_trace and console_trace say by items (ems 1.2).
type traceLog struct {
	console io.Writer
	plain   slog.Handler // the console's, where console_trace is not set

	mu           sync.Mutex // guards what follows, and writes
	file         *logFile   // nil: none
	fileItems    []string
	consoleItems []string // nil: plain
	complained   bool     // that the file cannot be written
	// instead counts in place of log_trace and console_trace (tibemsd -trace).
	instead string
}

func newTraceLog(console io.Writer, level slog.Level) *traceLog {
	return &traceLog{console: console, plain: slog.NewTextHandler(console, &slog.HandlerOptions{Level: level})}
}

// logger writes to the log.
func (l *traceLog) logger() *slog.Logger { return slog.New(&traceHandler{log: l, plain: l.plain}) }

// follow applies what the definitions say of the log, now and when it changes.
func (l *traceLog) follow(d *admin.Definitions) {
	d.View(l.apply)
	d.Watch(func(c *config.Config, what admin.Change) {
		if what.Class == 0 && (what.Name == "log_trace" || what.Name == "console_trace") {
			l.setItems(c)
		}
	})
}

// apply begins with the file and the items that a configuration names. A file that
// cannot be opened is said and left out: no server stays down for its log.
func (l *traceLog) apply(c *config.Config) {
	l.setItems(c)
	name := c.Param("logfile")
	open, _, _ := l.facts()
	if name == "" || name == "none" || open == c.Path(name) {
		return
	}
	most, _ := property.ParseSize(c.Param("logfile_max_size"))
	keep, _ := strconv.Atoi(c.Param("logfile_max_count"))
	f, err := openLogFile(c.Path(name), most, keep)
	if err != nil {
		l.logger().Warn("the log file cannot be opened, and the server goes on without: mend logfile and start anew", "err", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file = f
}

// last puts into the file what ended the server; the console gets it otherwise.
func (l *traceLog) last(err error) {
	r := slog.NewRecord(time.Now(), slog.LevelError, err.Error(), 0)
	line := emsLine(&r, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.write(line)
	}
}

// setItems reads log_trace and console_trace.
func (l *traceLog) setItems(c *config.Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	file, console, ems := c.Param("log_trace"), c.Param("console_trace"), c.IsSet("console_trace")
	if l.instead != "" {
		file, console, ems = l.instead, l.instead, true
	}
	l.fileItems = config.TraceSet(config.DefaultTrace, file)
	l.consoleItems = nil
	if ems {
		l.consoleItems = append(config.TraceSet(config.DefaultTrace, console), "")
	}
}

// facts are the file's name, size and the size at which it is rotated.
func (l *traceLog) facts() (name string, size, most int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return "", 0, 0
	}
	return l.file.name, l.file.size, l.file.most
}

// rotator begins a new file; nil where there is none.
func (l *traceLog) rotator() func() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.file.rotate()
	}
}

func (l *traceLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.close()
}

// traceKey is the attribute that names a line's trace item.
const traceKey = "trace"

// itemsOf are the items of messages that belong to another than their level's: a
// message of ours is constant.
var itemsOf = map[string]string{
	"administration": "ADMIN", "administration failed": "ADMIN", "administration refused": "ADMIN",
	"connected": "CONNECT", "disconnected": "CONNECT",
	"login refused": "CONNECT_ERROR", "connection refused": "CONNECT_ERROR", "connection refused: too many": "CONNECT_ERROR", "token refused": "CONNECT_ERROR",
	"configuration": "CONFIG", "a setting goes over the configuration": "CONFIG", "message dropped": "LIMITS", "message discarded": "LIMITS", "message expired": "DEST",
	"attach not permitted": "ACL", "send not permitted": "ACL",
	"flow control engaged": "FLOW", "flow control disengaged": "FLOW", "send refused": "PRODCONS",
	"transport lost messages": "RVADV", "transport stopped messages that go in a circle": "RVADV", "a certified listener is not registered": "RVADV",
	"checkpoint made": "DBSTORE", "memory for messages": "MEMORY",
}

// itemOf is the trace item of a line: what its attribute trace says, else its
// message's or level's. Errors are of none, and always written.
func itemOf(r *slog.Record) string {
	item, ok := itemsOf[r.Message]
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == traceKey {
			item, ok = a.Value.String(), true
		}
		return !ok || a.Key != traceKey
	})
	switch {
	case r.Level >= slog.LevelError:
		return ""
	case ok:
		return item
	case r.Level >= slog.LevelWarn:
		return "WARNING"
	case r.Level >= slog.LevelInfo:
		return "INFO"
	}
	return "LOAD" // details that no item of EMS's is about
}

// debugItems are those of lines that are details to us.
var debugItems = []string{"CONNECT", "PRODCONS", "FLOW", "DEST", "DBSTORE", "MEMORY", "LOAD", "LIMITS"}

func wantsDetails(items []string) bool {
	return slices.ContainsFunc(items, func(i string) bool { return i != "LIMITS" && slices.Contains(debugItems, i) })
}

// write puts a line where its item is wanted, and says whether the console has lines
// of its own form.
func (l *traceLog) write(item string, line func() string) (plain bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	console := l.consoleItems != nil && (item == "" || slices.Contains(l.consoleItems, item))
	file := l.file != nil && (item == "" || slices.Contains(l.fileItems, item))
	if console || file {
		l.put(console, file, line())
	}
	return l.consoleItems == nil
}

// put writes a line; the lock is held.
func (l *traceLog) put(console, file bool, line string) {
	if console {
		_, _ = io.WriteString(l.console, line)
	}
	if !file {
		return
	}
	if err := l.file.write(line); err != nil && !l.complained {
		l.complained = true
		fmt.Fprintf(l.console, "the log file cannot be written, and is left out until it can: %v\n", err)
	} else if err == nil {
		l.complained = false
	}
}

// traced takes a line of a traced message (ems 2.3 trace), of the item MSG.
func (l *traceLog) traced(line string) {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, line, 0)
	r.AddAttrs(slog.String(traceKey, "MSG"))
	_ = (&traceHandler{log: l, plain: l.plain}).Handle(context.Background(), r)
}

// traceHandler is slog's way in.
type traceHandler struct {
	log   *traceLog
	plain slog.Handler
	attrs []slog.Attr
}

// Enabled is slog.Handler.
func (h *traceHandler) Enabled(ctx context.Context, level slog.Level) bool {
	if level >= slog.LevelInfo {
		return true
	}
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	if h.log.file != nil && wantsDetails(h.log.fileItems) || wantsDetails(h.log.consoleItems) {
		return true
	}
	return h.log.consoleItems == nil && h.plain.Enabled(ctx, level)
}

// Handle is slog.Handler.
func (h *traceHandler) Handle(ctx context.Context, r slog.Record) error {
	plain := h.log.write(itemOf(&r), func() string { return emsLine(&r, h.attrs) })
	if plain && h.plain.Enabled(ctx, r.Level) {
		return h.plain.Handle(ctx, r)
	}
	return nil
}

// WithAttrs is slog.Handler.
func (h *traceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &traceHandler{h.log, h.plain.WithAttrs(attrs), append(slices.Clip(h.attrs), attrs...)}
}

// WithGroup is slog.Handler; nothing here makes groups.
func (h *traceHandler) WithGroup(name string) slog.Handler {
	return &traceHandler{h.log, h.plain.WithGroup(name), h.attrs}
}

// emsLine is a line as EMS's log has it (ems 1.2): time, WARNING: or ERROR:, who
// it is about in brackets, text.
func emsLine(r *slog.Record, attrs []slog.Attr) string {
	var b strings.Builder
	b.WriteString(r.Time.Format("2006-01-02 15:04:05.000 "))
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString("ERROR: ")
	case r.Level >= slog.LevelWarn:
		b.WriteString("WARNING: ")
	}
	all := slices.Clone(attrs)
	r.Attrs(func(a slog.Attr) bool {
		all = append(all, a)
		return true
	})
	take := func(key string) string {
		for i, a := range all {
			if a.Key == key {
				all = slices.Delete(all, i, i+1)
				return a.Value.String()
			}
		}
		return ""
	}
	_ = take(traceKey)
	user, peer := take("user"), take("peer")
	switch {
	case user != "" && peer != "":
		b.WriteString("[" + user + "@" + peer + "]: ")
	case user != "" || peer != "":
		b.WriteString("[" + user + peer + "]: ")
	}
	if command := take("command"); command != "" && r.Message == "administration" {
		b.WriteString(command)
	} else {
		b.WriteString(r.Message)
		if command != "" {
			b.WriteString(": " + command)
		}
	}
	if finding := take("finding"); finding != "" {
		b.WriteString(": " + finding)
	}
	for _, a := range all {
		text := a.Value.String()
		if strings.ContainsAny(text, " \t\n\"") {
			text = strconv.Quote(text)
		}
		b.WriteString(" " + a.Key + "=" + text)
	}
	return oneLine(b.String()) + "\n"
}

// oneLine writes control characters out: no name that a client gives itself, and no
// message id, begins a line that looks like the server's own.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if unicode.IsControl(c) {
			b.WriteString(strings.Trim(strconv.QuoteRune(c), "'"))
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}
