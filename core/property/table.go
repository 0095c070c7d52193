package property

// Table has a row a property, at index ID-1 (ems 2.1).
var Table = [...]Property{
	{
		ID: Channel, Name: "channel", Kinds: Topic, Form: Word, Rule: Disjoint, Default: "none",
		Meaning: "Multicast channel. Stored and shown: AMQP has no multicast, subscribers get the messages over their connections.",
		Source:  "ems 2.1, 12.6",
	},
	{
		ID: Exclusive, Name: "exclusive", Kinds: Queue, Form: Flag, Rule: Union, Default: "off",
		Meaning: "The first active receiver gets every message; when it goes, another takes over.",
		Source:  "ems 2.3 exclusive",
	},
	{
		ID: Expiration, Name: "expiration", Kinds: Queue | Topic, Form: Period, Units: anyUnit, Rule: Smallest, Temporary: true, Default: "not set",
		Meaning: "Takes the place of the producer's time to live; 0 keeps messages for ever.",
		Source:  "ems 2.3 expiration",
	},
	{
		ID: Export, Name: "export", Kinds: Queue | Topic, Form: Words, Rule: Joined, Default: "none",
		Meaning: "Transports that messages go out by; of a queue only those with `allow_queue_export=true`, which take them from it as a consumer does.",
		Source:  "ems 2.1, 9; docs/transports.md",
	},
	{
		ID: Failsafe, Name: "failsafe", Kinds: Queue | Topic, Form: Flag, Rule: Union, Default: "off",
		Meaning: "The same as `store=$sys.failsafe`, from before EMS 5.0.",
		Source:  "ems 2.1", Obsolete: "store=$sys.failsafe",
	},
	{
		ID: FlowControl, Name: "flowControl", Kinds: Queue | Topic, Form: Size, Bare: true, Rule: Smallest, Temporary: true, Default: "not set",
		Meaning: "Producers wait while more than this is pending; the word alone is 256KB. Needs `flow_control=enabled`.",
		Source:  "ems 2.3 flowControl",
	},
	{
		ID: Global, Name: "global", Kinds: Queue | Topic, Form: Flag, Rule: Union, Default: "off",
		Meaning: "May be routed to other servers.",
		Source:  "ems 2.1, 5",
	},
	{
		ID: Import, Name: "import", Kinds: Queue | Topic, Form: Words, Rule: Joined, Default: "none",
		Meaning: "Transports that bring messages in, all of one type; of a wildcard only those of NATS. Of a topic and a queue of one name, one may import.",
		Source:  "ems 2.1, 9; docs/transports.md",
	},
	{
		ID: MaxBytes, Name: "maxbytes", Kinds: Queue | Topic, Form: Size, Rule: Smallest, Temporary: true, Default: "0 (no limit)",
		Meaning: "Most bytes that may be pending: in a queue, or for each subscription of a topic.",
		Source:  "ems 2.3 maxbytes",
	},
	{
		ID: MaxMsgs, Name: "maxmsgs", Kinds: Queue | Topic, Form: Count, Rule: Smallest, Temporary: true, Default: "0 (no limit)",
		Meaning: "Most messages that may be pending: in a queue, or for each subscription of a topic.",
		Source:  "ems 2.3 maxmsgs",
	},
	{
		ID: MaxRedelivery, Name: "maxRedelivery", Kinds: Queue, Form: Count, Min: 2, Max: 255, Rule: Smallest, Temporary: true, Default: "0 (no limit)",
		Meaning: "Delivery attempts, the first included, before a message is destroyed or goes to `$sys.undelivered`.",
		Source:  "ems 2.3 maxRedelivery",
	},
	{
		ID: OverflowPolicy, Name: "overflowPolicy", Kinds: Queue | Topic, Form: Choice, Rule: RejectFirst, Temporary: true, Default: "default",
		Choices: []string{"default", "discardOld", "rejectIncoming"},
		Meaning: "What happens above `maxbytes` or `maxmsgs`.",
		Source:  "ems 2.3 overflowPolicy",
	},
	{
		ID: Prefetch, Name: "prefetch", Kinds: Queue | Topic, Form: Count, Choices: []string{"none"}, Max: 1 << 30, Rule: Largest, Temporary: true, Default: "5 (queue), 64 (topic)",
		Meaning: "Most messages that a consumer is given ahead of what it has accepted; `none` (queues only): one for each receive.",
		Source:  "ems 2.3 prefetch",
	},
	{
		ID: RedeliveryDelay, Name: "redeliveryDelay", Kinds: Queue, Form: Period, Units: coarseUnit, Min: 15_000, Max: 8 * 3_600_000, Rule: Smallest, Temporary: true, Default: "0 (none)",
		Meaning: "How long a message that comes back waits in `$sys.redelivery.delay` before it is offered again.",
		Source:  "ems 2.3 redeliveryDelay",
	},
	{
		ID: Secure, Name: "secure", Kinds: Queue | Topic, Form: Flag, Rule: Union, Default: "off",
		Meaning: "Permissions are checked, if `authorization=enabled` as well.",
		Source:  "ems 2.3 secure",
	},
	{
		ID: SenderName, Name: "sender_name", Kinds: Queue | Topic, Form: Flag, Rule: Union, Temporary: true, Default: "off",
		Meaning: "The producer's user name is put into JMS_TIBCO_SENDER, unless the producer opts out.",
		Source:  "ems 2.3 sender_name",
	},
	{
		ID: SenderNameEnforced, Name: "sender_name_enforced", Kinds: Queue | Topic, Form: Flag, Rule: Union, Temporary: true, Default: "off",
		Meaning: "As `sender_name`, and nobody can opt out.",
		Source:  "ems 2.3 sender_name",
	},
	{
		ID: Store, Name: "store", Kinds: Queue | Topic, Form: Word, Rule: Disjoint, Default: "$sys.nonfailsafe",
		Meaning: "The store of stores.conf that persistent messages are kept in; its mode says what a producer waits for.",
		Source:  "ems 2.1, 12.1",
	},
	{
		ID: TibrvExport, Name: "tibrv_export", Kinds: Topic, Form: Flag, Rule: Union, Default: "off",
		Meaning: "Export over Rendezvous, from before transports.conf. Stored and shown: nothing goes over it.",
		Source:  "ems 2.1", Obsolete: "export=TRANSPORT",
	},
	{
		ID: TibrvImport, Name: "tibrv_import", Kinds: Queue | Topic, Form: Flag, Rule: Union, Default: "off",
		Meaning: "Import over Rendezvous, from before transports.conf. Stored and shown: nothing goes over it.",
		Source:  "ems 2.1", Obsolete: "import=TRANSPORT",
	},
	{
		ID: TibrvcmExport, Name: "tibrvcm_export", Kinds: Topic, Form: Flag, Rule: Union, Default: "off",
		Meaning: "Export over certified Rendezvous, from before transports.conf. Stored and shown: nothing goes over it.",
		Source:  "ems 2.1", Obsolete: "export=TRANSPORT",
	},
	{
		ID: TibrvcmImport, Name: "tibrvcm_import", Kinds: Queue | Topic, Form: Flag, Rule: Union, Default: "off",
		Meaning: "Import over certified Rendezvous, from before transports.conf. Stored and shown: nothing goes over it.",
		Source:  "ems 2.1", Obsolete: "import=TRANSPORT",
	},
	{
		ID: Trace, Name: "trace", Kinds: Queue | Topic, Form: Choice, Bare: true, Choices: []string{"body"}, Rule: Most, Temporary: true, Default: "off",
		Meaning: "A log line for each step of each message; `trace=body` with its body.",
		Source:  "ems 2.3 trace",
	},
}
