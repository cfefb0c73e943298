package conformance

import (
	"context"
	"fmt"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func restartOrderChecks() []Check {
	return []Check{
		{
			ID:         "restart/standby-first",
			Obligation: "A new standby that is started before its primary must wait for it and become its standby.",
			Level:      Must, Needs: faultNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: "the recipe; compose specification: depends_on",
			Run:    standbyFirst,
		},
		{
			ID:         "restart/primary-slow",
			Obligation: "A new standby must become one however long its primary takes to initialise.",
			Level:      Must, Needs: faultNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: "the recipe; documentation of the Docker Official Image postgres: initialization scripts",
			Run:    primarySlow,
		},
	}
}

func standbyFirst(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	port := c.streamTo(standby).receiver.SenderPort
	c.create()
	c.startAndTry(standby, port)
	c.Harness(c.Operator().Start(c.ctx, primary.Name()))
	c.Measure("streams", milliseconds(c.allStreamAgain()), "ms")
	c.write()
	c.Replay()
}

func primarySlow(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	port := c.streamTo(standby).receiver.SenderPort
	c.create()
	c.Harness(c.Operator().Start(c.ctx, primary.Name()))
	frozen := c.Pause(primary)
	c.startAndTry(standby, port)
	frozen.Heal()
	c.Measure("streams", milliseconds(c.allStreamAgain()), "ms")
	c.write()
	c.Replay()
}

// create makes all servers anew without starting them.
func (c *C) create() {
	c.Pair().Close()
	c.Harness(c.Operator().Create(c.ctx))
}

// startAndTry starts a standby and waits until it has tried in vain to reach
// its primary: it has complained, given up, or waits for an answer.
func (c *C) startAndTry(standby *pair.Node, port int32) {
	log := c.logFromNow(standby)
	c.Harness(c.Operator().Start(c.ctx, standby.Name()))
	c.Eventually(standby.Name()+" has tried to reach its primary", returnLimit, func(ctx context.Context) (bool, string, error) {
		text, err := log.text(ctx)
		if err != nil || text != "" {
			return err == nil, "", err
		}
		state, err := c.Operator().Inspect(ctx, standby.Name())
		if err != nil || state.State != "running" {
			return err == nil, "container " + state.State, err
		}
		ended, err := c.Operator().Exec(ctx, standby.Name(), nil, "cat", "/proc/net/tcp", "/proc/net/tcp6")
		return err == nil && connectsTo(ended.Stdout, port), fmt.Sprintf("no line in its log, no connection to port %d", port), err
	})
}

// connectsTo says whether a list of connections has one to somebody's port.
//
// Source: Linux kernel documentation, "The proc/net/tcp and proc/net/tcp6 variables".
func connectsTo(connections string, port int32) bool {
	const remote = 2 // column rem_address
	for line := range strings.Lines(connections) {
		if fields := strings.Fields(line); len(fields) > remote && strings.HasSuffix(fields[remote], fmt.Sprintf(":%04X", port)) {
			return true
		}
	}
	return false
}
