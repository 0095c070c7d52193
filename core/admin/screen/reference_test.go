package screen

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func columns(spec string) (c []Column) {
	for _, f := range strings.Fields(spec) {
		name, kind, _ := strings.Cut(f, ":")
		if kind == "" {
			kind = string(Text)
		}
		c = append(c, Column{Name: name, Kind: Kind(kind)})
	}
	return c
}

const queueColumns = "name dynamic:bool flags prefetch prefetch_inherited:bool receivers:count msgs:count bytes:bytes persistent_msgs:count persistent_bytes:bytes"

func queueTable() *Table {
	t := &Table{Name: "queues", Columns: columns(queueColumns)}
	t.Add(">", false, "---------", "5", true, 0, 0, 0, 0, 0)
	t.Add("$sys.admin", false, "+--------", "5", true, 0, 0, 0, 0, 0)
	t.Add("$TMP$.tibemsd.16675855A2984.1", true, "---------", "5", false, 1, 0, 0, 0, 0)
	t.Add("queue.sample", false, "-------+-", "5", true, 0, 0, 0, 0, 0)
	return t
}

// The screens that the reference shows, byte for byte (ems 10.3 to 10.5).
func TestReferenceScreens(t *testing.T) {
	topics := &Table{Name: "topics", Columns: columns("name dynamic:bool flags subscribers:count durables:count msgs:count bytes:bytes persistent_msgs:count persistent_bytes:bytes")}
	connections := &Table{Name: "connections", Columns: columns("library version id flags started host address port user client_id sessions:count producers:count consumers:count temporary_topics:count temporary_queues:count uncommitted_msgs:count uncommitted_bytes:bytes uptime:millis")}
	connections.Add("C", "10.1.0 V4", "10630", "---A", "+", "d3ce69f9df4f", "127.0.0.1", "46418", "admin", "", 1, 1, 1, 0, 1, 0, 0, 30)
	durables := &Table{Name: "durables", Columns: columns("topic dynamic:bool name shared user online:bool msgs:count bytes:bytes")}
	durables.Add("sample", false, "sample.durable", "N", "", false, 0, 0)
	stat := &Table{Name: "stat consumers", Columns: columns("user connection:count type destination msgs:count bytes:bytes msg_rate:count byte_rate:bytes")}
	stat.Add("admin", 10630, "Q", "$TMP$.tibemsd.16675855A2984.1", 4, 11980, 0, 0)
	server := &Table{Name: "server", Single: true, Columns: columns("server version hostname process_id state module_path topics:count dynamic_topics:count temporary_topics:count queues:count dynamic_queues:count temporary_queues:count client_connections:count admin_connections:count sessions:count producers:count consumers:count durables:count log_file_size:bytes log_file_max:bytes pending_msgs:count pending_bytes:bytes inbound_msgs:count memory:bytes memory_max:bytes memory_pooled:bytes sync_storage:bytes async_storage:bytes fsync:bool inbound_msg_rate:count inbound_byte_rate:bytes outbound_msg_rate:count outbound_byte_rate:bytes read_rate:count read_byte_rate:bytes write_rate:count write_byte_rate:bytes uptime:millis")}
	server.Add("tibemsd", "10.1.0 V4", "d3ce69f9df4f", "1", "active", "/opt/lib", 3, 0, 0, 10, 0, 1, 0, 1, 1, 1, 1, 1, 87859, 1<<20, 0, 0, 2, 16998, 512<<20, 54272, 1536, 3584, false, 0, 0, 0, 0, 0, 0, 0, 0, ((18*24+11)*60+23)*60_000)
	for name, c := range map[string]struct { // order: irrelevant
		table *Table
		want  string
	}{
		"show queues": {queueTable(), `                                                              All Msgs            Persistent Msgs
  Queue Name                        SNFGXIBCT  Pre  Rcvrs     Msgs    Size        Msgs    Size
  >                                 ---------    5*     0        0     0.0 Kb        0     0.0 Kb
  $sys.admin                        +--------    5*     0        0     0.0 Kb        0     0.0 Kb
* $TMP$.tibemsd.16675855A2984.1     ---------    5      1        0     0.0 Kb        0     0.0 Kb
  queue.sample                      -------+-    5*     0        0     0.0 Kb        0     0.0 Kb
`},
		"show topics": {topics, `                                                               All Msgs            Persistent Msgs
  Topic Name                        SNFGEIBCTM  Subs  Durs     Msgs    Size        Msgs    Size
`},
		"show connections full": {connections, `L  Version   ID    FSXT  S  Host         IP address Port  User   ClientID Sess Prod Cons TmpT TmpQ Uncomm UncommSize     Uptime
C  10.1.0 V4 10630 ---A  +  d3ce69f9df4f 127.0.0.1  46418 admin              1    1    1    0    1      0     0.0 Kb      0.030
`},
		"show durables": {durables, `  Topic Name        Durable          Shared  User         Msgs    Size
  sample            sample.durable   N       <offline>       0     0.0 Kb
`},
		"show stat consumers": {stat, `                                                          Total Count      Rate/Second
User         Conn  T  Destination                         Msgs   Size      Msgs   Size
admin       10630  Q  $TMP$.tibemsd.16675855A2984.1          4   11.7 Kb      0    0.0 Kb
`},
		"show server": {server, ` Server:                   tibemsd (version: 10.1.0 V4)
 Hostname:                 d3ce69f9df4f
 Process Id:               1
 State:                    active
 Runtime Module Path:      /opt/lib
 Topics:                   3 (0 dynamic, 0 temporary)
 Queues:                   10 (0 dynamic, 1 temporary)
 Client Connections:       0
 Admin Connections:        1
 Sessions:                 1
 Producers:                1
 Consumers:                1
 Durables:                 1
 Log File Size:            85.8 Kb out of 1MB
 Pending Messages:         0
 Pending Message Size:     0.0 Kb
 Inbound Messages:         2
 Message Memory Usage:     16.6 Kb out of 512MB
 Message Memory Pooled:    53.0 Kb
 Synchronous Storage:      1.5 Kb
 Asynchronous Storage:     3.5 Kb
 Fsync for Sync Storage:   disabled
 Inbound Message Rate:     0 msgs/sec,  0.0 Kb per second
 Outbound Message Rate:    0 msgs/sec,  0.0 Kb per second
 Storage Read Rate:        0 reads/sec,  0.0 Kb per second
 Storage Write Rate:       0 writes/sec, 0.0 Kb per second
 Uptime:                   18 days 11 hours 23 minutes
`},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Result{Tables: []*Table{c.table}}
			if diff := cmp.Diff(c.want, r.Print()); diff != "" {
				t.Error(diff)
			}
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var again Result
			if err := json.Unmarshal(b, &again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, again.Print()); diff != "" {
				t.Error("after its way over the wire:\n", diff)
			}
		})
	}
}

