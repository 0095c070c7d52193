package admin

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

// What travels to `$sys.admin` and back (docs/admin-protocol.md).
const (
	ProtocolVersion = 1
	// MaxRequest is the longest request in bytes.
	MaxRequest = 128 << 10
	// MaxPartRows is how many rows of tables one part of a reply has at most, and
	// MaxPartBytes how many bytes of texts are in them when no other row comes: clients
	// give selectors of theirs, of 64 KiB each.
	MaxPartRows  = 2000
	MaxPartBytes = 512 << 10
)

// WireRequest is the body of a request, as JSON text.
type WireRequest struct {
	Version int    `json:"version"`
	Command string `json:"command"`
	// Save writes the files if the command changed something.
	Save bool `json:"save,omitempty"`
	// After is the last name of the part that `next=N` goes on behind.
	After string `json:"after,omitempty"`
}

// WireReply is the body of one part of a reply, as JSON text.
type WireReply struct {
	Version int            `json:"version"`
	Part    int            `json:"part"` // from 0
	More    bool           `json:"more,omitempty"`
	Result  *screen.Result `json:"result,omitempty"`
	Error   *WireError     `json:"error,omitempty"`
}

// WireError says why a command could not be done.
type WireError struct {
	Kind    string `json:"kind"` // core.ErrorKind in words
	Message string `json:"message"`
}

func (e *WireError) Error() string { return e.Message }

// ParseRequest reads a request.
func ParseRequest(body []byte) (WireRequest, error) {
	var r WireRequest
	switch {
	case len(body) > MaxRequest:
		return r, refuse(core.Limit, "the request has %d bytes; at most %d are read", len(body), MaxRequest)
	case json.Unmarshal(body, &r) != nil:
		return r, refuse(core.Invalid, "the request is no JSON object: write {\"version\":1,\"command\":\"show server\"}")
	case r.Version != ProtocolVersion:
		return r, refuse(core.Invalid, "version %d of the protocol is not known: write \"version\":%d", r.Version, ProtocolVersion)
	}
	return r, nil
}

// Replies cuts what came of a request into the parts of its reply.
func Replies(result *screen.Result, err error) [][]byte {
	if err != nil {
		return encode([]WireReply{{Error: &WireError{KindOf(err).String(), err.Error()}}})
	}
	first := *result
	first.Tables = nil
	parts := []WireReply{{Result: &first}}
	rows, bytes := 0, 0
	full := func() bool { return rows == MaxPartRows || bytes >= MaxPartBytes }
	for _, t := range result.Tables {
		left := t.Rows
		for begun := false; !begun || len(left) > 0; begun = true {
			if full() {
				parts, rows, bytes = append(parts, WireReply{Result: &screen.Result{}}), 0, 0
			}
			n := 0
			for ; n < len(left) && !full(); n++ {
				rows, bytes = rows+1, bytes+textBytes(left[n])
			}
			piece := *t
			piece.Rows, left = left[:n], left[n:]
			into := parts[len(parts)-1].Result
			into.Tables = append(into.Tables, &piece)
		}
	}
	return encode(parts)
}

// textBytes is the length of the texts in a row.
func textBytes(row []any) (n int) {
	for _, cell := range row {
		switch v := cell.(type) {
		case string:
			n += len(v)
		case []string:
			for _, s := range v {
				n += len(s)
			}
		}
	}
	return n
}

func encode(parts []WireReply) [][]byte {
	texts := make([][]byte, len(parts))
	for i := range parts {
		parts[i].Version, parts[i].Part, parts[i].More = ProtocolVersion, i, i+1 < len(parts)
		text, err := json.Marshal(&parts[i])
		if err != nil { // texts alone always can be
			return encode([]WireReply{{Error: &WireError{core.Internal.String(), "the result cannot be encoded: " + err.Error()}}})
		}
		texts[i] = text
	}
	return texts
}

// Gather puts the parts of a reply together again.
type Gather struct {
	Result *screen.Result
	parts  int
}

// Add takes the next part; done says that it was the last. A reply that is an
// error is one (*WireError).
func (g *Gather) Add(text []byte) (done bool, err error) {
	var r WireReply
	if err := json.Unmarshal(text, &r); err != nil {
		return false, fmt.Errorf("the server's answer: %w", err)
	}
	switch {
	case r.Version != ProtocolVersion:
		return false, fmt.Errorf("the server answers in version %d of the protocol, this tool knows %d", r.Version, ProtocolVersion)
	case r.Error != nil:
		return true, r.Error
	case r.Result == nil || r.Part != g.parts:
		return false, fmt.Errorf("part %d of the server's answer is missing", g.parts)
	case slices.Contains(r.Result.Tables, nil):
		return false, fmt.Errorf("part %d of the server's answer has a table that is none", g.parts)
	}
	g.parts++
	if g.Result == nil {
		g.Result = r.Result
		return !r.More, nil
	}
	for _, t := range r.Result.Tables {
		n := len(g.Result.Tables)
		switch {
		case n == 0 || g.Result.Tables[n-1].Name != t.Name:
			g.Result.Tables = append(g.Result.Tables, t)
		case !slices.Equal(g.Result.Tables[n-1].Columns, t.Columns):
			return false, fmt.Errorf("table %s goes on with other columns in the server's answer", t.Name)
		default:
			g.Result.Tables[n-1].Rows = append(g.Result.Tables[n-1].Rows, t.Rows...)
		}
	}
	return !r.More, nil
}
