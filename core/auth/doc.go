// Package auth knows who may do what: it evaluates grants. It also tells the kinds
// of password fields apart; what they mean is for whoever checks logins, and the
// files they stand in are core/config's.
package auth
