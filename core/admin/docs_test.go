package admin

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write docs/admin-commands.md anew")

// The page of commands is the operation table.
func TestDocumentation(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Commands of the administration\n\nWritten from the operation table (`go test ./core/admin -run TestDocumentation -rewrite`). Options come in any order; names of commands in any case.\n\n| command | what it does | permission |\n| --- | --- | --- |\n")
	escape := strings.NewReplacer("|", "\\|").Replace
	for _, o := range Table {
		right := o.Right.Global
		switch {
		case o.Local:
			right = "(the tool's own)"
		case right == "":
			right = "any of an administrator's"
		case o.Right.On != 0:
			right += ", or " + o.Right.On.String() + " on it"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", escape(o.Usage), escape(o.Help), right)
	}
	file := filepath.Join("..", "..", "docs", "admin-commands.md")
	if *rewrite {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the table says: run go test ./core/admin -run TestDocumentation -rewrite", file)
	}
}

// Every command of the reference (ems 10.2) is in the table, and every operation
// says what it does and what it takes.
func TestTable(t *testing.T) {
	for _, want := range strings.Split(`connect,disconnect,exit,quit,help,echo,timeout,time,whoami,info,autocommit,commit,
create queue,create topic,create user,create group,create bridge,create route,create factory,create jndiname,create durable,create rvcmlistener,
delete queue,delete topic,delete bridge,delete user,delete group,delete route,delete factory,delete jndiname,delete durable,delete connection,delete message,delete rvcmlistener,
delete all users,delete all groups,delete all topics,delete all queues,delete all durables,
addprop queue,addprop topic,addprop route,addprop factory,setprop queue,setprop topic,setprop route,setprop factory,removeprop queue,removeprop topic,removeprop route,removeprop factory,
set password,set server,grant topic,grant queue,grant admin,revoke topic,revoke queue,revoke admin,addmember,removemember,showacl topic,showacl queue,showacl user,showacl group,showacl admin,
purge queue,purge topic,purge durable,purge all queues,purge all topics,purge all durables,
show server,show state,show config,show queues,show topics,show queue,show topic,show connections,show consumers,show consumer,show subscriptions,show durables,show durable,
show stat consumers,show stat producers,show stat topics,show stat queues,show stat routes,show stat channels,show bridges,show bridge,show routes,show route,show factories,show factory,
show jndinames,show users,show user,show groups,show group,show members,show stores,show store,show message,show messages,show transactions,show transaction,show transports,show transport,
show rvcmlisteners,show rvcmtransportledger,show channels,show channel,show parents,show db,
suspend route,resume route,compact,rotatelog,updatecrl,shutdown,transaction commit,transaction rollback,jaci clear,jaci resetstats,jaci showstats`, ",") {
		if byName[strings.TrimSpace(want)] == nil {
			t.Errorf("there is no %s", strings.TrimSpace(want))
		}
	}
	for _, o := range Table {
		if !strings.HasSuffix(o.Help, ".") || o.Run == nil != o.Local {
			t.Errorf("%s: help %q, run %v", o.Usage, o.Help, o.Run != nil)
		}
	}
}
