package sasl

// Names of the mechanisms.
const (
	External    = "EXTERNAL"
	SCRAMSHA512 = "SCRAM-SHA-512"
	SCRAMSHA256 = "SCRAM-SHA-256"
	Plain       = "PLAIN"
	XOAUTH2     = "XOAUTH2"
	Claims      = "MSSBCBS" // the rights come by tokens once the connection is open
	Anonymous   = "ANONYMOUS"
)

// AnonymousUser is the user of a login without a name.
const AnonymousUser = "anonymous"

// ClaimsUser is the user of a login by Claims, who has no rights yet.
const ClaimsUser = "$cbs"

// Known names all mechanisms, strongest first.
func Known() []string {
	names := make([]string, 0, len(mechanisms))
	for i := range mechanisms {
		names = append(names, mechanisms[i].name)
	}
	return names
}

// mechanism is a row of the table: when each role may use it, and how.
type mechanism struct {
	name   string
	offer  func(s *Server) bool
	server func(s *Server) Exchange
	usable func(c *Client) bool
	client func(c *Client) conversation
}

// mechanisms is the table, strongest first.
var mechanisms = [...]mechanism{
	{
		name:   External,
		offer:  func(s *Server) bool { return s.External != "" },
		server: func(s *Server) Exchange { return &externalServer{server: s} },
		usable: func(c *Client) bool { return c.External && c.User == "" },
		client: func(*Client) conversation { return externalClient{} },
	},
	{
		name:   SCRAMSHA512,
		offer:  func(s *Server) bool { return !s.open() },
		server: func(s *Server) Exchange { return newScramServer(s, sha512Variant) },
		usable: func(c *Client) bool { return c.User != "" },
		client: func(c *Client) conversation { return newScramClient(c, sha512Variant) },
	},
	{
		name:   SCRAMSHA256,
		offer:  func(s *Server) bool { return !s.open() },
		server: func(s *Server) Exchange { return newScramServer(s, sha256Variant) },
		usable: func(c *Client) bool { return c.User != "" },
		client: func(c *Client) conversation { return newScramClient(c, sha256Variant) },
	},
	{
		name:   Plain,
		offer:  func(*Server) bool { return true },
		server: func(s *Server) Exchange { return &plainServer{server: s} },
		usable: func(c *Client) bool { return c.User != "" },
		client: func(c *Client) conversation { return &plainClient{user: c.User, password: c.Password} },
	},
	{
		name:   XOAUTH2,
		offer:  func(s *Server) bool { return s.Tokens != nil },
		server: func(s *Server) Exchange { return &xoauth2Server{server: s} },
		usable: func(*Client) bool { return false }, // our own commands have no tokens
	},
	{
		name:   Claims,
		offer:  func(s *Server) bool { return s.Claims },
		server: func(*Server) Exchange { return &anonymousServer{user: ClaimsUser} },
		usable: func(c *Client) bool { return c.Claims },
		client: func(*Client) conversation { return claimsClient{} },
	},
	{
		name:   Anonymous,
		offer:  func(s *Server) bool { return s.open() || s.Anonymous },
		server: func(s *Server) Exchange { return &anonymousServer{user: AnonymousUser, wanted: s.Anonymous} },
		usable: func(*Client) bool { return true },
		client: func(*Client) conversation { return anonymousClient{} },
	},
}
