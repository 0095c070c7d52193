// Package auth knows who may do what. So far it reads and rewrites users.conf;
// what its password fields mean is for whoever checks logins.
package auth
