// Package sasl runs the logins of amqp 5.3: the mechanisms ANONYMOUS, PLAIN
// (rfc 4616), EXTERNAL (rfc 4422, appendix A), SCRAM-SHA-256 and SCRAM-SHA-512 (rfc 5802, 7677), for both roles.
// It sees only the mechanisms' messages, never frames, and draws no randomness:
// nonces and salts are handed in.
package sasl
