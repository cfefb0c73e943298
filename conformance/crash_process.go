package conformance

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// crashProcessChecks kills single processes: the server ends all the others
// and starts them again, in the container that there is.
func crashProcessChecks() []Check {
	const source = `PostgreSQL documentation, "restart_after_crash", "Shutting Down the Server"`
	check := func(name, who string, run func(c *C)) Check {
		return Check{
			ID:         "crash/" + name,
			Obligation: "After a SIGKILL of " + who + " its server must recover in place: its container stays up, its sessions end with SQLSTATE 57P02, nothing acknowledged is lost, and the standby streams.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: source, Run: run,
		}
	}
	onStandby := func(name, who string, run func(c *C)) Check {
		one := check(name, who, run)
		one.Each = true
		return one
	}
	return []Check{
		check("primary-backend-kill", "a backend on the primary", func(c *C) {
			c.crashInPlace(c.Pair().Primary, c.victim(c.Pair().Primary), primaryRecovered)
		}),
		check("sender-kill", "the WAL sender", func(c *C) {
			c.crashInPlace(c.Pair().Primary, c.streamTo(c.Pair().Standby()).sender.PID, primaryRecovered)
		}),
		onStandby("standby-backend-kill", "a backend on the standby", func(c *C) {
			c.crashInPlace(c.Pair().Standby(), c.victim(c.Pair().Standby()), standbyRecovered)
		}),
		onStandby("receiver-kill", "the WAL receiver", func(c *C) {
			c.crashInPlace(c.Pair().Standby(), c.streamTo(c.Pair().Standby()).receiver.PID, standbyRecovered)
		}),
		{
			ID:         "crash/startup-process-comes-back",
			Obligation: "A standby whose startup process was killed, which ends the whole server, should be started again and stream.",
			Level:      Should, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: "PostgreSQL source, PostmasterStateMachine in postmaster.c; compose specification: restart",
			Run:    startupProcessComesBack,
		},
	}
}

// victim is the process of a session of its own.
func (c *C) victim(node *pair.Node) int32 {
	return Value[int32](c.NewSession(node), `SELECT pg_backend_pid()`)
}

const restartAfterCrashSQL = `SELECT current_setting('restart_after_crash') = 'on'`

func (c *C) crashInPlace(node *pair.Node, pid int32, recovered string) {
	if !ask[bool](c, node, restartAfterCrashSQL) {
		c.Skipf("restart_after_crash is off on %s: somebody else restarts it", node.Name())
	}
	c.needsLog(node)
	standby := c.Pair().Standby()
	c.retryQuickly(standby)
	timeline, slot := c.timeline(), c.slotOf(standby)
	started, began := c.inspect(node).Started, c.serverBegan(node)
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(10)
	bystander := c.newBystander(node)

	log := c.logFromNow(node)
	killed := time.Now()
	c.signal(node, "KILL", pid)
	log.wait("all server processes terminated; reinitializing")
	c.Measure("answers-again", milliseconds(c.ServesAgain(node)), "ms")
	c.StreamsAgain(standby)
	c.Measure("streams-again", milliseconds(time.Since(killed)), "ms")
	log.wait(recovered)
	bystander.mustEndBy("57P02")
	if state := c.inspect(node); !state.Started.Equal(started) || state.State != "running" {
		c.Errorf("container of %s is %s since %s, must be running since %s",
			node.Name(), state.State, state.Started.Format(time.RFC3339Nano), started.Format(time.RFC3339Nano))
	}
	if now := c.serverBegan(node); !now.Equal(began) {
		c.Errorf("server of %s began at %s, before the crash it was %s", node.Name(), now.Format(time.RFC3339Nano), began.Format(time.RFC3339Nano))
	}
	ledger.WaitAcknowledged(10)
	c.mustKeepTimelineAndSlot(timeline, slot)
	ledger.settle(c.Pair().Nodes()...)
	c.Measure("longest-gap-between-commits", milliseconds(ledger.LongestGap()), "ms")
}

// signalScript needs no kill program: it is part of every shell.
const signalScript = `kill -s "$1" "$2"`

// signal sends a signal to one process of a node.
func (c *C) signal(node *pair.Node, signal string, pid int32) {
	sent := c.beside(node, "sh", "-c", signalScript, "sh", signal, strconv.Itoa(int(pid)))
	if sent.ExitCode != 0 {
		c.Harness(fmt.Errorf("send %s to process %d of %s: exit code %d: %s", signal, pid, node.Name(), sent.ExitCode, strings.TrimSpace(sent.Stderr)))
	}
}

func startupProcessComesBack(c *C) {
	standby := c.Pair().Standby()
	made, started := c.dataMade(standby), c.inspect(standby).Started
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(1)
	c.signal(standby, "KILL", ask[int32](c, standby, startupPIDSQL))
	c.Eventually("the server of "+standby.Name()+" has ended", returnLimit, func(ctx context.Context) (bool, string, error) {
		state, err := c.Operator().Inspect(ctx, standby.Name())
		return state.State != "running" || !state.Started.Equal(started), "container " + state.State, err
	})
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	c.mustKeepData(standby, made)
	ledger.settle(c.Pair().Nodes()...)
}
