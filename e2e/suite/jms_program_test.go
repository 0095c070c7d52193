package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// generations are the two that JMS programs are written to, and their drivers:
// Qpid JMS 2.x has the interfaces of Jakarta Messaging, 1.x those of JMS 2.0.
var generations = map[string]struct{ driver, version string }{"jakarta": {"java", "2."}, "javax": {harness.Javax, "1."}}

// TestJMS runs the JMS program of the java drivers, each scenario a subtest that
// docs/jms.md names: real Qpid JMS, of both generations, against the real binary.
func TestJMS(t *testing.T) {
	for generation, g := range generations { // order: they run side by side
		step(t, generation, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, "--config", config(t, "secure-queues: [forbidden.>]\nsecure-topics: [forbidden.>]\n"))
			tool(t, s, "", 0, "admin", "-server", s.URL, "-user", "admin", "create queue administered.expiration expiration=2hour")
			c := harness.Driver(t, g.driver)
			if v := c.Declared().Version; !strings.HasPrefix(v, g.version) {
				t.Fatalf("the %s driver runs Qpid JMS %s, want %sx", g.driver, v, g.version)
			}
			all, _ := c.Do(t, harness.Fields{"cmd": "jms"}).Done(t)
			if len(all.Scenarios) == 0 {
				t.Fatal("the java driver has no scenarios")
			}
			for _, name := range all.Scenarios {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					shows(t, c)
					c.Do(t, harness.Fields{"cmd": "jms", "url": s.URL, "scenario": name}).Done(t)
				})
			}
		})
	}
}

// config writes a tidegate.yaml.
func config(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tidegate.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestJMSRefusedLogin: wrong credentials are a JMSSecurityException (jms 6.1.1).
func TestJMSRefusedLogin(t *testing.T) {
	s := harness.Start(t, "--users", users(t))
	c := harness.Driver(t, "java")
	only(t, "* shows the exception of JMS; the refusal itself is in TestUsers", c)
	for _, login := range []harness.Fields{credentials("wrong"), {"user": "nobody", "password": "s3cret"}} {
		e := c.Do(t, with(harness.Fields{"cmd": "connect", "url": s.URL}, login)).Error(t)
		if !strings.HasPrefix(e.Error, "JMSSecuritySaslException: ") { // Qpid JMS's own kind of JMSSecurityException
			t.Errorf("%v was refused by %q, want a JMSSecurityException", login["user"], e.Error)
		}
	}
	c.Do(t, with(harness.Fields{"cmd": "connect", "url": s.URL}, credentials("s3cret"))).Done(t)
}

// TestJMSTransactionTimeOut: a transaction that is open for longer than the operator
// lets it be is rolled back, and its commit says so (jms 6.2.7).
func TestJMSTransactionTimeOut(t *testing.T) {
	for generation, g := range generations { // order: they run side by side
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, "--transaction-timeout", "5s")
			harness.Driver(t, g.driver).Do(t, harness.Fields{"cmd": "jms", "url": s.URL, "scenario": "Transactions.timeOut"}).Done(t)
		})
	}
}

// TestJMSTransactionLimit: a transaction that is larger than the server's operator
// lets it be cannot be committed, and says by which option (jms 6.2.7).
func TestJMSTransactionLimit(t *testing.T) {
	s := harness.Start(t, "--max-transaction-work", "3")
	for _, driver := range []string{"java", harness.Javax} {
		c := harness.Driver(t, driver)
		address := "limited." + driver
		put := harness.Fields{"cmd": "put", "url": s.URL, "address": address, "count": 1} // three sends
		take := harness.Fields{"cmd": "take", "url": s.URL, "address": address, "subscription": "sub", "container": driver}
		c.Do(t, take).Done(t) // subscribes
		c.Do(t, put).Done(t)
		for name, f := range map[string]harness.Fields{"put": with(put, harness.Fields{"size": 2}), "take": take} { // order: irrelevant
			e := c.Do(t, f).Error(t)
			if !strings.HasPrefix(e.Error, "TransactionRolledBackException: ") || !strings.Contains(e.Error, "max-transaction-work") {
				t.Errorf("%s: %s failed by %q, want a TransactionRolledBackException that names max-transaction-work", driver, name, e.Error)
			}
		}
		if got := receive(t, c, s, address+".a", 1)[0]; !got.Redelivered || got.DeliveryCount != 1 {
			t.Errorf("%s: what the transaction took came again with redelivered %v, count %d", driver, got.Redelivered, got.DeliveryCount)
		}
		for _, queue := range []string{".a", ".receipts"} {
			empty(t, s, address+queue)
		}
	}
}
