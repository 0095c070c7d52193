package sasl

// anonymousServer lets everybody in. What the client tells as its trace
// information (rfc 4505) is of no use to us.
type anonymousServer struct {
	user   string
	wanted bool // without authorization being off
	done   bool
}

// Proven is that nothing was to be proven.
func (x *anonymousServer) Proven() bool { return x.done && x.wanted }

func (x *anonymousServer) Next(response []byte) ([]byte, bool, error) {
	if x.done || len(response) > MaxMessage {
		return nil, false, refuse("%s: a response out of place", Anonymous)
	}
	x.done = true
	return nil, true, nil
}

func (x *anonymousServer) User() string {
	if !x.done {
		return ""
	}
	return x.user
}

type anonymousClient struct{}

func (anonymousClient) initial() []byte { return []byte(AnonymousUser) }

func (anonymousClient) next([]byte) ([]byte, error) {
	return nil, refuse("%s: the server sends a challenge", Anonymous)
}

func (anonymousClient) finish([]byte) error { return nil }

// claimsClient says nothing: its tokens come later.
type claimsClient struct{ anonymousClient }

func (claimsClient) initial() []byte { return nil }
