package conformance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// teardownChecks is the chapter "teardown": the servers have come to no harm,
// stop cleanly, go without a trace, and come back as new ones. In this order the checks start
// the servers once. In any other, each begins by bringing about what it needs.
func teardownChecks() []Check {
	needs := Needs{Operator: true, Exclusive: true, Disposable: true}
	return []Check{
		{
			ID:         "teardown/logs-show-no-damage",
			Obligation: "The logs of all servers must tell of no damaged page and of no PANIC.",
			Level:      Must,
			Needs:      Needs{Operator: true},
			Source:     `PostgreSQL documentation, "Reliability", "Error Reporting and Logging": message severity levels`,
			Run:        logsShowNoDamage,
		},
		{
			ID:         "teardown/stops-cleanly",
			Obligation: "When the servers are stopped, each must shut down within its grace period, end with exit code 0 and free its ports.",
			Level:      Must,
			Needs:      needs,
			Limit:      teardownLimit,
			Source:     `PostgreSQL documentation, "Shutting Down the Server"; compose specification: stop_grace_period`,
			Run:        stopsCleanly,
		},
		{
			ID:         "teardown/down-removes-everything",
			Obligation: "Removing the servers with their volumes must leave no container, network or volume of theirs.",
			Level:      Must,
			Needs:      needs,
			Limit:      teardownLimit,
			Source:     "docker compose down --volumes; compose specification: volumes, networks",
			Run:        downRemovesEverything,
		},
		{
			ID:         "teardown/up-again-is-fresh",
			Obligation: "After everything was removed, starting again must give a new cluster and a standby of it.",
			Level:      Must,
			Needs:      needs,
			Limit:      teardownLimit,
			Source:     "the recipe; documentation of the Docker Official Image postgres: initialization scripts",
			Run:        upAgainIsFresh,
		},
	}
}

// teardownLimit is for a check that starts and removes the servers on a
// loaded machine.
const teardownLimit = 3 * time.Minute

// up makes the servers run, if they do not already.
func (c *C) up() { c.Harness(c.Operator().Up(c.ctx, Instance{})) }

// remove removes the servers and their data.
func (c *C) remove() {
	c.Pair().Close()
	c.Harness(c.Operator().Remove(c.ctx))
}

func (c *C) leftovers() []string {
	left, err := c.Operator().Leftovers(c.ctx)
	c.Harness(err)
	return left
}

func stopsCleanly(c *C) {
	c.up()
	loud := map[*pair.Node]bool{}
	var addresses []string
	for _, node := range c.Pair().Nodes() {
		loud[node] = ask[bool](c, node, logsToStderrSQL)
		for _, port := range c.inspect(node).Ports {
			addresses = append(addresses, net.JoinHostPort(port.HostAddress, strconv.Itoa(int(port.HostPort))))
		}
	}
	for _, address := range addresses {
		if err := dial(c.ctx, address); err != nil {
			c.Fatalf("connect to %s while the servers run: %v", address, err)
		}
	}
	c.Pair().Close()
	began := time.Now()
	c.Harness(c.Operator().StopAll(c.ctx))
	took := time.Since(began)
	c.Measure("stop", milliseconds(took), "ms")
	for _, node := range c.Pair().Nodes() {
		// Whoever outlives the grace period is killed: exit code 137.
		if state := c.inspect(node); state.State != "exited" || state.ExitCode != 0 || state.OOMKilled {
			c.Errorf("%s: container %s, exit code %d, killed for lack of memory %t, after a stop of %s; must be exited with 0 within %s",
				node.Name(), state.State, state.ExitCode, state.OOMKilled, took.Round(time.Millisecond), state.Grace)
		}
		if !loud[node] {
			continue
		}
		log, err := c.Operator().Logs(c.ctx, node.Name(), time.Time{})
		c.Harness(err)
		if last, clean := lastState(log); !clean {
			c.Errorf("log of %s does not end with a clean shutdown: its last word on the database system is %q", node.Name(), last)
		}
	}
	for _, address := range addresses {
		if dial(c.ctx, address) == nil {
			c.Errorf("somebody still listens on %s", address)
		}
	}
}

// lastState finds a server's last word on its state, and tells whether it is
// that of a clean shutdown. An immediate one is none: it leaves crash recovery
// to the next start, with the same last word and exit code 0.
//
// Source: PostgreSQL documentation, "Shutting Down the Server".
func lastState(log string) (last string, clean bool) {
	immediate := false
	for _, entry := range readLog(log) {
		switch {
		case strings.HasPrefix(entry.text, "received immediate shutdown request"):
			immediate = true
		case strings.HasPrefix(entry.text, "database system is "):
			clean = strings.HasPrefix(entry.text, "database system is shut down") && !immediate
			last = fmt.Sprintf("%s %s", entry.stamp, entry.text)
			if immediate {
				last += ", after an immediate shutdown request"
			}
		case strings.HasPrefix(entry.text, "starting PostgreSQL"):
			immediate = false
		}
	}
	return last, clean
}

// dial tells whether somebody listens on an address.
func dial(ctx context.Context, address string) error {
	const limit = 5 * time.Second
	dialer := net.Dialer{Timeout: limit}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}

func downRemovesEverything(c *C) {
	before := c.leftovers()
	if len(before) == 0 {
		c.up()
		before = c.leftovers()
	}
	if nodes := c.Pair().Nodes(); len(before) < len(nodes) {
		c.Fatalf("%d servers are there, yet the operator finds only %v to remove", len(nodes), before)
	}
	began := time.Now()
	c.remove()
	c.Measure("remove", milliseconds(time.Since(began)), "ms")
	if left := c.leftovers(); len(left) > 0 {
		c.Errorf("left behind of %d: %s", len(before), strings.Join(left, ", "))
	}
}

func upAgainIsFresh(c *C) {
	c.remove()
	if left := c.leftovers(); len(left) > 0 {
		c.Fatalf("left behind before the servers start again: %s", strings.Join(left, ", "))
	}
	began := time.Now()
	// On the recipe's own ports if it can be, as its users do it;
	// recipe/literal-ports then needs no start of its own.
	err := c.Operator().Up(c.ctx, Instance{LiteralPorts: true})
	if errors.Is(err, ErrPortTaken) {
		err = c.Operator().Up(c.ctx, Instance{})
	}
	if notReady := (*pair.NotReadyError)(nil); errors.As(err, &notReady) {
		c.Fatalf("servers started again do not become a pair: %v", err)
	}
	c.Harness(err)
	c.Measure("up", milliseconds(time.Since(began)), "ms")
	primary := c.Pair().Primary
	started := c.inspect(primary).Started
	if made := clusterMade(ask[int64](c, primary, systemIdentifierSQL)); made.Before(started.Add(-time.Second)) {
		c.Errorf("%s runs a cluster made at %s, before its container started at %s: data have survived their removal",
			primary.Name(), made.Format(time.RFC3339), started.UTC().Format(time.RFC3339))
	}
	if err := c.Pair().WaitReady(c.ctx); err != nil {
		c.Fatalf("%v", err)
	}
	c.write()
	c.Replay()
}

// clusterMade is when a cluster was made, to the second: initdb begins the
// system identifier with it.
//
// Source: PostgreSQL source, BootStrapXLOG in xlog.c.
func clusterMade(systemIdentifier int64) time.Time {
	const secondsFrom = 32                                                  // bit
	return time.Unix(int64(uint64(systemIdentifier)>>secondsFrom), 0).UTC() //nolint:gosec // the bits are meant
}
