package sasl

// Limits on what a peer may send, in bytes unless said otherwise.
const (
	// MaxMessage is the longest message of any mechanism, tokens that come as
	// passwords included.
	MaxMessage = 128 << 10
	// MaxName is the longest user name.
	MaxName = 1 << 10
	// MaxPassword is the longest password; tokens come as such.
	MaxPassword = 64 << 10
	// MaxNonce is the longest nonce, both parts together.
	MaxNonce = 1 << 10
	// MinSalt and MaxSalt bound a salt.
	MinSalt, MaxSalt = 8, 128
	// SaltSize is how long the salts of new verifiers should be; those that are
	// made up for unknown users are that long too.
	SaltSize = 16
	// MinIterations is rfc 7677's least. A client refuses fewer, which would make
	// its proof cheap to guess a password from.
	MinIterations = 4096
	// MaxIterations is the most that a client lets a server demand: some tenths
	// of a second of work.
	MaxIterations = 1 << 20
	// DefaultIterations cost a PLAIN login a few milliseconds; with SCRAM the
	// client bears them.
	DefaultIterations = 10_000
)
