package config

import "strings"

// Key is a row of the tables of what sections may say.
type Key struct {
	Name     string
	Type     Type
	Min, Max int64
	Zero     bool
	Words    []string
	Repeat   bool
	Required bool
	Meaning  string // why it has no effect here; empty if it has, or is only shown with its object
	Quiet    string // value that asks for nothing, if it has a meaning

	// Of transports only.
	Of        transportTypes // types that have it
	Default   string         // what holds where it is not written
	DefaultOf transportTypes // for which of them; 0: for all
	Does      string         // what it does here
}

// sectionKeys is the table of a class; empty for those that have no sections.
func sectionKeys(c Class) []Key {
	switch c {
	case Bridges:
		return bridgeKeys
	case Routes:
		return routeKeys
	case Factories:
		return factoryKeys
	case Transports:
		return transportKeys
	case Stores:
		return storeKeys
	case Channels:
		return channelKeys
	}
	return nil
}

// KeyName is a key as the table of a class spells it: keys are found in any case, since
// EMS's own scripts write URL=.
func KeyName(c Class, key string) string {
	for _, k := range sectionKeys(c) {
		if strings.EqualFold(k.Name, canonical(key)) {
			return k.Name
		}
	}
	return strings.ToLower(key)
}

// repeats says whether an attribute may stand several times.
func repeats(c Class, name string) bool {
	if c == Groups {
		return name == "member"
	}
	for _, k := range sectionKeys(c) {
		if k.Name == name {
			return k.Repeat
		}
	}
	return false
}

// tlsKeys are those of whoever connects: routes and factories (ems 6.7).
var tlsKeys = []Key{
	{Name: "ssl_identity", Type: Path},
	{Name: "ssl_issuer", Type: Path, Repeat: true},
	{Name: "ssl_password", Type: Secret},
	{Name: "ssl_private_key", Type: Path},
	{Name: "ssl_key", Type: Path},
	{Name: "ssl_trusted", Type: Path, Repeat: true},
	{Name: "ssl_verify_host", Type: Bool},
	{Name: "ssl_verify_hostname", Type: Bool},
	{Name: "ssl_expected_hostname", Type: String},
	{Name: "ssl_ciphers", Type: String, Meaning: "clients of AMQP bring ciphers of their own"},
	{Name: "ssl_auth_only", Type: Bool, Meaning: "a connection that begins with TLS stays encrypted", Quiet: "disabled"},
	{Name: "ssl_rand_egd", Type: Path, Meaning: "the system's source of chance is used"},
	{Name: "ssl_rand_file", Type: Path, Meaning: "the system's source of chance is used"},
}

var bridgeKeys = []Key{
	{Name: "queue", Type: String, Repeat: true},
	{Name: "topic", Type: String, Repeat: true},
}

var routeKeys = append([]Key{
	{Name: "url", Type: URLs, Required: true},
	{Name: "zone_name", Type: String},
	{Name: "zone_type", Type: OneOf, Words: []string{"mhop", "1hop"}},
	{Name: "topic_prefetch", Type: Int, Max: 1 << 30},
	{Name: "incoming_topic", Type: String, Repeat: true},
	{Name: "outgoing_topic", Type: String, Repeat: true},
}, tlsKeys...)

var factoryKeys = append([]Key{
	{Name: "type", Type: OneOf, Words: []string{"generic", "xageneric", "topic", "queue", "xatopic", "xaqueue"}, Required: true},
	{Name: "url", Type: URLs, Required: true},
	{Name: "metric", Type: OneOf, Words: []string{"connections", "byte_rate"}},
	{Name: "clientID", Type: String},
	{Name: "connect_attempt_count", Type: Int, Min: 1, Max: 1 << 30},
	{Name: "connect_attempt_delay", Type: Millis, Min: 250, Max: 1 << 30},
	{Name: "connect_attempt_timeout", Type: Millis, Max: 1 << 30},
	{Name: "reconnect_attempt_count", Type: Int, Min: 1, Max: 1 << 30},
	{Name: "reconnect_attempt_delay", Type: Millis, Min: 250, Max: 1 << 30},
	{Name: "reconnect_attempt_timeout", Type: Millis, Max: 1 << 30},
	{Name: "multicast_enabled", Type: Bool, Meaning: "AMQP has no multicast", Quiet: "disabled"},
	{Name: "multicast_daemon", Type: String, Meaning: "AMQP has no multicast"},
}, tlsKeys...)

var storeKeys = []Key{
	{Name: "type", Type: OneOf, Words: []string{"file", "mstore", "dbstore", "as", "ftl"}, Required: true},
	{Name: "file", Type: Path},
	{Name: "mode", Type: OneOf, Words: []string{"sync", "async"}},
	{Name: "file_crc", Type: OneOf, Words: []string{"true", "false", "enabled", "disabled", "enable", "disable", "yes", "no", "on", "off"}},
	{Name: "file_minimum", Type: Bytes},
	{Name: "file_truncate", Type: Bool},
	{Name: "file_destination_defrag", Type: Bytes},
	{Name: "processor_id", Type: Cores},
	{Name: "mstore_truncate", Type: Bool},
	{Name: "scan_iter_interval", Type: Period},
	{Name: "scan_target_interval", Type: Period},
	{Name: "dbstore_driver_url", Type: String},
	{Name: "dbstore_driver_username", Type: String},
	{Name: "dbstore_driver_password", Type: Secret},
}

var channelKeys = []Key{
	{Name: "address", Type: String, Required: true},
	{Name: "interface", Type: String},
	{Name: "ttl", Type: Int, Min: 1, Max: 255},
	{Name: "priority", Type: Int, Min: -5, Max: 5},
	{Name: "maxrate", Type: Bytes},
	{Name: "maxtime", Type: Seconds},
}
