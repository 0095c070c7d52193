package config

import (
	"cmp"
	"net/url"
	"strings"
)

// servers names what a transport reaches, so that two that reach one place can be
// told: system, host and port, and what tells its names apart within (virtual host,
// NATS account). Where a cluster has several URLs, one in common is enough.
func (t *Transport) servers() []string {
	var all []string
	for _, text := range t.List("url") {
		if text == EmbeddedURL {
			all = append(all, "nats "+EmbeddedURL)
			continue
		}
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		at := strings.ToLower(u.Hostname()) + ":" + portOf(u)
		switch t.Kind {
		case KindNATS, KindNATSJS:
			all = append(all, "nats "+at+" "+t.account(u)) // whoever logs in otherwise may be in another account
		case KindAMQP091:
			all = append(all, "amqp091 "+at+" "+u.EscapedPath())
		default:
			all = append(all, "amqp10 "+at)
		}
	}
	return all
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch strings.ToLower(u.Scheme) {
	case "amqp":
		return "5672"
	case "amqps":
		return "5671"
	case "ws":
		return "80"
	case "wss":
		return "443"
	}
	return "4222"
}

// account is what a transport of NATS logs in with: a username goes before credentials,
// and they before what stands in the URL.
func (t *Transport) account(u *url.URL) string {
	if v := cmp.Or(t.String("username"), t.String("credentials")); v != "" || u.User == nil {
		return v
	}
	return u.User.Username()
}
