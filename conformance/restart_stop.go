package conformance

import (
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func restartStopChecks() []Check {
	return []Check{
		{
			ID:         "restart/clean-exit-codes",
			Obligation: "Servers that are stopped while clients are at work must shut down within their grace period and end with exit code 0.",
			Level:      Must, Needs: faultNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Shutting Down the Server"; compose specification: stop_signal, stop_grace_period`,
			Run:    cleanExitCodes,
		},
		{
			ID:         "restart/stop-grace",
			Obligation: "The primary's grace period should be longer than wal_sender_timeout, which its shutdown waits for when a standby is frozen.",
			Level:      Should, Needs: Needs{Operator: true},
			Source: `PostgreSQL documentation, "wal_sender_timeout"; compose specification: stop_grace_period`,
			Run:    stopGrace,
		},
		{
			ID:         "restart/policy",
			Obligation: "Each server should be started again when it ends by itself, and with the engine.",
			Level:      Should, Needs: Needs{Operator: true},
			Source: "compose specification: restart",
			Run:    restartPolicy,
		},
	}
}

func cleanExitCodes(c *C) {
	c.needsLog(c.Pair().Nodes()...)
	primary := c.Pair().Primary
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	c.Replay()
	for _, node := range c.Pair().Nodes() {
		// In the middle of a transaction: only a smart shutdown would wait for it.
		session := c.NewSession(node)
		session.Do(`BEGIN`)
		Value[time.Time](session, `SELECT now()`)
	}
	logs := map[*pair.Node]newLog{}
	for _, node := range c.Pair().Nodes() {
		logs[node] = c.logFromNow(node)
	}
	for _, node := range c.Pair().Nodes() {
		c.mustStop(node, "while clients use "+node.Name())
		if state := c.inspect(node); state.ExitCode != 0 {
			c.Errorf("%s ended with exit code %d, must be 0", node.Name(), state.ExitCode)
		}
		text, err := logs[node].text(c.ctx)
		c.Harness(err)
		if last, clean := lastState(text); !clean {
			c.Errorf("log of %s does not end with a clean shutdown: its last word on the database system is %q", node.Name(), last)
		}
	}
	ledger.Stop()
	// Whether a standby comes back from its data is another check's affair.
	c.Harness(c.Operator().Start(c.ctx, primary.Name()))
	c.ServesAgain(primary)
	for _, standby := range c.Pair().Standbys {
		c.Harness(c.Operator().Recreate(c.ctx, standby.Name(), true))
	}
	c.StreamsAgain(c.Pair().Standby())
	ledger.settle(c.Pair().Nodes()...)
}

// Without a unit it is in milliseconds; 0 is no timeout at all.
const walSenderTimeoutSQL = `SELECT setting::bigint FROM pg_settings WHERE name = 'wal_sender_timeout'`

func stopGrace(c *C) {
	primary := c.Pair().Primary
	grace := c.inspect(primary).Grace
	timeout := time.Duration(ask[int64](c, primary, walSenderTimeoutSQL)) * time.Millisecond
	switch {
	case timeout == 0:
		c.Errorf("%s has no wal_sender_timeout: with a frozen standby its shutdown would wait for ever", primary.Name())
	case grace <= timeout:
		c.Errorf("%s has %s to stop, its wal_sender_timeout is %s: with a frozen standby it would be killed", primary.Name(), grace, timeout)
	}
}

func restartPolicy(c *C) {
	for _, node := range c.Pair().Nodes() {
		if state := c.inspect(node); !state.restarted() {
			c.Errorf("%s has restart policy %q: when it ends, it stays down", node.Name(), state.Restart)
		}
	}
}
