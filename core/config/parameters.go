package config

// Groups of parameters, in the order of ems 1.2.
const (
	groupIdentity   = "Identity and files"
	groupGlobal     = "Global"
	groupMemory     = "Connections and memory"
	groupHeartbeat  = "Dead peers"
	groupPair       = "Fault tolerance"
	groupTracking   = "Message tracking"
	groupStatistics = "Statistics"
	groupLog        = "Trace and log"
	groupTLS        = "TLS"
	groupLDAP       = "LDAP"
	groupJava       = "JAAS and Java"
	groupOAuth      = "OAuth 2.0"
	groupOutside    = "Multicast, databases and other transports"
	groupObsolete   = "Obsolete"
)

// Reasons that several rows share.
const (
	noPair      = "There is no pair yet: the server runs alone, and the value is kept for the day there is."
	noRoutes    = "Routes are read and shown, and not dialled yet."
	noDirectory = "Users are those of users.conf: no directory is asked."
	noJava      = "There is no Java virtual machine here: no module of Java's can decide about logins."
	noOAuth     = "Tokens are not checked yet: users log in with name and password."
	noMulticast = "AMQP has no multicast: subscribers get everything over their connections."
	noFTL       = "FTL is not spoken here: a transport of type natsjs, nats or amqp10 takes its place (docs/transports.md)."
	oneLog      = "All stores are one log here: it has no settings of its own kind."
	goManages   = "Go's runtime manages its own memory and threads: there is nothing to set."
)

