package engine

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
)

func saslFrame(p frame.Performative) []byte { return frame.Append(nil, frame.TypeSASL, 0, p) }

// Clients send all they know ahead, in one segment or in many.
func TestPipelinedLogin(t *testing.T) {
	var b []byte
	b = append(b, header1(frame.ProtocolSASL)...)
	b = append(b, saslFrame(&frame.SASLInit{Mechanism: "ANONYMOUS"})...)
	b = append(b, header1(frame.ProtocolAMQP)...)
	b = append(b, encode(0, &frame.Open{ContainerID: "p", MaxFrameSize: 512})...)
	b = append(b, encode(0, begin())...)
	b = append(b, encode(0, &frame.End{})...)
	b = append(b, encode(0, &frame.Close{})...)
	for _, chunk := range []int{0, 1, 2, 3, 7, 8, 100} {
		p := newPeer(t, Config{SASL: saslServer(), ContainerID: "s"})
		p.chunk = chunk
		p.bytes(b)
		p.wantOut("SASL", "sasl-mechanisms ANONYMOUS", "sasl-outcome code=ok", "AMQP 1.0.0", "open container-id=\"s\"", "begin remote-channel=0", "end", "close")
		p.wantEvents("open", "begin", "end", "close")
		if !p.c.Done() || p.c.User() != sasl.AnonymousUser {
			t.Errorf("chunk %d: done %v, user %q", chunk, p.c.Done(), p.c.User())
		}
	}
}

func TestHeaders(t *testing.T) {
	for name, c := range map[string]struct { // order: irrelevant
		cfg   Config
		bytes string
		want  string
	}{
		"http":              {Config{SASL: saslServer()}, "GET / HTTP/1.1\r\n", "SASL 1.0.0"},
		"one wrong byte":    {Config{SASL: saslServer()}, "G", "SASL 1.0.0"},
		"amqp 0-9-1":        {plain(), "AMQP\x00\x00\x09\x01", "AMQP 1.0.0"},
		"bare where barred": {Config{SASL: saslServer()}, "AMQP\x00\x01\x00\x00", "SASL 1.0.0"},
		"tls":               {plain(), "AMQP\x02\x01\x00\x00", "AMQP 1.0.0"},
		"sasl not spoken":   {plain(), "AMQP\x03\x01\x00\x00", "AMQP 1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, c.cfg)
			p.bytes([]byte(c.bytes))
			p.wantOut(c.want)
			p.wantEvents("close local framing-error")
			if !p.c.Done() {
				t.Error("not done")
			}
		})
	}
}

// What a refused client sent ahead must not keep its answer from it.
func TestRefusedLoginIsToldLate(t *testing.T) {
	p := newPeer(t, Config{SASL: saslServer(), FailureDelay: time.Second})
	p.bytes(header1(frame.ProtocolSASL))
	b := saslFrame(&frame.SASLInit{Mechanism: "NONE"})
	b = append(b, header1(frame.ProtocolAMQP)...)
	p.bytes(append(b, encode(0, &frame.Open{ContainerID: "p"})...))
	p.wantOut("SASL", "sasl-mechanisms")
	if d := p.c.Deadline(); !d.Equal(start.Add(time.Second)) {
		t.Errorf("deadline %v", d)
	}
	p.tick(time.Second)
	p.wantOut("sasl-outcome code=auth")
	if !p.c.Done() {
		t.Error("not done")
	}
}

func TestSilentPeerIsGivenUpBeforeOpen(t *testing.T) {
	for _, b := range [][]byte{nil, header1(frame.ProtocolAMQP)} {
		p := newPeer(t, plain())
		p.bytes(b)
		if d := p.c.Deadline(); !d.Equal(start.Add(DefaultAuthTimeOut)) {
			t.Errorf("deadline %v", d)
		}
		p.tick(DefaultAuthTimeOut)
		if len(p.errs) != 1 {
			t.Error("not given up")
		}
	}
}

