package suite

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/e2e/harness"
)

var rewriteEnds = flag.Bool("overflow.rewrite", false, "write docs/overflow.md anew")

var endsDeclare frame.Declare

func endsCommit(txn []byte) *frame.Discharge { return &frame.Discharge{TxnID: txn} }

// endsPage gathers rows: what is the same for several modes or destinations is one.
type endsPage struct {
	rows []endsRow
}

type endsRow struct {
	reason, destinations, modes, transacted, result string
}

// add adds a cell behind the others of its reason, whose modes come in order.
func (p *endsPage) add(r endsRow) {
	for i := range p.rows {
		if o := &p.rows[i]; o.reason == r.reason && o.destinations == r.destinations && o.transacted == r.transacted && o.result == r.result {
			o.modes += "; " + r.modes
			return
		}
	}
	p.rows = append(p.rows, r)
}

// text writes the table, with the destinations joined for which all is the same.
func (p *endsPage) text() string {
	var joined []endsRow
	for _, r := range p.rows {
		found := false
		for i := range joined {
			if o := &joined[i]; o.reason == r.reason && o.modes == r.modes && o.transacted == r.transacted && o.result == r.result {
				o.destinations += "; " + r.destinations
				found = true
				break
			}
		}
		if !found {
			joined = append(joined, r)
		}
	}
	var b strings.Builder
	reason := ""
	for _, r := range joined {
		if r.reason != reason {
			reason = r.reason
			fmt.Fprintf(&b, "\n### %s%s\n\n| destination | transacted | delivery mode | the producer sees | the message ends | counted |\n| --- | --- | --- | --- | --- | --- |\n",
				strings.ToUpper(reason[:1]), reason[1:])
		}
		modes := strings.ReplaceAll(r.modes, "; ", "<br>")
		if strings.Count(r.modes, ";") == len(endsModes)-1 {
			modes = "all"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", strings.ReplaceAll(r.destinations, "; ", "<br>"), r.transacted, modes, r.result)
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// all tries every cell of these reasons.
func (p *endsPage) all(t *testing.T, r *endsRun, reasons []endsReason) {
	t.Helper()
	for i := range reasons {
		reason := &reasons[i]
		for _, destination := range endsDestinations {
			if reason.no[destination] {
				continue
			}
			for _, transacted := range []bool{false, true} {
				for mode := range endsModes {
					name := fmt.Sprintf("%s/%s/%s/transacted=%v", strings.ReplaceAll(reason.name, "`", ""), destination, endsModes[mode].name, transacted)
					t.Run(name, func(t *testing.T) {
						r.looker.t, r.console.t = t, t
						sees, ends := r.try(t, reason, destination, mode, transacted)
						if strings.HasPrefix(ends, "nowhere | ") && strings.HasSuffix(ends, "| ") && !reason.deletes && !strings.Contains(sees, "fails") && !strings.HasPrefix(sees, "rejected") {
							t.Errorf("the producer sees %q, and the message is nowhere and not counted", sees)
						}
						p.add(endsRow{reason.name, destination, endsModes[mode].name, yes(transacted), sees + " | " + ends})
					})
				}
			}
		}
	}
	r.looker.t, r.console.t = t, t
}

// TestWhereMessagesEnd is every cell of docs/overflow.md, through the real binary: what
// the producer sees, and where its message ends.
func TestWhereMessagesEnd(t *testing.T) {
	var p endsPage
	p.all(t, newEndsRun(t, harness.Start(t, "--config", emsSet(t, endsSet)), ""), endsReasons)
	p.all(t, newEndsRun(t, harness.Start(t, "--config", emsSet(t, memorySet)), ""), memoryReasons)
	rights := newEndsRun(t, harness.Start(t, "--config", emsSet(t, rightsSet)), "root")
	rights.user, rights.password = "joe", "j"
	p.all(t, rights, rightsReasons)
	if t.Failed() {
		return
	}
	page := strings.ReplaceAll(endsIntroduction, "|", "`") + p.text()
	const file = "../../docs/overflow.md"
	if *rewriteEnds {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Errorf("docs/overflow.md does not say what happens: run go test ./e2e/suite -run TestWhereMessagesEnd -overflow.rewrite and read the difference\n%s", firstDifference(string(have), page))
	}
}

func firstDifference(have, want string) string {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range w {
		if i >= len(h) || h[i] != w[i] {
			return fmt.Sprintf("line %d is %q, and happens %q", i+1, append(h, make([]string, len(w))...)[i], w[i])
		}
	}
	return "lines at the end are too many"
}

const endsIntroduction = `# Where messages end

What a producer sees, and where its message ends, if a limit, its time, its consumers or an administrator keep it from being delivered
(ems 2.3, 7.2, 7.4, 7.5, 12.4). Every cell is tried out on the real binary over AMQP, and this page is written by what came out:
|go test ./e2e/suite -run TestWhereMessagesEnd| wants it to the letter, with a subtest for each cell; |-overflow.rewrite| writes it anew. The same cells stand
without network, clock and disk in core/testdata/ends.md (|go test ./core -run TestWhereMessagesEnd|); TestWhereMessagesEndInJMS has some of them through Qpid JMS.

- **Destination**: a queue, a topic with a subscription that is not durable, and one with a durable subscription. Limits hold for each subscription by itself.
- **Delivery mode**: PERSISTENT is a transfer unsettled with |durable=true|, NON_PERSISTENT one without. It is checked or not by |npsend_check_mode| or the link's
  |ems-npsend-check-mode|, and always checked in a transaction. RELIABLE is sent settled (docs/delivery-modes.md).
- **Transacted**: the answer to the send comes first, then that to the commit.
- **The message ends** "nowhere" if it is gone. In |$sys.undelivered| its reason is told, which consumers find in the annotation
  |x-opt-tidegate-undelivered|; the message is as it was sent (with |JMS_TIBCO_PRESERVE_UNDELIVERED=true|, and its destination in |to|), except that it expires no more.
- **Counted** are the columns of |show dropped|: |denied|, |full| and |gone| count what was dropped without a word to the producer; |refused_msgs| sends and
  commits that found no room; |discarded_msgs|, |expired_msgs| and |max_redelivery_msgs| what came in and was lost, or is in |$sys.undelivered| if
  |undelivered_msgs| counts it too. |show queue|, |show topic|, |show durable| and |show stat queues| or |topics| tell the same of one destination.

A full disk is not had at will: that it takes producers' credit and refuses what they had under way, while consumers go on, is shown by |throttle| in core/testdata/{limits,npsend,press,txn}.txt,
and by TestAFullDiskIsSurvived and TestSpoolOnAFullDisk of persist/store.
`
