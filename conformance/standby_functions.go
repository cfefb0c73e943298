package conformance

import (
	"context"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	recoveryFunctions = `PostgreSQL documentation, "System Administration Functions", "Recovery Control Functions"`
	backupFunctions   = `PostgreSQL documentation, "System Administration Functions", "Backup Control Functions"`
	largeObjects      = `PostgreSQL documentation, "Large Objects", "Server-Side Functions"`
	logicalDecoding   = `PostgreSQL documentation, "Logical Decoding", "Replication Slots"`
)

// standbyRecoveryChecks: functions that tell of replay and command it.
func standbyRecoveryChecks() []Check {
	return []Check{
		{
			ID:         "standby/recovery-functions-answer",
			Obligation: "The functions that tell the state of recovery must answer on the standby, and say on the primary that there is none.",
			Level:      Must, Source: recoveryFunctions, Run: recoveryFunctionsAnswer,
		},
		{
			ID:         "standby/pauses-and-resumes",
			Obligation: "A standby must stop replay when told to, serve reads meanwhile, and catch up when told to go on.",
			Level:      Must, Source: recoveryFunctions, Needs: Needs{Superuser: true, Exclusive: true, Since: 14},
			Disturbs: true, Run: pausesAndResumes,
		},
	}
}

// standbyFunctionChecks: functions that answer otherwise during recovery.
func standbyFunctionChecks() []Check {
	return []Check{
		{
			ID:         "standby/refuses-wal-functions",
			Obligation: "A standby must refuse the functions that tell the primary's WAL position with SQLSTATE 55000.",
			Level:      Must, Source: backupFunctions, ReadsOnly: true, Run: refusesWALFunctions,
		},
		{
			ID:         "standby/refuses-wal-control",
			Obligation: "A standby must refuse, to a superuser too, the functions that would write WAL, with their exact SQLSTATE.",
			Level:      Must, Source: backupFunctions, Needs: Needs{Superuser: true}, Run: refusesWALControl,
		},
		{
			ID:         "standby/refuses-index-upkeep",
			Obligation: "A standby must refuse functions that maintain indexes or collations with SQLSTATE 55000.",
			Level:      Must, Source: `PostgreSQL documentation, "System Administration Functions", "Index Maintenance Functions"`,
			Needs: Needs{Superuser: true}, Run: refusesIndexUpkeep,
		},
		{
			ID:         "standby/refuses-logical-slots",
			Obligation: "A standby must refuse logical slots: with SQLSTATE 55000 while its own wal_level is below logical, else with 0A000 up to 15, and since 16 with 55000 while the primary's is.",
			Level:      Must, Source: logicalDecoding, Needs: Needs{Superuser: true}, Run: refusesLogicalSlots,
		},
		{
			ID:         "standby/large-object-codes",
			Obligation: "A standby should answer reads of large objects, and must refuse writes of them with the SQLSTATE of its version.",
			Level:      Should, Source: largeObjects, Run: largeObjectCodes,
		},
		{
			ID:         "standby/large-object-files",
			Obligation: "A standby should export a large object to a file of the server, and must refuse to import one.",
			Level:      Should, Source: largeObjects, Needs: Needs{Superuser: true}, Run: largeObjectFiles,
		},
	}
}

func refusesWALFunctions(c *C) {
	c.replayed().try(
		refused("55000", `SELECT pg_current_wal_lsn()`),
		refused("55000", `SELECT pg_current_wal_insert_lsn()`),
		refused("55000", `SELECT pg_current_wal_flush_lsn()`),
		refused("55000", `SELECT pg_walfile_name('0/3000000')`),
		refused("55000", `SELECT pg_walfile_name_offset('0/3000000')`),
	)
}

func refusesWALControl(c *C) {
	c.replayed().try(
		refused("55000", `SELECT pg_switch_wal()`),
		refused("55000", `SELECT pg_create_restore_point('conformance')`),
		refused("25006", `SELECT pg_replication_origin_create('conformance_absent')`),
		refused("55000", `SELECT pg_backup_stop()`).from(150000),
		refused("42883", `SELECT pg_start_backup('conformance')`).from(150000),
		refused("22003", `SELECT pg_promote(wait_seconds => -1)`),
		refused("22003", `SELECT pg_promote(wait_seconds => 0)`),
		refused("42883", `SELECT pg_log_standby_snapshot()`).upTo15(),
		refused("55000", `SELECT pg_log_standby_snapshot()`).from(160000),
	)
}

