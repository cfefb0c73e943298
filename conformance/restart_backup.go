package conformance

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func restartBackupChecks() []Check {
	needs := faultNeeds()
	needs.Replicator = true
	return []Check{
		{
			ID:         "restart/fast-checkpoint",
			Obligation: "A standby's base backup should ask for a fast checkpoint: a spread one makes it wait for minutes on a busy primary.",
			Level:      Should, Needs: faultNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "pg_basebackup": --checkpoint`,
			Run:    fastCheckpoint,
		},
		{
			ID:         "restart/consistent-under-writes",
			Obligation: "A standby that was cloned while the primary was written to must hold what the primary holds.",
			Level:      Must, Needs: faultNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Making a Base Backup Using the Low Level API"`,
			Run:    consistentUnderWrites,
		},
		{
			ID:         "restart/backup-verifies",
			Obligation: "A base backup, taken as the standby takes it, should pass pg_verifybackup.",
			Level:      Should, Needs: needs, Disturbs: true,
			Source: `PostgreSQL documentation, "pg_verifybackup"`,
			Run:    backupVerifies,
		},
	}
}

func fastCheckpoint(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.Set(primary, "log_checkpoints", "on", "on")
	c.serverLog(primary) // it must be one that can be read
	log := c.logFromNow(primary)
	c.Harness(c.Operator().Recreate(c.ctx, standby.Name(), true))
	// What a base backup asks for; a checkpoint by time or size has other words.
	asked := log.wait("checkpoint starting: force wait", "checkpoint starting: immediate force wait", "checkpoint starting: fast force wait")
	if strings.Contains(asked, "starting: force wait") {
		c.Errorf("the base backup of %s waits for a spread checkpoint: log of %s: %s", standby.Name(), primary.Name(), asked)
	}
	// Whoever asks for one at once, hastens the one that is under way.
	if err := primary.Exec(c.ctx, checkpointSQL); err != nil {
		c.Fatalf("%v", err)
	}
	c.StreamsAgain(standby)
}

const (
	createAccountsSQL = `CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, filler text NOT NULL)`
	fillAccountsSQL   = `INSERT INTO accounts SELECT id, 0, repeat('x', 200) FROM generate_series(1, 10000) AS id`
	moveBalanceSQL    = `UPDATE %s SET balance = balance + $1 WHERE id %% 100 = $2`
	accountsHashSQL   = `SELECT md5(string_agg(accounts::text, E'\n' ORDER BY id)) FROM accounts`
	countUpdatedSQL   = `SELECT count(*) FROM accounts WHERE balance <> 0`
)

func consistentUnderWrites(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	// How long the backup's checkpoint takes is another check's affair.
	c.Set(primary, "checkpoint_completion_target", "0", "0")
	session := c.OnPrimary()
	session.Do(createAccountsSQL)
	session.Do(fillAccountsSQL)
	ledger := c.KeepWriting(primary)
	updates := c.keepUpdating(primary)
	ledger.WaitAcknowledged(1)
	before := updates.done.Load()
	c.Harness(c.Operator().Recreate(c.ctx, standby.Name(), true))
	c.Measure("streams", milliseconds(c.StreamsAgain(standby)), "ms")
	during := updates.done.Load() - before
	updates.stop()
	if during == 0 {
		c.Fatalf("nothing was updated while %s was cloned", standby.Name())
	}
	c.Measure("updates-during-clone", float64(during), "")
	ledger.settle(c.Pair().Nodes()...)
	if Value[int64](session, countUpdatedSQL) == 0 {
		c.Fatalf("the updates have left no trace on %s", primary.Name())
	}
	c.same("accounts after a clone under writes", accountsHashSQL)
}

// updates is a client that changes rows all over a table, again and again.
type updates struct {
	done  atomic.Int64
	end   context.CancelFunc
	ended chan struct{}
}

func (c *C) keepUpdating(node *pair.Node) *updates {
	ctx, end := context.WithCancel(c.ctx)
	u := &updates{end: end, ended: make(chan struct{})}
	sql := fmt.Sprintf(moveBalanceSQL, pgx.Identifier{c.Schema(), "accounts"}.Sanitize())
	go func() {
		defer close(u.ended)
		for i := 0; node.Exec(ctx, sql, i, i%100) == nil; i++ {
			u.done.Add(1)
		}
	}()
	c.Cleanup(func(context.Context) error { u.stop(); return nil })
	return u
}

// stop ends the updates. Stopping twice is safe.
func (u *updates) stop() {
	u.end()
	<-u.ended
}

// verifyScript makes a base backup, checks it against its manifest, and removes it.
const verifyScript = `directory=$1; shift; "$@" && pg_verifybackup "$directory"; code=$?
rm -rf "$directory"; exit $code`

func backupVerifies(c *C) {
	clone := c.newClone(c.Pair().Standby(), "--no-slot")
	command := append([]string{"sh", "-c", verifyScript, "sh", clone.directory}, clone.command...)
	ended := c.beside(clone.standby, command...)
	said := strings.TrimSpace(ended.Stdout + ended.Stderr)
	switch {
	case ended.ExitCode != 0:
		c.Errorf("base backup into %s, then pg_verifybackup: exit code %d: %s", clone.standby.Name(), ended.ExitCode, said)
	case !strings.Contains(said, "backup successfully verified"):
		c.Errorf("pg_verifybackup ended with exit code 0 but said %q", said)
	default:
		clone.removed = true
	}
}