var parametersA = []Parameter{
	{Name: "server", Group: groupIdentity, Type: String, Effect: Honoured, Default: "EMS-SERVER", Meaning: "Name of the server, at most 64 bytes: part of the names of temporary destinations, and what routes call it."},
	{Name: "password", Group: groupIdentity, Type: Secret, Effect: Honoured, Default: "empty", Meaning: "What this server logs in to its peers with; used once routes are dialled."},
	{Name: "users", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "users.conf", Meaning: "File of the users."},
	{Name: "groups", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "groups.conf", Meaning: "File of the groups."},
	{Name: "topics", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "topics.conf", Meaning: "File of the static topics."},
	{Name: "queues", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "queues.conf", Meaning: "File of the static queues."},
	{Name: "acl_list", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "acl.conf", Meaning: "File of the permissions."},
	{Name: "factories", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "factories.conf", Meaning: "File of the connection factories."},
	{Name: "routes", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "routes.conf", Meaning: "File of the routes."},
	{Name: "bridges", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "bridges.conf", Meaning: "File of the bridges."},
	{Name: "transports", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "transports.conf", Meaning: "File of the transports (docs/transports.md)."},
	{Name: "tibrvcm", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "tibrvcm.conf", Meaning: "File of the listeners of certified Rendezvous."},
	{Name: "durables", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "durables.conf", Meaning: "File of the static durable subscriptions."},
	{Name: "channels", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "channels.conf", Meaning: "File of the multicast channels."},
	{Name: "stores", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "stores.conf", Meaning: "File of the stores."},
	{Name: "jndinames", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "jndinames.conf", Meaning: "File of the JNDI aliases, lines of NAME TYPE TARGET."},
	{Name: "store", Group: groupIdentity, Type: Path, Effect: Honoured, Default: "datastore", Meaning: "Directory of the log, unless `--data` names one; stores of stores.conf are names in it."},
	{Name: "module_path", Group: groupIdentity, Type: String, Effect: Ignored, Meaning: "There are no shared libraries to load."},
	{Name: "license", Group: groupIdentity, Type: String, Effect: Ignored, Meaning: "There is no licence to check."},

	{Name: "listen", Group: groupGlobal, Type: Listen, Effect: Honoured, Repeat: true, Default: "tcp://7222", Meaning: "Where the server listens for AMQP 1.0; `ssl://` for AMQPS."},
	{Name: "health_check_listen", Group: groupGlobal, Type: Health, Effect: Shown, Repeat: true, Meaning: "The health listener is not opened yet."},
	{Name: "monitor_listen", Group: groupGlobal, Type: Health, Effect: Shown, Repeat: true, Meaning: "The metrics listener is not opened yet."},
	{Name: "secondary_health_check_listen", Group: groupGlobal, Type: Health, Effect: Shown, Repeat: true, Meaning: "The health listener of the second server is not opened yet."},
	{Name: "authorization", Group: groupGlobal, Type: Bool, Effect: Honoured, Default: "disabled", Meaning: "Names and passwords are verified, and permissions on secure destinations checked."},
	{Name: "routing", Group: groupGlobal, Type: Bool, Effect: Shown, Default: "disabled", Quiet: "disabled", Meaning: noRoutes},
	{Name: "flow_control", Group: groupGlobal, Type: Bool, Effect: Honoured, Default: "disabled", Meaning: "The flowControl of destinations has an effect."},
	{Name: "flow_control_only_with_active_consumer", Group: groupGlobal, Type: Bool, Effect: Honoured, Default: "disabled", Meaning: "As before EMS 8.4: no flow control where nobody receives."},
	{Name: "compliant_queue_ack", Group: groupGlobal, Type: Bool, Effect: Shown, Default: "enabled", Quiet: "enabled", Meaning: "It concerns routed queues. " + noRoutes},
	{Name: "disconnect_non_acking_consumers", Group: groupGlobal, Type: Bool, Effect: Shown, Default: "disabled", Quiet: "disabled", Meaning: "A consumer that holds a full destination's messages unacknowledged keeps them: new ones are refused, or missed."},
	{Name: "npsend_check_mode", Group: groupGlobal, Type: OneOf, Words: []string{"default", "always", "never", "temp_dest", "auth", "temp_auth"}, Effect: Honoured, Default: "default", Meaning: "When the producer of a non-persistent message learns that it was refused."},
	{Name: "always_exit_on_disk_error", Group: groupGlobal, Type: Bool, Effect: Shown, Default: "disabled", Quiet: "enabled", Meaning: "A failed write or flush always ends the service of the store; only a full disk is waited out."},
	{Name: "startup_abort_list", Group: groupGlobal, Type: ListOf, Words: []string{"SSL", "TRANSPORTS", "CONFIG_FILES", "CONFIG_ERRORS", "DB_FILES"}, Effect: Honoured, Default: "empty", Meaning: "Kinds of mistakes that keep the server from starting; others are logged, and what they stand in does not count."},
	{Name: "max_msg_field_print_size", Group: groupGlobal, Type: Bytes, Effect: Honoured, Default: "1KB", Meaning: "Where a string field of a traced message is cut."},
	{Name: "max_msg_print_size", Group: groupGlobal, Type: Bytes, Effect: Honoured, Default: "8KB", Meaning: "Where a traced message is cut."},
	{Name: "network_thread_count", Group: groupGlobal, Type: Int, Min: 1, Max: 1024, Effect: Ignored, Default: "1", Quiet: "1", Meaning: goManages},
	{Name: "processor_ids", Group: groupGlobal, Type: Cores, Effect: Ignored, Meaning: goManages},
	{Name: "selector_logical_operator_limit", Group: groupGlobal, Type: Int, Max: 1 << 30, Effect: Shown, Default: "5000", Quiet: "5000,0", Meaning: "Selectors have limits of their own: 64 KiB, 10,000 words, 200 levels."},
	{Name: "xa_default_timeout", Group: groupGlobal, Type: Seconds, Effect: Shown, Default: "0", Quiet: "0", Meaning: "AMQP has no XA: transactions are the session's own, with a limit of the server's."},
	{Name: "user_auth", Group: groupGlobal, Type: ListOf, Words: []string{"local", "ldap", "jaas", "oauth2"}, Effect: Shown, Default: "local", Quiet: "local", Meaning: "Users are those of users.conf; other sources are not asked yet."},
	{Name: "handshake_timeout", Group: groupGlobal, Type: Seconds, Effect: Honoured, Default: "3", Meaning: "How long a connection may take to its AMQP open."},
	{Name: "clock_sync_interval", Group: groupGlobal, Type: Int, Min: -1, Max: 1 << 30, Effect: Ignored, Default: "0", Quiet: "0,-1", Meaning: "AMQP clients do not take the server's clock: expiration is checked by the server's own."},

	{Name: "max_connections", Group: groupMemory, Type: Int, Max: 1 << 30, Effect: Honoured, Default: "0 (no limit)", Meaning: "Most client connections at a time."},
	{Name: "max_msg_memory", Group: groupMemory, Type: Bytes, Min: 8 << 20, Zero: true, Effect: Honoured, Default: "0 (no limit)", Meaning: "Memory for messages, at least 8MB; above it they leave memory, or sends fail if `msg_swapping` is off."},
	{Name: "msg_swapping", Group: groupMemory, Type: Bool, Effect: Honoured, Default: "enabled", Meaning: "Messages leave memory when there are too many."},
	{Name: "destination_backlog_swapout", Group: groupMemory, Type: Int, Max: 1 << 40, Effect: Shown, Default: "1024", Quiet: "1024", Meaning: "Memory is one budget for all destinations (`max_msg_memory`): what is read soonest stays."},
	{Name: "reserve_memory", Group: groupMemory, Type: Bytes, Min: 16 << 20, Zero: true, Effect: Ignored, Default: "0", Quiet: "0", Meaning: "What the server needs to drain a full memory is always kept free."},
	{Name: "max_client_msg_size", Group: groupMemory, Type: Bytes, Max: 2 << 30, Effect: Honoured, Default: "none", Meaning: "Largest message that a client may send."},
	{Name: "large_destination_memory", Group: groupMemory, Type: Bytes, Effect: Shown, Default: "the server's own threshold", Quiet: "0", Meaning: "Destinations without limits are not warned about yet."},
	{Name: "large_destination_count", Group: groupMemory, Type: Int, Max: 1 << 40, Effect: Shown, Default: "the server's own threshold", Quiet: "0", Meaning: "Destinations without limits are not warned about yet."},
	{Name: "msg_pool_block_size", Group: groupMemory, Type: Bytes, Effect: Ignored, Default: "128", Quiet: "128,0", Meaning: goManages},
	{Name: "msg_pool_size", Group: groupMemory, Type: Bytes, Effect: Ignored, Default: "0", Quiet: "0", Meaning: goManages},
	{Name: "socket_send_buffer_size", Group: groupMemory, Type: Bytes, Max: 1 << 30, Effect: Shown, Default: "the system's", Quiet: "0", Meaning: "The system's own sizing of socket buffers is left at work."},
	{Name: "socket_receive_buffer_size", Group: groupMemory, Type: Bytes, Max: 1 << 30, Effect: Shown, Default: "the system's", Quiet: "0", Meaning: "The system's own sizing of socket buffers is left at work."},
	{Name: "route_recover_interval", Group: groupMemory, Type: Seconds, Effect: Shown, Quiet: "0", Meaning: noRoutes},
	{Name: "route_recover_count", Group: groupMemory, Type: Int, Max: 1 << 40, Effect: Shown, Quiet: "0", Meaning: noRoutes},

	{Name: "client_heartbeat_server", Group: groupHeartbeat, Type: Seconds, Effect: Honoured, Default: "off", Meaning: "How often clients send something. AMQP clients do so at half of the idle time-out that they are told: half of `server_timeout_client_connection`."},
	{Name: "server_timeout_client_connection", Group: groupHeartbeat, Type: Seconds, Effect: Honoured, Default: "off", Meaning: "The server drops a client that is silent for so long. Needs `client_heartbeat_server`."},
	{Name: "server_heartbeat_client", Group: groupHeartbeat, Type: Seconds, Effect: Shown, Default: "off", Quiet: "0", Meaning: "The server sends as often as a client's own idle time-out asks; more often is of no use to AMQP."},
	{Name: "client_timeout_server_connection", Group: groupHeartbeat, Type: Seconds, Effect: Shown, Default: "off", Quiet: "0", Meaning: "An AMQP client decides by its own idle time-out when to give a server up; no server can tell it."},
	{Name: "server_heartbeat_server", Group: groupHeartbeat, Type: Seconds, Effect: Shown, Default: "off", Quiet: "0", Meaning: noRoutes},
	{Name: "server_timeout_server_connection", Group: groupHeartbeat, Type: Seconds, Effect: Shown, Default: "off", Quiet: "0", Meaning: noRoutes},

	{Name: "ft_active", Group: groupPair, Type: Listen, Effect: Shown, Default: "none", Meaning: noPair},
	{Name: "ft_heartbeat", Group: groupPair, Type: Seconds, Effect: Shown, Default: "3", Quiet: "3", Meaning: noPair},
	{Name: "ft_activation", Group: groupPair, Type: Seconds, Effect: Shown, Default: "10", Quiet: "10", Meaning: noPair},
	{Name: "ft_reconnect_timeout", Group: groupPair, Type: Seconds, Effect: Shown, Default: "60", Quiet: "60", Meaning: noPair},
	{Name: "ft_ssl_identity", Group: groupPair, Type: Path, Effect: Shown, Meaning: noPair},
	{Name: "ft_ssl_issuer", Group: groupPair, Type: Path, Effect: Shown, Repeat: true, Meaning: noPair},
	{Name: "ft_ssl_private_key", Group: groupPair, Type: Path, Effect: Shown, Meaning: noPair},
	{Name: "ft_ssl_key", Group: groupPair, Type: Path, Effect: Shown, Meaning: noPair},
	{Name: "ft_ssl_password", Group: groupPair, Type: Secret, Effect: Shown, Meaning: noPair},
	{Name: "ft_ssl_trusted", Group: groupPair, Type: Path, Effect: Shown, Repeat: true, Meaning: noPair},
	{Name: "ft_ssl_verify_host", Group: groupPair, Type: Bool, Effect: Shown, Quiet: "enabled", Meaning: noPair},
	{Name: "ft_ssl_verify_hostname", Group: groupPair, Type: Bool, Effect: Shown, Quiet: "enabled", Meaning: noPair},
	{Name: "ft_ssl_expected_hostname", Group: groupPair, Type: String, Effect: Shown, Meaning: noPair},
	{Name: "ft_ssl_ciphers", Group: groupPair, Type: String, Effect: Shown, Meaning: noPair},
	{Name: "ft_ssl_rand_egd", Group: groupObsolete, Type: Path, Effect: Ignored, Meaning: "The system's source of chance is used."},
	{Name: "ft_ssl_rand_file", Group: groupObsolete, Type: Path, Effect: Ignored, Meaning: "The system's source of chance is used."},
	{Name: "ft_failover_reread", Group: groupObsolete, Type: Bool, Effect: Ignored, Meaning: "A server that takes over always reads its files anew."},

	{Name: "track_message_ids", Group: groupTracking, Type: Bool, Effect: Honoured, Default: "disabled", Meaning: "Messages can be found by their message id."},
	{Name: "track_correlation_ids", Group: groupTracking, Type: Bool, Effect: Honoured, Default: "disabled", Meaning: "Messages can be found by their correlation id."},

	{Name: "server_rate_interval", Group: groupStatistics, Type: Seconds, Min: 1000, Effect: Honoured, Default: "1", Meaning: "Over how long the server's own rates are measured; not 0."},
	{Name: "statistics", Group: groupStatistics, Type: Bool, Effect: Honoured, Default: "enabled", Meaning: "Destinations, producers and consumers are counted."},
	{Name: "rate_interval", Group: groupStatistics, Type: Seconds, Effect: Honoured, Default: "3", Meaning: "Over how long rates are measured; 0 measures none."},
	{Name: "detailed_statistics", Group: groupStatistics, Type: ListOf, Words: []string{"NONE", "PRODUCERS", "CONSUMERS", "ROUTES", "CHANNELS"}, Effect: Honoured, Default: "NONE", Meaning: "Counts for each destination that a wildcard consumer or anonymous producer touches."},
	{Name: "statistics_cleanup_interval", Group: groupStatistics, Type: Seconds, Effect: Honoured, Default: "30", Meaning: "How long detailed counts are kept that no longer move; 0 keeps them."},
	{Name: "max_stat_memory", Group: groupStatistics, Type: Bytes, Min: 64 << 10, Zero: true, Effect: Honoured, Default: "64MB", Meaning: "Memory for detailed counts, at least 64KB; 0 for no limit."},
	{Name: "multicast_statistics_interval", Group: groupStatistics, Type: Seconds, Effect: Ignored, Quiet: "0", Meaning: noMulticast},

	{Name: "logfile", Group: groupLog, Type: Path, Effect: Honoured, Default: "none", Meaning: "File of the trace log."},
	{Name: "logfile_max_size", Group: groupLog, Type: Bytes, Min: 64 << 10, Zero: true, Effect: Honoured, Default: "no rotation", Meaning: "At which size the log is rotated."},
	{Name: "logfile_max_count", Group: groupLog, Type: Int, Max: 1 << 20, Effect: Honoured, Default: "no limit", Meaning: "How many rotated files are kept."},
	{Name: "secondary_logfile", Group: groupLog, Type: Path, Effect: Shown, Meaning: "The log of the second server of a pair. " + noPair},
	{Name: "log_trace", Group: groupLog, Type: Trace, Effect: Honoured, Default: "DEFAULT", Meaning: "What is written to the log file."},
	{Name: "console_trace", Group: groupLog, Type: Trace, Effect: Honoured, Default: "DEFAULT", Meaning: "What is written to the console."},
	{Name: "client_trace", Group: groupLog, Type: String, Effect: Ignored, Default: "disabled", Quiet: "disabled", Meaning: "AMQP clients have traces of their own, which no server can switch on."},
}
