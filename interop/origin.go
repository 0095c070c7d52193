package interop

import (
	"strings"
)

// Names of what goes with a message so that loops are seen. They are reserved: none is
// ever taken for a property of the message.
const (
	// HeaderOrigin lists the gateways that a message has left, the first one first,
	// each as GATEWAY;TRANSPORT, separated by ", ". Its length is the number of hops.
	HeaderOrigin = "Ems-Origin"
	// AnnotationOrigin is the same among message annotations of AMQP, here and outside.
	AnnotationOrigin = "x-opt-tidegate-origin"
	// AnnotationImported says which transport brought a message in, and for which
	// destination: TRANSPORT;topic:NAME. It stays here.
	AnnotationImported = "x-opt-tidegate-imported"
)

// MaxOrigin is how long an origin may be, in bytes; what is longer is a loop.
const MaxOrigin = 4096

// extendOrigin adds a gateway and its transport.
func extendOrigin(origin, gateway, transport string) string {
	hop := gateway + ";" + transport
	if origin == "" {
		return hop
	}
	return origin + ", " + hop
}

// hops counts the gateways of an origin.
func hops(origin string) int {
	if origin == "" {
		return 0
	}
	return strings.Count(origin, ",") + 1
}

// passed says whether an origin has been at a gateway.
func passed(origin, gateway string) bool {
	for hop := range strings.SplitSeq(origin, ",") {
		at, _, _ := strings.Cut(strings.TrimSpace(hop), ";")
		if at == gateway {
			return true
		}
	}
	return false
}