func TestIdle(t *testing.T) {
	p := newPeer(t, plain())
	p.bytes(header1(frame.ProtocolAMQP))
	p.send(0, &frame.Open{ContainerID: "p", MaxFrameSize: 512, IdleTimeOut: 2000})
	p.wantOut("AMQP", "open idle-time-out=30000")
	if d := p.c.Deadline(); !d.Equal(start.Add(time.Second)) {
		t.Errorf("heartbeat due at %v", d)
	}
	p.tick(time.Second)
	p.wantOut("empty")
	p.tick(59 * time.Second)
	p.wantOut("close error=error{condition=amqp:resource-limit-exceeded")
	p.tick(CloseTimeOut - 1)
	if p.c.Done() || !p.c.Deadline().After(p.now) {
		t.Error("the close's answer is not waited for, or the deadline is past")
	}
	p.tick(1)
	if !p.c.Done() {
		t.Error("the close's answer is waited for too long")
	}
}

func TestOpenFaults(t *testing.T) {
	for name, c := range map[string]struct { // order: irrelevant
		bytes []byte
		want  string
	}{
		"small max-frame-size": {encode(0, &frame.Open{ContainerID: "p", MaxFrameSize: 511}), "framing-error"},
		"other channel":        {encode(1, &frame.Open{ContainerID: "p", MaxFrameSize: 512}), "framing-error"},
		"begin first":          {encode(0, begin()), "illegal-state"},
		"empty frame":          {frame.Empty[:], "framing-error"},
		"sasl frame":           {saslFrame(&frame.SASLInit{}), "framing-error"},
		"offset in the header": {[]byte{0, 0, 0, 8, 1, 0, 0, 0}, "framing-error"},
		"no performative":      {[]byte{0, 0, 0, 9, 2, 0, 0, 0, 0x40}, "decode-error"},
		"huge frame":           {[]byte{0x7f, 0, 0, 8, 2, 0, 0, 0}, "framing-error"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, plain())
			p.bytes(header1(frame.ProtocolAMQP))
			p.bytes(c.bytes)
			p.wantOut("AMQP", "open", "close "+c.want)
			p.wantEvents("close local")
		})
	}
}

func TestConnectionFaults(t *testing.T) {
	for name, c := range map[string]struct { // order: irrelevant
		channel uint16
		f       frame.Performative
		want    string
	}{
		"second open":        {0, &frame.Open{ContainerID: "p", MaxFrameSize: 512}, "illegal-state"},
		"begin above max":    {11, begin(), "framing-error"},
		"begin twice":        {0, begin(), "framing-error"},
		"unknown channel":    {3, &frame.Flow{}, "framing-error"},
		"handle above max":   {0, &frame.Attach{Name: "a", Handle: DefaultHandleMax + 1, Role: frame.RoleReceiver}, "framing-error"},
		"sasl performative":  {0, &frame.SASLInit{}, ""},
		"unknown state type": {0, &frame.Disposition{State: badState{}}, "not-implemented"},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPeer(t, plain())
			p.send(c.channel, c.f)
			p.wantOut("close " + c.want)
			p.wantEvents("close local")
			p.send(0, &frame.Close{})
			p.wantOut()
			if !p.c.Done() {
				t.Error("not done")
			}
		})
	}
}

type badState struct{ frame.Released }

func (badState) Append(b []byte) []byte { return append(b, 0x00, 0x53, 0x7f, 0x45) }

func TestNothingBehindClose(t *testing.T) {
	p := openPeer(t, plain())
	l, in := p.receiver("out", 0, 10), p.sender("in", 1, 0)
	s := l.Session()
	p.c.Close(nil)
	l.Send(Delivery{Tag: []byte{1}})
	l.Drained(10)
	in.Grant(5, false)
	s.Settle(0, 0, frame.Accepted{}, true)
	s.Confirm(0, frame.Accepted{})
	l.Detach(true, nil)
	if s.Attach(frame.Attach{Name: "x"}) != nil || p.c.Begin() != nil {
		t.Error("attach or begin behind close")
	}
	s.End(nil)
	p.c.Close(nil)
	p.wantOut("close")
	p.send(0, begin())
	p.tick(time.Second)
	p.wantOut()
	p.send(0, &frame.Close{})
	if !p.c.Done() || len(p.errs) > 0 {
		t.Error("not done", p.errs)
	}
}

func TestRefuseConnection(t *testing.T) {
	p := newPeer(t, plain())
	p.manual = true
	p.bytes(header1(frame.ProtocolAMQP))
	p.send(0, &frame.Open{ContainerID: "p", MaxFrameSize: 512})
	p.c.Refuse(fault(frame.ConditionInvalidField, "no"))
	p.wantOut("AMQP", "open amqp:connection-establishment-failed=true", "close invalid-field")
}
