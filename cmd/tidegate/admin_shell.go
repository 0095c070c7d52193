package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/admin/command"
)

// interactive reads commands from a terminal, or from what stands for one.
func (s *adminSession) interactive(ctx context.Context) error {
	s.autocommit = true // as EMS does where nobody writes a script
	s.banner()
	if !term.IsTerminal(int(s.in.Fd())) {
		return s.piped(ctx)
	}
	fd := int(s.in.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return err
	}
	defer func() { _ = term.Restore(fd, state) }()
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{s.in, os.Stdout}, "")
	if w, h, err := term.GetSize(fd); err == nil {
		sized(t, w, h)
	}
	s.converse(ctx, t)
	return nil
}

// sized tells the editor how large the terminal is. One that does not say, as those
// that programs open, is taken for wide: the editor would break lines at every character.
func sized(t *term.Terminal, w, h int) {
	if w > 0 && h > 0 {
		_ = t.SetSize(w, h)
	}
}

// converse is a session with somebody at a terminal in raw mode: lines are edited
// here, with history and completion.
func (s *adminSession) converse(ctx context.Context, t *term.Terminal) {
	s.speak(t)
	if s.o.serverGiven || s.o.userGiven {
		if err := s.start(ctx); err == nil {
			fmt.Fprintf(s.out, "Connected to: %s\n", redacted(s.url))
		}
	}
	fmt.Fprintln(s.out, "Type 'help' for commands help, 'exit' to exit:")
	for ctx.Err() == nil {
		t.SetPrompt(s.prompt())
		line, err := t.ReadLine()
		if err != nil { // the end of input, or control-C
			break
		}
		if command.Blank(line) {
			continue
		}
		if errors.Is(s.do(ctx, line), errLeave) {
			break
		}
	}
	s.finish(ctx)
	fmt.Fprintln(s.out, "bye")
}

func (s *adminSession) prompt() string {
	if s.conn == nil {
		return "> "
	}
	return redacted(s.url) + "> "
}

// speak has answers and questions go by the terminal.
func (s *adminSession) speak(t *term.Terminal) {
	t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		return completed(t, line, pos)
	}
	s.out = t // newlines become carriage returns as well
	s.read = func(question string, secret bool) (string, error) {
		if secret {
			return t.ReadPassword(question)
		}
		t.SetPrompt(question)
		return t.ReadLine()
	}
	s.ask = func(question string) bool {
		answer, err := s.read(question, false)
		return err == nil && strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y")
	}
}

// completed finishes the word before the cursor as far as all that it may become
// agree, and lists them where they do not.
func completed(out io.Writer, line string, pos int) (string, int, bool) {
	before := line[:pos]
	words := admin.Grammar.Complete(before)
	if len(words) == 0 {
		return line, pos, true
	}
	last := before[strings.LastIndexAny(before, " \t")+1:]
	common := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, common) {
			common = common[:len(common)-1]
		}
	}
	if len(words) == 1 && !strings.HasSuffix(common, "=") {
		common += " "
	}
	if len(words) > 1 && len(common) <= len(last) {
		fmt.Fprintln(out, strings.Join(words, "  "))
		return line, pos, true
	}
	begun := before[:len(before)-len(last)] + common
	return begun + line[pos:], len(begun), true
}

// piped reads commands from a pipe or a file, as scripts around EMS's tool do;
// the prompt stands where a terminal would show it.
func (s *adminSession) piped(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	if !s.o.json {
		fmt.Fprintf(s.out, "Connected to: %s\nType 'help' for commands help, 'exit' to exit:\n", redacted(s.url))
	}
	lines := bufio.NewScanner(s.in)
	lines.Buffer(nil, command.MaxLine+1)
	for {
		if !s.o.json {
			fmt.Fprint(s.out, s.prompt())
		}
		if !lines.Scan() {
			break
		}
		if command.Blank(lines.Text()) {
			continue
		}
		if errors.Is(s.do(ctx, lines.Text()), errLeave) {
			break
		}
	}
	s.finish(ctx)
	if !s.o.json {
		fmt.Fprintln(s.out, "bye")
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return s.ended()
}
