package sasl

// externalServer lets in whom the transport has already shown to be somebody
// (rfc 4422, appendix A). No response, an empty one and the user's own name all
// ask for that user; libraries differ in which they send.
type externalServer struct {
	server *Server
	over   bool
	user   string
	proven bool
}

func (x *externalServer) User() string { return x.user }
func (x *externalServer) Proven() bool { return x.proven }

func (x *externalServer) Next(response []byte) ([]byte, bool, error) {
	if x.over {
		return nil, false, refuse("%s: the exchange is over", External)
	}
	x.over = true
	user := x.server.External
	switch {
	case len(response) > MaxName:
		return nil, false, refuse("%s: a name of %d bytes, at most %d are taken", External, len(response), MaxName)
	case len(response) > 0 && string(response) != user:
		return nil, false, refuse("%s: the certificate of user %q asks to act as another", External, user)
	}
	if x.server.Users != nil {
		if _, x.proven = x.server.Users.Lookup(user); !x.proven && !x.server.Lenient {
			return nil, false, refuse("%s: the certificate names user %q, who is not known", External, user)
		}
	}
	x.user = user
	return nil, true, nil
}

type externalClient struct{}

func (externalClient) initial() []byte { return []byte{} }

// next answers a server that overlooked the empty initial response.
func (externalClient) next(challenge []byte) ([]byte, error) {
	if len(challenge) > 0 {
		return nil, refuse("%s: the server sends a challenge", External)
	}
	return []byte{}, nil
}

func (externalClient) finish([]byte) error { return nil }
