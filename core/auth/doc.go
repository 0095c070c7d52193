// Package auth knows who may do what: users, groups and what they were granted,
// compiled into a Model. It also tells the kinds of password fields apart; what they
// mean is for whoever checks logins, and the files they stand in are core/config's.
package auth
