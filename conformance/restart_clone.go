package conformance

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func restartCloneChecks() []Check {
	needs := faultNeeds()
	needs.Since = 13 // pg_stat_progress_basebackup
	return []Check{
		{
			ID:         "restart/interrupted-clone-heals",
			Obligation: "A standby whose first base backup was cut short, by SIGKILL or by a stop, must clone again at its next start and stream.",
			Level:      Must, Needs: needs.disposable(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "pg_basebackup": --no-clean`,
			Run:    interruptedCloneHeals,
		},
		{
			ID:         "restart/stops-during-clone",
			Obligation: "A standby that is stopped while it clones, or while it waits for its primary, must end within its grace period and not by SIGKILL.",
			Level:      Must, Needs: needs.disposable(), Disturbs: true, Limit: faultLimit,
			Source: "compose specification: stop_signal, stop_grace_period; signal(7): the first process of a container",
			Run:    stopsDuringClone,
		},
	}
}

func interruptedCloneHeals(c *C) {
	standby := c.Pair().Standby()
	cuts := []struct {
		name string
		act  func(ctx context.Context, node string) error
	}{
		{"kill", func(ctx context.Context, node string) error { return c.Operator().Kill(ctx, node, "KILL") }},
		{"stop", c.Operator().Stop},
	}
	for _, cut := range cuts {
		c.Logf("base backup cut by a %s", cut.name) // the last one tells when it failed
		goOn := c.freezeClone()
		c.Harness(cut.act(c.ctx, standby.Name()))
		goOn()
		c.Harness(c.Operator().Start(c.ctx, standby.Name()))
		c.Measure("streams-after-"+cut.name, milliseconds(c.StreamsAgain(standby)), "ms")
	}
	c.write()
	c.Replay()
}

func stopsDuringClone(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	port := c.streamTo(standby).receiver.SenderPort
	goOn := c.freezeClone()
	c.mustStop(standby, "during its base backup")
	goOn()

	stopped := c.Stop(primary)
	c.startAndTry(standby, port)
	c.mustStop(standby, "while it waits for its primary")
	stopped.Heal()
	c.Harness(c.Operator().Start(c.ctx, standby.Name()))
	if !c.Failed() { // what follows is another check's affair
		c.StreamsAgain(standby)
	}
}

// mustStop stops a node and fails the check when it had to be killed.
func (c *C) mustStop(node *pair.Node, situation string) {
	const killed = 128 + 9
	began := time.Now()
	c.Harness(c.Operator().Stop(c.ctx, node.Name()))
	took := time.Since(began)
	state := c.inspect(node)
	c.Measure("stop-"+strings.ReplaceAll(situation, " ", "-"), milliseconds(took), "ms")
	if state.State != "exited" || state.ExitCode == killed || took >= state.Grace {
		c.Errorf("%s, stopped %s: container %s with exit code %d after %s; it has %s, and 137 is SIGKILL",
			node.Name(), situation, state.State, state.ExitCode, took.Round(time.Millisecond), state.Grace)
	}
}

// ballast makes a base backup last: a sparse file costs the primary nothing
// and takes seconds to send.
const ballast = 2 << 30 // bytes

// findBackupLabel looks where a clone is made: in the data directory, or beside it.
const findBackupLabel = `find "${PGDATA%/*}" -name backup_label 2>/dev/null`

const (
	backupsSQL        = `SELECT pid FROM pg_stat_progress_basebackup`
	backupUnderWaySQL = `SELECT COALESCE(max(backup_streamed), 0) FROM pg_stat_progress_basebackup WHERE pid <> ALL (COALESCE($1::int[], '{}'))`
)

// freezeClone has the standby clone the primary anew, and freezes the primary
// in the middle of it: what has been sent is all that the standby will get.
// When the standby has been dealt with, goOn brings back the primary as it was.
func (c *C) freezeClone() (goOn func()) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	remove := c.addBallast(primary)
	// A base backup begins with a checkpoint: there shall be little to write.
	if err := primary.Exec(c.ctx, checkpointSQL); err != nil {
		c.Fatalf("%v", err)
	}
	// One for a standby that was cut off may linger.
	earlier, err := pair.Column[int32](c.ctx, primary, backupsSQL)
	if err != nil {
		c.Fatalf("%v", err)
	}
	var failed error
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		failed = c.Operator().Recreate(c.ctx, standby.Name(), true)
	}()
	defer func() { <-begun }() // it uses the check's context
	c.Eventually("a base backup is under way", returnLimit, func(ctx context.Context) (bool, string, error) {
		sent, err := pair.One[int64](ctx, primary, backupUnderWaySQL, earlier)
		return sent > 0, fmt.Sprintf("%d bytes sent", sent), err
	})
	// What was sent may still be on its way: a clone without a file cannot be cut.
	c.Eventually("the base backup has arrived in part", returnLimit, func(ctx context.Context) (bool, string, error) {
		found, err := c.Operator().Exec(ctx, standby.Name(), nil, "sh", "-c", findBackupLabel)
		// Of a container that is being removed, the engine says so on this output.
		return strings.HasSuffix(strings.TrimSpace(found.Stdout), "backup_label"), found.Stdout + found.Stderr, err
	})
	frozen := c.Pause(primary)
	<-begun
	c.Harness(failed)
	return func() {
		frozen.Heal()
		c.Harness(remove(c.ctx))
		c.wasCut(standby)
	}
}

// addBallast puts a big file into a node's data directory, where a base
// backup takes everything. It is removed after the check at the latest.
func (c *C) addBallast(node *pair.Node) (remove func(context.Context) error) {
	file := path.Join(ask[string](c, node, dataDirectorySQL), c.ScratchName())
	remove = func(ctx context.Context) error {
		_, err := c.Operator().Exec(ctx, node.Name(), nil, "rm", "-f", file)
		return err
	}
	c.Cleanup(remove)
	made := c.beside(node, "truncate", "--size", strconv.Itoa(ballast), file)
	if made.ExitCode != 0 {
		c.Harness(fmt.Errorf("make %s in %s: exit code %d: %s", file, node.Name(), made.ExitCode, strings.TrimSpace(made.Stderr)))
	}
	return remove
}

// wasCut makes sure that a standby did not finish its clone.
func (c *C) wasCut(standby *pair.Node) {
	log, err := c.Operator().Logs(c.ctx, standby.Name(), time.Time{})
	c.Harness(err)
	if line := lastLineWith(log, "starting PostgreSQL"); line != "" {
		c.Harness(fmt.Errorf("base backup was not cut: the server of %s began: %s", standby.Name(), line))
	}
}
