package conformance

import (
	"fmt"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// home is where a server lives, as its own session tells: for commands that
// are run when it is stopped.
type home struct {
	directory string
	port      int
}

func (c *C) homeOf(node *pair.Node) home {
	return home{directory: ask[string](c, node, dataDirectorySQL), port: ask[int](c, node, portSQL)}
}

// asServerScript steps down from root, as the server does.
const asServerScript = `[ "$(id -u)" != 0 ] || exec gosu postgres "$@"; exec "$@"`

// offline runs a command on a stopped server's data, with more variables.
func (c *C) offline(node *pair.Node, variables []string, command ...string) Execution {
	ended, err := c.Operator().Run(c.ctx, node.Name(), variables, append([]string{"sh", "-c", asServerScript, "sh"}, command...)...)
	c.Harness(err)
	return ended
}

// mustOffline is offline for a command that is only a step.
func (c *C) mustOffline(node *pair.Node, step string, variables []string, command ...string) {
	if ended := c.offline(node, variables, command...); ended.ExitCode != 0 {
		c.Fatalf("%s of %s: exit code %d: %s", step, node.Name(), ended.ExitCode, strings.TrimSpace(ended.Stderr+ended.Stdout))
	}
}

// addressOf is how a command beside another server connects to a node.
func (c *C) addressOf(node *pair.Node) string {
	return fmt.Sprintf("host=%s port=%d", node.Name(), ask[int](c, node, portSQL))
}

// adminOf is how it logs in there as the role of the checks.
func (c *C) adminOf(node *pair.Node) (address string, variables []string) {
	config, err := node.Config(c.ctx)
	c.Harness(err)
	return fmt.Sprintf("%s user=%s dbname=%s", c.addressOf(node), connectionValue(config.User), connectionValue(config.Database)),
		logsInWith(config.Password)
}

// logsInWith gives a password to a client of PostgreSQL where no list of
// processes shows it.
func logsInWith(password string) (variables []string) { return []string{"PGPASSWORD=" + password} }

// connectionValue quotes a value of a connection string.
//
// Source: PostgreSQL documentation, "Connection Strings".
func connectionValue(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// followScript makes a stopped server a standby. The last value of a parameter counts.
const followScript = `
set -e
printf '%s\n' "$STANDBY_SETTINGS" >> "$1/postgresql.auto.conf"
touch "$1/standby.signal"`

// follow makes a stopped server a standby of another node: it connects as the
// standby of that cluster does, only to the other host.
func (c *C) follow(node *pair.Node, at home, upstream *pair.Node, slot string) {
	conninfo, ok := conninfoOver(primaryConninfo(c, upstream).Value, upstream.Name(), ask[uint16](c, upstream, portSQL))
	if !ok {
		c.Skipf("primary_conninfo of %s is an URI or empty: it is not rewritten", upstream.Name())
	}
	settings := fmt.Sprintf("primary_conninfo = '%s'\nprimary_slot_name = '%s'\nwal_retrieve_retry_interval = '200ms'",
		strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(conninfo), slot)
	c.mustOffline(node, "write standby settings", []string{"STANDBY_SETTINGS=" + settings},
		"sh", "-c", followScript, "sh", at.directory)
}

// rejoined waits until the old primary streams from the promoted server.
func (c *C) rejoined(promoted, old *pair.Node) {
	c.streams(&pair.Pair{Primary: promoted, Standbys: []*pair.Node{old}}, old)
}

// stopForGood stops a server, whatever state it is in; the check starts it again itself.
func (c *C) stopForGood(node *pair.Node) { c.Harness(c.Operator().Stop(c.ctx, node.Name())) }

// startAgain starts a stopped server and gives its log from then on.
func (c *C) startAgain(node *pair.Node) newLog {
	log := c.logFromNow(node)
	c.Harness(c.Operator().Start(c.ctx, node.Name()))
	return log
}
