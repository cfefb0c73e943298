package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func restartHealthChecks() []Check {
	const source = "compose specification: healthcheck, depends_on"
	return []Check{
		{
			ID:         "restart/healthcheck-means-replicating",
			Obligation: "Both servers should have a health check, and the standby's should fail while it does not replicate.",
			Level:      Should, Needs: faultNeeds(), Disturbs: true, Limit: 2 * faultLimit,
			Source: source,
			Run:    healthcheckMeansReplicating,
		},
		{
			ID:         "restart/healthcheck-over-tcp",
			Obligation: "A health check should not succeed while the image initialises its cluster with a server that nobody else can reach.",
			Level:      Should, Needs: faultNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: source + "; documentation of the Docker Official Image postgres: initialization scripts",
			Run:    healthcheckOverTCP,
		},
	}
}

// initialiseLimit bounds how long the image may take to initialise a cluster.
const initialiseLimit = 3 * time.Minute

// healthLag bounds how long a health check may take to change its mind:
// engines probe every 30 s and want 3 failures unless told otherwise.
const healthLag = 2 * time.Minute

func healthcheckMeansReplicating(c *C) {
	for _, node := range c.Pair().Nodes() {
		if c.inspect(node).Health == "" {
			c.Fatalf("%s has no health check: running is all that anybody can know of it", node.Name())
		}
	}
	c.turnsHealth("healthy", c.Pair().Nodes()...)
	standby := c.Pair().Standby()

	c.pauseReplay()
	c.Measure("unhealthy-after-pause", milliseconds(c.turnsHealth("unhealthy", standby)), "ms")
	c.OnStandby().Do(resumeReplaySQL)
	c.Measure("healthy-after-resume", milliseconds(c.turnsHealth("healthy", standby)), "ms")

	stopped := c.Stop(c.Pair().Primary)
	c.Measure("unhealthy-without-primary", milliseconds(c.turnsHealth("unhealthy", standby)), "ms")
	stopped.Heal()
	c.StreamsAgain(standby)
	c.Measure("healthy-with-primary", milliseconds(c.turnsHealth("healthy", c.Pair().Nodes()...)), "ms")
}

// turnsHealth waits until the health checks of nodes say so, and gives how
// long that took from the call on.
func (c *C) turnsHealth(wanted string, nodes ...*pair.Node) time.Duration {
	began := time.Now()
	for _, node := range nodes {
		fact := fmt.Sprintf("health check of %s says %s", node.Name(), wanted)
		c.Eventually(fact, healthLag, func(ctx context.Context) (bool, string, error) {
			state, err := c.Operator().Inspect(ctx, node.Name())
			return state.Health == wanted, state.Health, err
		})
	}
	return time.Since(began)
}

func healthcheckOverTCP(c *C) {
	primary := c.Pair().Primary
	probe := probeCommand(c.inspect(primary).Probe)
	if len(probe) == 0 {
		c.Fatalf("%s has no health check", primary.Name())
	}
	c.Eventually("health check of "+primary.Name()+" succeeds while it serves", healthLag, func(context.Context) (bool, string, error) {
		ended := c.beside(primary, probe...)
		return ended.ExitCode == 0, fmt.Sprintf("exit code %d: %s%s", ended.ExitCode, ended.Stdout, ended.Stderr), nil
	})
	// An initialisation that is over before the first probe proves nothing.
	probes := 0
	for range 3 {
		c.create()
		c.Harness(c.Operator().Start(c.ctx, primary.Name()))
		if probes = c.probeInitialisation(primary, probe); probes > 0 {
			break
		}
	}
	c.Harness(c.Operator().UpAgain(c.ctx))
	c.StreamsAgain(c.Pair().Standby())
	if probes == 0 {
		c.Skipf("%s initialises too fast to be probed, or without a server that listens on no TCP port", primary.Name())
	}
	c.Measure("probes-while-initialising", float64(probes), "")
}

// probeInitialisation runs a health check again and again until a server
// listens on TCP, and counts the runs that began when there was one that did not.
func (c *C) probeInitialisation(node *pair.Node, probe []string) (probes int) {
	c.Eventually(node.Name()+" listens on TCP", initialiseLimit, func(ctx context.Context) (bool, string, error) {
		before, err := c.phase(ctx, node)
		if err != nil || before != onSocketOnly {
			return before == onTCP, before.String(), err
		}
		probes++
		ended, err := c.Operator().Exec(ctx, node.Name(), nil, probe...)
		if err != nil {
			return false, "", err
		}
		// The log is read after the probe: what it lacks had not happened.
		after, err := c.phase(ctx, node)
		if err == nil && after == onSocketOnly && ended.ExitCode == 0 {
			c.Errorf("health check %q of %s succeeds during its initialisation, when no client can connect", strings.Join(probe, " "), node.Name())
			return true, "", nil
		}
		return after == onTCP, after.String(), err
	})
	return probes
}

// phase is how far a server is that the image initialises.
type phase int

const (
	noServer phase = iota
	onSocketOnly
	onTCP
)

func (p phase) String() string {
	return [...]string{"no server answers", "a server answers on its socket only", "a server listens on TCP"}[p]
}

func (c *C) phase(ctx context.Context, node *pair.Node) (phase, error) {
	log, err := c.Operator().Logs(ctx, node.Name(), time.Time{})
	if err != nil {
		return noServer, err
	}
	return phaseOf(readLog(log)), nil
}

func phaseOf(entries []logEntry) phase {
	now := noServer
	for _, entry := range entries {
		switch {
		case strings.HasPrefix(entry.text, "listening on IP"):
			return onTCP
		case strings.HasPrefix(entry.text, "database system is ready to accept connections"):
			now = onSocketOnly
		case strings.HasPrefix(entry.text, "database system is shut down"):
			now = noServer
		}
	}
	return now
}

// probeCommand gives the command of a health check as it is executed.
//
// Source: compose specification, healthcheck: test.
func probeCommand(test []string) []string {
	switch {
	case len(test) > 1 && test[0] == "CMD":
		return test[1:]
	case len(test) > 1 && test[0] == "CMD-SHELL":
		return append([]string{"/bin/sh", "-c"}, test[1:]...)
	}
	return nil
}
