package translate

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
)

// stable says that a message that was read goes out and comes back as it is, and that
// AMQP takes it.
func stable(t *testing.T, e Encoding, m *Message) {
	t.Helper()
	again := &Message{}
	if err := Read(m.Build(nil), again); err != nil {
		t.Fatalf("what was read cannot be built: %v", err)
	}
	if !same(m, again) {
		t.Fatalf("built, it reads as another message:\n%+v\n%+v", m, again)
	}
	back := outAndIn(t, e, DefaultOptions(), m)
	if !same(m, back) {
		t.Fatalf("it comes back as another message:\n%+v\n%+v", m, back)
	}
}

// FuzzHeaders reads headers, one a line with a colon, and a body.
func FuzzHeaders(f *testing.F) {
	for _, m := range []*Message{sample(), {Kind: message.KindStream, Body: Body{Form: Items}}} {
		headers, body, err := Headers.Out(m, DefaultOptions())
		if err != nil {
			f.Fatal(err)
		}
		lines := ""
		for _, h := range headers {
			lines += h.Name + ":" + h.Value + "\n"
		}
		f.Add(lines, body)
	}
	f.Add("JMSP-a:a:wAMBVAE=\nJMS-Body:text;data\nContent-Type:text/plain; charset=x", []byte("\xff"))
	f.Add("JMS-Body:object;value\nJMS-Ttl:5\nJMS-Expiration:5\nJMS-Reply-To:queue://", []byte(`{"t":"u8array","v":[1]}`))
	f.Fuzz(func(t *testing.T, lines string, body []byte) {
		var headers []Header
		for line := range strings.SplitSeq(lines, "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok {
				headers = append(headers, Header{name, value})
			}
		}
		m := &Message{}
		if err := Headers.In(headers, body, DefaultOptions(), m); err == nil {
			stable(t, Headers, m)
		}
	})
}

// FuzzDocument reads documents of ems-json.
func FuzzDocument(f *testing.F) {
	_, body, err := JSON.Out(sample(), DefaultOptions())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"a":{"t":"u64array","v":["18446744073709551615"]},"b":[1e400,-0.0,{"t":"amqp","v":"wAMBVAE="}]}`))
	f.Add([]byte(`{"headers":{"JMSExpiration":1,"JMS_AMQP_TTL":2,"JMSReplyTo":"topic://"},"body":{"type":"object;value","value":{"t":"datetime","v":"2023-11-14T22:13:20Z"}}}`))
	for _, seed := range []string{
		`{"properties":{"JMSXGroupSeq":-1,"a":{"t":"f32","v":"NaN:7f800001"},"b":{"t":"uuid","v":"01000000-0000-0000-0000-000000000000"}}}`,
		`{"body":{"type":"stream","value":[null,true,{"t":"msg","v":{}},{"t":"list","v":[]},{"t":"i8array","v":[1]}],"contentType":"a/b"}}`,
		`{"body":{"type":"text;data","value":"gA=="}}`,
		`{"body":{"type":"object;value","value":"\u00e9"}}`,
		`{"headers":{"JMSMessageID":"ID:AMQP_ULONG:7","JMSRedelivered":true,"JMSXDeliveryCount":3,"JMSDeliveryMode":"PERSISTENT","zz":{"t":"char","v":"c"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := &Message{}
		if err := JSON.In(nil, text, DefaultOptions(), m); err == nil {
			stable(t, JSON, m)
		}
	})
}

// FuzzJSON: our reader takes what Go's takes, but for the limits, and reads the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e+3,"x\n\u00e9\ud83d\ude42\ud83d",true,false,null,{}],"a":[]}`, ` [ ] `, `"\ud800\u0041"`, "\"\xff\"", `01`, `1.`, `-`, `"\`} {
		f.Add([]byte(s))
	}
	limits := Limits{Depth: 100, Values: 1000}.filled()
	f.Fuzz(func(t *testing.T, text []byte) {
		tree, err := limits.parse(text)
		if err != nil {
			if json.Valid(text) && !strings.Contains(err.Error(), "limit") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is taken", text)
		}
		if tree[0].kind != stringNode {
			return
		}
		var want string
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if want != tree[0].text && !strings.Contains(want, "\uFFFD") { // of bad bytes we make fewer
			t.Fatalf("%q is %q, want %q", text, tree[0].text, want)
		}
	})
}
