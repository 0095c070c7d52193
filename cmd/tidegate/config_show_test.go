package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// shows runs `config show` over the set of core/config that has a transport of each type.
func shows(t *testing.T, words ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := configShowCommand()
	cmd.SetOut(&out)
	cmd.SetArgs(append([]string{"../../core/config/testdata/sets/harbour"}, words...))
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err := cmd.Execute()
	return out.String(), err
}

// TestConfigShowTransports: what holds for each and where it comes from, in both forms,
// without passwords.
func TestConfigShowTransports(t *testing.T) {
	text, err := shows(t, "STORM", "QUAY", "wind")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"transport QUAY (tibrv, opened as nats)", "url=embedded stand-in", "subject_prefix=rv.7650. stand-in", "temp_destination_timeout=120 own",
		"transport STORM (natsjs)", "url=tls://n1.example:4222,tls://n2.example:4222 from WEATHER", "credentials=******** from WEATHER", "cm_name=HARBOUR:STORM default", "stream=STORMS own",
		"topic wind", "import=WEATHER own",
	} {
		found := false
		for l := range strings.Lines(text) {
			found = found || strings.Join(strings.Fields(l), " ") == line
		}
		if !found {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	if strings.Contains(text, "transport WEATHER") || strings.Contains(text, "transport CLOUD") {
		t.Errorf("others are shown: %s", text)
	}
	all, err := shows(t, "--json")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"tide", "p%40ss", "two words", "c2VjcmV0", "weather.creds"} {
		if strings.Contains(all, ":"+secret+"@") || strings.Contains(all, `"`+secret+`"`) || secret == "weather.creds" && strings.Contains(all, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
	var got struct{ Transports []shownTransport }
	if err := json.Unmarshal([]byte(all), &got); err != nil || len(got.Transports) != 9 || got.Transports[0].OpenedAs != "nats" || got.Transports[0].Type != "tibrv" {
		t.Errorf("%v, %+v", err, got.Transports)
	}
	if _, err := shows(t, "NOWHERE.AT.ALL", "STORM"); err != nil { // `>` of the set lets it be created
		t.Error(err)
	}
}