// A scraper finds columns by the positions of their titles, also where a name is
// longer than its column, and a number wider.
func TestColumnsWiden(t *testing.T) {
	table := queueTable()
	long := strings.Repeat("long.", 12) + "name"
	table.Add(long, true, "+--------", "none", false, 12, 12_345_678_901, 3<<30, 7, 7<<10)
	lines := strings.Split((&Result{Tables: []*Table{table}}).Print(), "\n")
	titles, last := lines[1], lines[len(lines)-2]
	at := strings.Index(titles, "SNFGXIBCT")
	if got := strings.TrimSpace(last[2:at]); got != long {
		t.Errorf("under Queue Name: %q", got)
	}
	if got := last[at : at+9]; got != "+--------" {
		t.Errorf("under the flags: %q", got)
	}
	end := strings.Index(titles, "Msgs") + len("Msgs")
	if got := last[:end]; !strings.HasSuffix(got, " 12345678901") {
		t.Errorf("left of the end of Msgs: %q", got)
	}
	if got := last[:strings.Index(titles, "Size")+len("Size")]; !strings.HasSuffix(got, " 3.0") {
		t.Errorf("left of the end of Size: %q", got)
	}
}

func TestJSON(t *testing.T) {
	r := &Result{Message: "done", Last: "queue.sample", Tables: []*Table{
		{Name: "queues", Columns: columns("name msgs:count bytes:bytes list:list"), Rows: [][]any{{"a", 1, 2, []string{"x"}}}},
		{Name: "server", Single: true, Columns: columns("server"), Rows: [][]any{{"s"}}},
		{Name: "users", Columns: columns("name")},
	}}
	got, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"message":"done","queues":[{"name":"a","msgs":1,"bytes":2,"list":["x"]}],"server":{"server":"s"},"users":[],"last":"queue.sample","more":false}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{
		`{"name":"t","columns":[{"name":"a","kind":"count"}],"rows":[["x"]]}`,
		`{"name":"t","columns":[{"name":"a","kind":"count"}],"rows":[[1,2]]}`,
		`{"name":"t","columns":[{"name":"a","kind":"what"}],"rows":[[1]]}`,
		`{"name":"t","columns":[{"name":"a","kind":"text"}],"rows":[[1]]}`,
	} {
		if err := json.Unmarshal([]byte(text), new(Table)); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}

func TestTimes(t *testing.T) {
	for ms, want := range map[int64][2]string{ // order: irrelevant
		30:          {"0.030", "0 seconds"},
		1_000:       {"1.000", "1 second"},
		61_500:      {"1:01.500", "1 minute"},
		3_600_000:   {"1:00:00.000", "1 hour 0 minutes"},
		90_061_001:  {"1d01:01:01.001", "1 day 1 hour 1 minute"},
		172_800_000: {"2d00:00:00.000", "2 days 0 hours 0 minutes"},
	} {
		if got := short(ms); got != want[0] {
			t.Errorf("short(%d) = %s, want %s", ms, got, want[0])
		}
		if got := long(ms); got != want[1] {
			t.Errorf("long(%d) = %s, want %s", ms, got, want[1])
		}
	}
}
