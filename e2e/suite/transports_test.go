package suite

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// transportRow is a row of `show transports --json`.
type transportRow struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Exported int    `json:"exported_msgs"`
	Waiting  int    `json:"waiting_msgs"`
	Lost     int    `json:"lost_msgs"`
	Error    string `json:"error"`
}

// shownTransports asks until all is as wanted: transports connect when they can.
func shownTransports(t *testing.T, s *harness.Server, want string, is func(all map[string]transportRow) bool) map[string]transportRow {
	t.Helper()
	var all map[string]transportRow
	for range 1000 { // each is a program's start and end
		var screen struct{ Transports []transportRow }
		if err := json.Unmarshal([]byte(admin(t, s, 0, "--json", "show transports")), &screen); err != nil {
			t.Fatal(err)
		}
		all = map[string]transportRow{}
		for _, r := range screen.Transports {
			all[r.Name] = r
		}
		if is(all) {
			return all
		}
	}
	t.Fatalf("it does not come to be that %s: %+v", want, all)
	return nil
}

func connected(names ...string) func(all map[string]transportRow) bool {
	return func(all map[string]transportRow) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return all[n].State != "connected" })
	}
}

// TestTransportsAdministered: what an operator sees and does of transports, over the NATS
// server of the process itself: screens with numbers masked, files with comments kept, all
// of it behind a restart.
func TestTransportsAdministered(t *testing.T) {
	s := harness.Start(t)
	admin(t, s, 0, "create queue yard") // from now on there are files
	s.Stop(t)
	conf := filepath.Join(s.Data, "conf")
	for file, text := range map[string]string{
		"transports.conf": "# The yard's subjects, as the ships know them.\n[YARD]\n  type = nats\n  url = embedded\n\n# Certified, for the fleet.\n[SHIPCM]\n  type = natsjs\n  rv_tport = YARD\n",
		"tibrvcm.conf":    "# who must not miss anything\nSHIPCM fleet ship.out\n",
		"topics.conf":     "ship.out export=SHIPCM\nship.in.> import=YARD\n",
	} {
		if err := os.WriteFile(filepath.Join(conf, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.Run(t)
	shownTransports(t, s, "both are connected", connected("YARD", "SHIPCM"))
	tool(t, s, "", 0, "send", "--url", "{url}", "--topic", "ship.out", "--text", "x", "--count", "12")
	shownTransports(t, s, "12 messages are out", func(all map[string]transportRow) bool { return all["SHIPCM"].Exported == 12 })
	got := masked(admin(t, s, 0, "-script", scriptPath(t, "transports.ems")))
	expected := filepath.Join("testdata", "admin", "transports.txt")
	if *rewriteAdmin {
		if err := os.WriteFile(expected, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Error(diff)
	}
	tool(t, s, "", 0, "send", "--url", "{url}", "--topic", "ship.out", "--text", "x", "--count", "3")
	if all := shownTransports(t, s, "it is suspended", func(all map[string]transportRow) bool { return all["SHIPCM"].State == "suspended" }); all["SHIPCM"].Waiting != 3 {
		t.Errorf("%+v", all)
	}
	if got := admin(t, s, 1, "show rvcmtransportledger SHIPCM"); !strings.Contains(got, "transport 'SHIPCM' is not connected") {
		t.Error(got)
	}
	admin(t, s, 0, "resume transport SHIPCM")
	shownTransports(t, s, "what waited is out", func(all map[string]transportRow) bool {
		return all["SHIPCM"].Exported >= 15 && all["SHIPCM"].Waiting == 0
	})
	ledger := func() {
		t.Helper()
		got := admin(t, s, 0, "show rvcmtransportledger SHIPCM")
		for _, l := range scraped(t, got, "Listener", "Subject", "Pending", "Under Way", "Confirmed", "Whose") {
			if l["Pending"] != "15" || l["Whose"] != "tibrvcm.conf" || l["Subject"] != "ship.out" {
				t.Errorf("%v, want 15 pending\n%s", l, got)
			}
		}
	}
	ledger()
	for file, want := range map[string]string{ // order: irrelevant
		"transports.conf": "# The yard's subjects, as the ships know them.\n[YARD]\n  type = nats\n  url = embedded\n  queue_group = ships\n\n# Certified, for the fleet.\n[SHIPCM]\n  type = natsjs\n  rv_tport = YARD\n  prefetch = 500\n",
		"tibrvcm.conf":    "# who must not miss anything\nSHIPCM fleet ship.out\nSHIPCM archive ship.out\n",
	} {
		if have, err := os.ReadFile(filepath.Join(conf, file)); err != nil || strings.TrimRight(string(have), "\n") != strings.TrimRight(want, "\n") {
			t.Errorf("%s is\n%s\nwant\n%s\n%v", file, have, want, err)
		}
	}
	s.Restart(t)
	shownTransports(t, s, "both are connected", connected("YARD", "SHIPCM"))
	ledger()
	admin(t, s, 0, "create topic ship.news export=YARD")
	admin(t, s, 0, "suspend transport YARD") // a reliable one loses what it cannot send
	tool(t, s, "", 0, "send", "--url", "{url}", "--topic", "ship.news", "--text", "x", "--count", "5")
	shownTransports(t, s, "5 messages are lost, and the log says so", func(all map[string]transportRow) bool {
		return all["YARD"].Lost == 5 && strings.Contains(s.Log(), `msg="transport lost messages" transport=YARD`)
	})
	if got := admin(t, s, 0, "show transport YARD"); !strings.Contains(got, " Lost Msgs Exporting:   5\n Lost Msgs Importing:   0\n") {
		t.Error(got)
	}
}
