package conformance

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func startupBackupChecks() []Check {
	return []Check{
		{
			ID:         "startup/backup-is-not-a-standby",
			Obligation: "While a base backup streams WAL, it must be told from the standbys, whose own streams must go on.",
			Level:      Must,
			Needs:      Needs{Operator: true, Replicator: true, Superuser: true},
			Source:     `PostgreSQL documentation, "pg_stat_replication", "pg_basebackup": --wal-method`,
			Run:        backupIsNotAStandby,
		},
		{
			ID:         "startup/missing-slot-is-loud",
			Obligation: "A clone through a slot that does not exist should fail, say so, and leave no half-made data directory.",
			Level:      Should,
			Needs:      Needs{Operator: true, Replicator: true},
			Source:     `PostgreSQL documentation, "pg_basebackup": --slot, --no-clean`,
			Run:        missingSlotIsLoud,
		},
	}
}

// clone is a base backup as a standby makes it, into a directory of the
// check's own in the standby's container.
type clone struct {
	standby   *pair.Node
	directory string
	variables []string
	command   []string
	removed   bool
}

// cloneScript runs a command, says whether it left a directory, and removes
// that: one round trip to the engine instead of three.
const cloneScript = `directory=$1; shift; "$@"; code=$?
if [ -e "$directory" ]; then echo present; else echo absent; fi
rm -rf "$directory"; exit $code`

// newClone prepares a clone that reaches the primary as the standby does.
func (c *C) newClone(standby *pair.Node, options ...string) *clone {
	receiver := c.streamTo(standby).receiver
	clone := &clone{
		standby: standby, directory: path.Join("/tmp", c.ScratchName()), variables: logsInWith(c.Replicator().Password),
	}
	clone.command = append([]string{
		"pg_basebackup", "--host=" + receiver.SenderHost, "--port=" + strconv.Itoa(int(receiver.SenderPort)),
		"--username=" + c.Replicator().Role, "--no-password", "--pgdata=" + clone.directory,
		"--checkpoint=fast", "--no-sync", "--wal-method=stream",
	}, options...)
	c.Cleanup(func(ctx context.Context) error {
		if clone.removed {
			return nil
		}
		_, err := c.Operator().Exec(ctx, standby.Name(), nil, "rm", "-rf", clone.directory)
		return err
	})
	return clone
}

func (c *C) run(clone *clone) (Execution, error) {
	command := append([]string{"sh", "-c", cloneScript, "sh", clone.directory}, clone.command...)
	ended, err := c.Operator().Exec(c.ctx, clone.standby.Name(), clone.variables, command...)
	clone.removed = err == nil
	return ended, err
}

// backupName is the application name of both connections of pg_basebackup.
const backupName = "pg_basebackup"

func backupIsNotAStandby(c *C) {
	// A backup whose stream still catches up when it ends is never seen
	// streaming. Then it proves nothing, and a slower one is made.
	for _, lasts := range []time.Duration{250 * time.Millisecond, 2 * time.Second, 8 * time.Second} {
		if looks := c.watchBackup(lasts); looks > 0 {
			c.Measure("looks-at-streaming-backup", float64(looks), "looks")
			return
		}
	}
	c.Fatalf("no base backup of %s was ever seen as a streaming WAL sender", c.Pair().Primary.Name())
}

// watchBackup looks at the WAL senders during a base backup that lasts about
// so long, and says how often it saw the backup streaming. The backup must not
// be cut short: its child, orphaned, would fall to process 1, and where that
// is the server, it takes the child for a crashed one of its own and restarts.
func (c *C) watchBackup(lasts time.Duration) (looks int) {
	standby := c.Pair().Standby()
	before := c.streamTo(standby)
	earlier := c.senders()
	// Without a slot its stream looks most like that of a standby without one.
	clone := c.newClone(standby, "--no-slot", c.rateFor(lasts))
	var ended Execution
	var failure error
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended, failure = c.run(clone)
	}()
	defer func() { <-done }() // it uses the check's context, which ends with the check

	err := pair.Poll(c.ctx, 2*time.Millisecond, func(context.Context) (bool, error) {
		senders := c.senders()
		if found := pair.FindStandby(senders, before.receiver); found == nil || found.PID != before.sender.PID {
			c.Fatalf("the standby's WAL sender is %d; with a base backup at work it is lost among %s", before.sender.PID, describeSenders(senders))
		}
		// With the standbys out of sight, a backup must not pass for one.
		backups := slices.DeleteFunc(senders, func(s pair.WALSender) bool { return s.ApplicationName != backupName })
		for _, receiver := range []pair.WALReceiver{before.receiver, {}} {
			if pair.FindStandby(backups, receiver) != nil {
				c.Fatalf("a base backup is taken for a standby: %s", describeSenders(backups))
			}
		}
		if slices.ContainsFunc(backups, func(s pair.WALSender) bool {
			others := slices.ContainsFunc(earlier, func(e pair.WALSender) bool { return e.PID == s.PID })
			return s.State == "streaming" && !others
		}) {
			looks++
		}
		select {
		case <-done:
			return true, nil
		default:
			return false, nil
		}
	})
	if err != nil {
		c.Fatalf("watch the WAL senders during a base backup: %v", err)
	}
	c.Harness(failure)
	if ended.ExitCode != 0 {
		c.Fatalf("base backup of %s from %s: exit code %d: %s", c.Pair().Primary.Name(), standby.Name(), ended.ExitCode, strings.TrimSpace(ended.Stderr))
	}
	return looks
}

const clusterSizeSQL = `SELECT sum(pg_database_size(oid))::bigint FROM pg_database`

// rateFor makes a base backup of the cluster as it is last about so long, if
// it would be faster by itself.
func (c *C) rateFor(lasts time.Duration) string {
	const least, most = 32, 1 << 20 // kB a second: what pg_basebackup takes
	size := ask[int64](c, c.Pair().Primary, clusterSizeSQL)
	rate := int64(float64(size) / 1024 / lasts.Seconds())
	return fmt.Sprintf("--max-rate=%dk", min(max(rate, least), most))
}

func missingSlotIsLoud(c *C) {
	standby := c.Pair().Standby()
	slot := c.ScratchName()
	ended, err := c.run(c.newClone(standby, "--slot="+slot))
	c.Harness(err)
	said := strings.TrimSpace(ended.Stderr)
	if ended.ExitCode != 1 {
		c.Errorf("clone through the missing slot %s: exit code %d, must be 1: %s", slot, ended.ExitCode, said)
	}
	if want := fmt.Sprintf("replication slot %q does not exist", slot); !strings.Contains(said, want) {
		c.Errorf("clone through a missing slot said %q, must say %q", said, want)
	}
	if left := strings.TrimSpace(ended.Stdout); left != "absent" {
		c.Errorf("clone through a missing slot left its data directory behind: %s", left)
	}
}
