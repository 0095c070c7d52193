package config

import (
	"net/url"
	"slices"
	"strings"
)

// transportTypes is a set of types of transports.
type transportTypes uint16

// The types that transports.conf may name: ours, those of EMS that are opened as
// ours, and those that are not opened.
const (
	typeNATS transportTypes = 1 << iota
	typeNATSJS
	typeAMQP091
	typeAMQP10
	typeAzure
	typeRV
	typeRVCM
	typeFTL
	typeSS
	typePulsar
	typeKafka

	typesOfNATS     = typeNATS | typeNATSJS
	typesOfAMQP     = typeAMQP091 | typeAMQP10 | typeAzure
	typesOfOurs     = typesOfNATS | typesOfAMQP
	typesOfWildcard = typesOfNATS | typeRV | typeRVCM // may import a wildcard
	typesCertified  = typeNATSJS | typeRVCM           // may have lines in tibrvcm.conf
	typesOfAll      = typeKafka<<1 - 1
)

// Kinds of transports: what there is a client for.
const (
	KindNATS    = "nats"
	KindNATSJS  = "natsjs"
	KindAMQP091 = "amqp091"
	KindAMQP10  = "amqp10"
	KindAzure   = "azure"
)

// EmbeddedURL stands for the NATS server within this process.
const EmbeddedURL = "embedded"

// transportRow is what there is to know of a type.
type transportRow struct {
	word    string
	is      transportTypes
	kind    string   // what it is opened as; empty: it is not
	schemes []string // of its URLs, if it has any
	instead string   // what to write in the place of one that is not opened
}

var (
	natsSchemes = []string{"nats", "tls", "ws", "wss"}
	amqpSchemes = []string{"amqp", "amqps"}
)

var transportTable = [...]transportRow{
	{word: "nats", is: typeNATS, kind: KindNATS, schemes: natsSchemes},
	{word: "natsjs", is: typeNATSJS, kind: KindNATSJS, schemes: natsSchemes},
	{word: "amqp091", is: typeAMQP091, kind: KindAMQP091, schemes: amqpSchemes},
	{word: "amqp10", is: typeAMQP10, kind: KindAMQP10, schemes: amqpSchemes},
	{word: "azure", is: typeAzure, kind: KindAzure, schemes: amqpSchemes},
	{word: "tibrv", is: typeRV, kind: KindNATS},
	{word: "tibrvcm", is: typeRVCM, kind: KindNATSJS},
	{word: "tibftl", is: typeFTL, instead: "FTL is not spoken here: let both sides use a NATS server (type = nats, or natsjs for stores), or a broker of AMQP (amqp10)"},
	{word: "tibss", is: typeSS, instead: "SmartSockets went with EMS 8.6: let both sides use a NATS server (type = nats), or a broker of AMQP (amqp10)"},
	{word: "pulsar", is: typePulsar, instead: "Pulsar's own protocol is not spoken here: reach it by a bridge that speaks AMQP (type = amqp091 or amqp10), or move the topic to natsjs"},
	{word: "kafka", is: typeKafka, instead: "Kafka's own protocol is not spoken here: reach it by a bridge that speaks AMQP (type = amqp10), or move the topic to natsjs"},
}

// transportType finds the row of a type; nil: there is none.
func transportType(word string) *transportRow {
	for i := range transportTable {
		if strings.EqualFold(transportTable[i].word, word) {
			return &transportTable[i]
		}
	}
	return nil
}

// typeOf is the row of a transport's type; nil: it has none, or none that there is.
// The transport may be nil.
func typeOf(o *Object) *transportRow {
	if o == nil {
		return nil
	}
	return transportType(o.Get("type"))
}

// Certified says whether a transport is of a type that may have listeners in
// tibrvcm.conf.
func Certified(transport *Object) bool {
	row := typeOf(transport)
	return row != nil && row.is&typesCertified != 0
}

func transportWords(of transportTypes) []string {
	var all []string
	for i := range transportTable {
		if transportTable[i].is&of != 0 {
			all = append(all, transportTable[i].word)
		}
	}
	return all
}

// orList joins words for people: a, b or c.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// maxURLs is how many servers one transport may name.
const maxURLs = 64

// checkTransportURL says what is wrong with the url of a transport: one URL, or
// several with commas, tried in turn. It quotes none: passwords stand in them.
func checkTransportURL(row *transportRow, v string) (message, fix string) {
	nats := row.is&typesOfNATS != 0
	if nats && strings.EqualFold(v, EmbeddedURL) {
		return "", ""
	}
	all := splitURLs(v)
	if len(all) == 0 || len(all) > maxURLs {
		return "there are " + number(len(all)) + " URLs", "write one, or up to " + number(maxURLs) + " with commas"
	}
	fix = "write " + row.schemes[0] + "://HOST:PORT, or several with commas"
	if nats {
		fix += ", or " + EmbeddedURL + " for the NATS server in this process"
	}
	for i, text := range all {
		which := "the URL"
		if len(all) > 1 {
			which = "URL " + number(i+1)
		}
		if nats && strings.EqualFold(text, EmbeddedURL) {
			return EmbeddedURL + " stands alone or not at all", "write servers, or " + EmbeddedURL
		}
		u, err := url.Parse(text)
		switch {
		case err != nil:
			return which + " cannot be read", fix + "; characters such as / and @ in a password are written %2F and %40"
		case !oneOf(u.Scheme, row.schemes):
			return which + " does not begin with " + orList(withSuffix(row.schemes, "://")), fix
		case u.Hostname() == "":
			return which + " names no host", fix
		case u.Port() == "0":
			return which + " has the port 0", fix
		case u.RawQuery != "" && row.is&(typeAMQP10|typeAzure) != 0, u.Fragment != "":
			return which + " has words behind a ? or #", "write keys of the transport for them"
		}
	}
	return "", ""
}

func withSuffix(words []string, suffix string) []string {
	all := slices.Clone(words)
	for i := range all {
		all[i] += suffix
	}
	return all
}

// splitURLs cuts a list of URLs.
func splitURLs(v string) []string {
	var all []string
	for u := range strings.SplitSeq(v, ",") {
		if u = strings.TrimSpace(u); u != "" {
			all = append(all, u)
		}
	}
	return all
}

// ShownURL is a list of URLs without the passwords in it, for people and logs.
func ShownURL(v string) string {
	all := splitURLs(v)
	for i, text := range all {
		at := strings.LastIndexByte(text, '@')
		if at < 0 {
			continue
		}
		rest := text[at:]
		scheme, user, ok := strings.Cut(text[:at], "://")
		if !ok {
			all[i] = "********" + rest
			continue
		}
		name, _, has := strings.Cut(user, ":")
		if !has { // a token, or a user alone
			all[i] = scheme + "://********" + rest
			continue
		}
		all[i] = scheme + "://" + name + ":********" + rest
	}
	return strings.Join(all, ",")
}

// encrypted says whether a list of URLs has one with TLS.
func encrypted(v string) bool {
	return slices.ContainsFunc(splitURLs(v), func(u string) bool {
		scheme, _, _ := strings.Cut(u, "://")
		return oneOf(scheme, []string{"tls", "wss", "amqps"})
	})
}