func refusesIndexUpkeep(c *C) {
	c.replayed(tableSQL).try(
		refused("55000", `SELECT brin_summarize_new_values('t_pkey')`),
		refused("55000", `SELECT brin_summarize_range('t_pkey', 0)`),
		refused("55000", `SELECT brin_desummarize_range('t_pkey', 0)`),
		refused("55000", `SELECT gin_clean_pending_list('t_pkey')`),
		refused("55000", `SELECT pg_import_system_collations('pg_catalog')`),
	)
}

func refusesLogicalSlots(c *C) {
	standby := c.replayed()
	here, there := c.setting(c.Pair().Standby(), "wal_level"), c.setting(c.Pair().Primary, "wal_level")
	standby.try(logicalSlotRows(here, there)...)
}

// logicalSlotRows says how a standby refuses a logical slot. It looks at its own
// wal_level first; then up to 15 at whether it is in recovery, and since 16 at
// the wal_level of the primary, which WAL tells. There is no row where it works.
func logicalSlotRows(here, there string) []statement {
	const create = `SELECT pg_create_logical_replication_slot('conformance_absent', 'pgoutput')`
	switch logical := "logical"; {
	case here != logical:
		return []statement{refused("55000", create)}
	case there != logical:
		return []statement{refused("0A000", create).upTo15(), refused("55000", create).from(160000)}
	default:
		return []statement{refused("0A000", create).upTo15()}
	}
}

func recoveryFunctionsAnswer(c *C) {
	c.replayed(tableSQL).try(
		answers("t", `SELECT pg_is_in_recovery()`),
		answers("t", `SELECT pg_last_wal_replay_lsn() IS NOT NULL`),
		answers("t", `SELECT pg_last_wal_receive_lsn() IS NOT NULL`),
		// In this order: WAL that comes between the two calls must not matter.
		answers("t", `SELECT pg_last_wal_replay_lsn() <= pg_last_wal_receive_lsn()`),
		answers("t", `SELECT pg_last_xact_replay_timestamp() IS NOT NULL`),
		answers("f", `SELECT pg_is_wal_replay_paused()`),
		answers("not paused", `SELECT pg_get_wal_replay_pause_state()`).from(140000),
	)
	primary := c.Borrow(c.Pair().Primary)
	if Value[bool](primary, recoveryStateSQL) {
		c.Errorf("%s: pg_is_in_recovery() answers true on the primary", primary.node.Name())
	}
	primary.Refuses("55000", `SELECT pg_is_wal_replay_paused()`)
}

const (
	pauseSQL      = `SELECT pg_wal_replay_pause()`
	resumeSQL     = `SELECT pg_wal_replay_resume()`
	pauseStateSQL = `SELECT pg_get_wal_replay_pause_state()`
	countRowsSQL  = `SELECT count(*) FROM t`
	oneMoreRowSQL = `INSERT INTO t VALUES (101, 'x101')`
	receivedSQL   = `SELECT pg_last_wal_receive_lsn()::text`
)

func pausesAndResumes(c *C) {
	standby := c.replayed(tableSQL, tableRowSQL)
	node := c.Pair().Standby()
	c.Cleanup(func(ctx context.Context) error { return node.Exec(ctx, resumeSQL) })

	standby.Do(pauseSQL)
	c.Eventually("pg_wal_replay_pause() pauses replay", 10*time.Second, func(ctx context.Context) (bool, string, error) {
		state, err := pair.One[string](ctx, node, pauseStateSQL)
		return state == "paused", state, err
	})
	c.Borrow(c.Pair().Primary).Do(oneMoreRowSQL)
	c.flushAll()
	written, err := c.Pair().Primary.CurrentLSN(c.Context())
	if err != nil {
		c.Fatalf("%v", err)
	}
	// Only once the row's WAL is on the standby does its absence prove the pause.
	c.Eventually("a paused standby goes on receiving WAL", 10*time.Second, func(ctx context.Context) (bool, string, error) {
		received, err := pair.One[pair.LSN](ctx, node, receivedSQL)
		return received >= written, received.String() + " of " + written.String(), err
	})
	if count := Value[int](standby, countRowsSQL); count != 100 {
		c.Errorf("replay is paused, yet the standby shows %d rows, must show 100", count)
	}
	standby.Do(resumeSQL)
	c.Replay()
	if count := Value[int](standby, countRowsSQL); count != 101 {
		c.Errorf("replay was resumed, yet the standby shows %d rows, must show 101", count)
	}
}
