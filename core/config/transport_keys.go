package config

// What becomes of keys that NATS leaves nothing to do for.
const (
	noNetwork = "NATS has no multicast networks: sections that differ in it alone reach the same subjects (docs/transports.md)"
	noLedger  = "the ledger is the stream of JetStream"
	noPolicy  = "what waits is bounded by prefetch, and by NATS itself"
)

var importModes = []string{"TIBEMS_PERSISTENT", "TIBEMS_NON_PERSISTENT", "TIBEMS_RELIABLE"}

// transportKeys is the table of transports.conf (ems 9; docs/transports.md). Of says
// which types have a key, Default what holds where it is not written, Does what it
// does here.
var transportKeys = append([]Key{
	{Name: "type", Type: OneOf, Words: transportWords(typesOfAll), Required: true, Of: typesOfAll, Does: "What the transport is; the first line of its section."},
	{Name: "url", Type: String, Of: typesOfOurs | typePulsar, Does: "Where the other side is: one URL, or several with commas, tried in turn."},
	{Name: "rv_tport", Type: String, Of: typesCertified, Does: "The transport, above this one, whose server, credentials and prefix this one has: of type `nats` or `tibrv`. `natsjs` has it or a `url`, `tibrvcm` must have it."},
	{Name: "daemon", Type: String, Of: typeNATS | typeRV, Does: "`nats`: the same as `url`. `tibrv`: used if it is a URL of NATS (`nats://`, `tls://`, `ws://`, `wss://`, `embedded`); any other is replaced by `rendezvous.url` of tidegate.yaml, and without that by the NATS server in this process."},
	{Name: "service", Type: String, Of: typeRV, Default: "7500", Does: "Any other than 7500 becomes the prefix `rv.SERVICE.` of all subjects: what Rendezvous kept apart stays apart."},
	{Name: "network", Type: String, Of: typeRV, Meaning: noNetwork},
	{Name: "credentials", Type: Secret, Of: typesOfNATS, Does: "A file of NATS credentials or with an nkey seed, an nkey seed itself (`SU...`), or `USER/PASSWORD`."},
	{Name: "username", Type: String, Of: typesOfOurs | typeSS, Does: "User to log in as, if the URL names none; `azure`: the name of the access policy."},
	{Name: "password", Type: Secret, Of: typesOfOurs | typeSS, Does: "Its password; `azure`: the key of the access policy."},
	{Name: "subject_prefix", Type: String, Of: typesOfOurs, Does: "Stands before every name outside; with NATS it ends with a dot. Empty: the names are the same on both sides."},
	{Name: "topic_import_dm", Type: OneOf, Words: importModes, Of: typesOfAll, Default: "TIBEMS_NON_PERSISTENT", DefaultOf: ^typesOfAMQP, Does: "Delivery mode of what is imported to topics; without it, messages of AMQP keep the one that they came with."},
	{Name: "queue_import_dm", Type: OneOf, Words: importModes, Of: typesOfAll, Default: "TIBEMS_NON_PERSISTENT", DefaultOf: ^typesOfAMQP, Does: "The same for queues."},
	{Name: "export_headers", Type: Bool, Of: typesOfAll, Default: "true", Does: "JMS headers go out with the message."},
	{Name: "export_properties", Type: Bool, Of: typesOfAll, Default: "true", Does: "Properties go out with the message."},
	{Name: "encoding", Type: OneOf, Words: []string{"headers", "ems-json", "raw"}, Of: typesOfNATS | typeAMQP091, Default: "headers", Does: "How a message looks outside: the body as it is and the rest in headers; one JSON document; or the body alone (docs/translation.md)."},
	{Name: "no_echo", Type: Bool, Of: typeNATS, Does: "The NATS server does not give the transport back what it published itself. Without it, only with `encoding = raw`, where nothing else would tell; otherwise the guard against loops drops it, and counts."},
	{Name: "queue_group", Type: String, Of: typeNATS, Does: "Servers that import the same subjects with one group share the messages: each goes to one of them."},
	{Name: "temp_destination_timeout", Type: Seconds, Of: typesOfAll, Default: "600", Does: "How long the temporary destination of a JMSReplyTo that went out brings answers back."},
	{Name: "max_hops", Type: Int, Min: 1, Max: 100, Of: typesOfOurs, Default: "1", Does: "Over how many gateways a message may go; what has gone over as many is not exported, and counted."},
	{Name: "on_error", Type: OneOf, Words: []string{"undelivered", "drop", "stop"}, Of: typesOfOurs, Default: "undelivered", Does: "What becomes of a message that cannot be translated or is refused for good: into `$sys.undelivered`, away with it, or the transport stops."},
	{Name: "export_imported", Type: Bool, Of: typesOfOurs, Default: "false", Does: "What a transport brought into a topic may go out from the same topic."},
	{Name: "allow_queue_export", Type: Bool, Of: typesOfOurs, Default: "false", Does: "`export` of queues may name the transport. EMS exports topics only."},
	{Name: "mark_imported", Type: Bool, Of: typesOfOurs, Default: "true", Does: "What is imported has the property JMS_TIBCO_IMPORTED."},
	{Name: "prefetch", Type: Int, Min: 1, Max: 65535, Of: typesOfOurs, Default: "1000", Does: "Most messages that are under way in either direction, not yet confirmed."},
	{Name: "max_reconnect_delay", Type: Seconds, Min: 1000, Max: 3_600_000, Of: typesOfOurs, Default: "30", Does: "Longest pause between two attempts to connect."},
	{Name: "cm_name", Type: String, Of: typesCertified | typesOfAMQP, Default: "SERVER:TRANSPORT", Does: "Under what name it is known to the other side: of its durable consumers and subscriptions, and as a publisher. No two transports that reach one server may have the same."},
	{Name: "stream", Type: String, Of: typeNATSJS, Default: "EMS_EXPORT", Does: "The stream of JetStream, made if there is none."},
	{Name: "default_ttl", Type: Seconds, Max: 315_360_000_000, Of: typesCertified, Default: "0", Does: "How long what is exported is kept outside; 0: until it is confirmed."},
	{Name: "request_old", Type: Bool, Of: typesCertified, Default: "true", Does: "A new listener gets what the stream has kept; else what comes from now on."},
	{Name: "explicit_config_only", Type: Bool, Of: typesCertified, Default: "false", Does: "Only the listeners of tibrvcm.conf are certified."},
	{Name: "sync_ledger", Type: Bool, Of: typesCertified, Default: "false", Does: "Each message is confirmed by JetStream before the next goes out; without, up to `prefetch` are under way. Either way it counts as exported only when it is confirmed."},
	{Name: "ledger_file", Type: Path, Of: typeRVCM, Meaning: noLedger},
	{Name: "rv_queue_policy", Type: String, Of: typeRV, Meaning: noPolicy, Quiet: "TIBRVQUEUE_DISCARD_NONE"},
	{Name: "exchange", Type: String, Of: typeAMQP091, Default: "ems.topic", Does: "The exchange of topics, of type topic; names are its routing keys. Queues go by the default exchange."},
	{Name: "queue_type", Type: OneOf, Words: []string{"classic", "quorum"}, Of: typeAMQP091, Default: "quorum", Does: "The type of queues that are made there."},

	{Name: "endpoint", Type: String, Of: typeFTL},
	{Name: "import_subscriber_name", Type: String, Of: typeFTL},
	{Name: "import_match_string", Type: String, Of: typeFTL},
	{Name: "export_format", Type: String, Of: typeFTL},
	{Name: "export_constant", Type: String, Repeat: true, Of: typeFTL},
	{Name: "server_names", Type: String, Of: typeSS},
	{Name: "project", Type: String, Of: typeSS},
	{Name: "delivery_mode", Type: String, Of: typeSS},
	{Name: "lb_mode", Type: String, Of: typeSS},
	{Name: "override_lb_mode", Type: Bool, Of: typeSS},
	{Name: "gmd_file_delete", Type: Bool, Of: typeSS},
	{Name: "import_subscribe_mode", Type: String, Of: typeSS},
	{Name: "preserve_gmd", Type: String, Of: typeSS},
	{Name: "brokers", Type: String, Of: typeKafka},
	{Name: "schema_repository", Type: String, Of: typeKafka},
}, transportTLSKeys()...)

// transportTLSKeys are tlsKeys with what they do.
func transportTLSKeys() []Key {
	does := map[string]string{
		"ssl_identity":          "Certificate to show, in PEM, with its chain and perhaps its key.",
		"ssl_issuer":            "Certificates of its chain; may stand several times.",
		"ssl_password":          "Password of the key.",
		"ssl_private_key":       "Private key of the certificate.",
		"ssl_key":               "The same as `ssl_private_key`.",
		"ssl_trusted":           "Roots that the other side's certificate is verified against; may stand several times. Without: those of the system.",
		"ssl_verify_host":       "Whether the certificate is verified; `enabled` if it is not written.",
		"ssl_verify_hostname":   "Whether the host's name must be in it; `enabled` if it is not written.",
		"ssl_expected_hostname": "The name that must be in it in place of the URL's.",
	}
	all := make([]Key, len(tlsKeys))
	for i, k := range tlsKeys {
		k.Of, k.Does = typesOfOurs, does[k.Name]
		all[i] = k
	}
	return all
}
