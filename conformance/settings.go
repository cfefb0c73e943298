package conformance

import (
	"fmt"
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// settingsChecks is the chapter "settings": what the servers run with.
func settingsChecks() []Check {
	return slices.Concat([]Check{
		{
			ID:         "settings/settings-for-streaming",
			Obligation: "The primary must write enough WAL for a standby, the standby must serve reads, and both must survive a crash.",
			Level:      Must, Source: replicationSettings, ReadsOnly: true, Run: settingsForStreaming,
		},
		{
			ID:         "settings/room-for-another-consumer",
			Obligation: "The primary should have two WAL senders and a replication slot to spare, for a base backup or another standby.",
			Level:      Should, Source: replicationSettings, ReadsOnly: true, Run: roomForAnotherConsumer,
		},
		{
			ID:         "settings/standby-not-smaller",
			Obligation: "The standby must not have less room than the primary for what it has to track during replay.",
			Level:      Must, Source: administrators, ReadsOnly: true, Run: standbyNotSmaller,
		},
	}, settingsCommandChecks(), settingsMemoryChecks(), settingsScopeChecks())
}

// settingsAdvice is good practice that the recipe is known not to follow.
func settingsAdvice() []Check {
	return []Check{
		{
			ID:         "settings/feedback-on-standby",
			Obligation: "hot_standby_feedback should be set where it has an effect, on the standby, so that VACUUM does not cancel its queries.",
			Level:      Should, Source: `PostgreSQL documentation, "Hot Standby", "Handling Query Conflicts"`, ReadsOnly: true, Run: feedbackOnStandby,
		},
		{
			ID:         "settings/same-command-line",
			Obligation: "What the primary's command line sets should hold on the standby too, which may have to take its place.",
			Level:      Should, Source: administrators, Needs: Needs{Operator: true}, Run: sameCommandLine,
		},
		{
			ID:         "settings/rewind-possible",
			Obligation: "A cluster should have data checksums or wal_log_hints, so that pg_rewind can bring a failed primary back.",
			Level:      Should, Source: `PostgreSQL documentation, "pg_rewind"`, ReadsOnly: true, Run: rewindPossible,
		},
	}
}

const replicationSettings = `PostgreSQL documentation, "Replication"`

// setting reads a run-time parameter as SHOW prints it.
func (c *C) setting(node *pair.Node, name string) string {
	value, err := node.Setting(c.Context(), name)
	if err != nil {
		c.Fatalf("read %s of %s: %v", name, node.Name(), err)
	}
	return value
}

func settingsForStreaming(c *C) {
	must := func(node *pair.Node, name string, good ...string) {
		if value := c.setting(node, name); !slices.Contains(good, value) {
			c.Errorf("%s: %s is %s, must be one of %v", node.Name(), name, value, good)
		}
	}
	must(c.Pair().Primary, "wal_level", "replica", "logical")
	for _, standby := range c.Pair().Standbys {
		must(standby, "hot_standby", "on")
	}
	for _, node := range c.Pair().Nodes() {
		must(node, "fsync", "on")
		must(node, "full_page_writes", "on")
	}
}

// room is what is left of a limit.
type room struct {
	Limit int32 `db:"limit"`
	Used  int32 `db:"used"`
}

const (
	senderRoomSQL = `
SELECT current_setting('max_wal_senders')::int AS limit, count(*)::int AS used FROM pg_stat_replication`
	slotRoomSQL = `
SELECT current_setting('max_replication_slots')::int AS limit, count(*)::int AS used FROM pg_replication_slots`
)

func roomForAnotherConsumer(c *C) {
	for _, row := range []struct {
		what, sql string
		spare     int32
	}{
		{"max_wal_senders", senderRoomSQL, 2},
		{"max_replication_slots", slotRoomSQL, 1},
	} {
		room, err := pair.OneRow[room](c.Context(), c.Pair().Primary, row.sql)
		if err != nil {
			c.Fatalf("look up %s: %v", row.what, err)
		}
		if room.Limit-room.Used < row.spare {
			c.Errorf("%s is %d and %d are in use, must leave %d", row.what, room.Limit, room.Used, row.spare)
		}
	}
}

// trackedSettings are what replay needs on the standby at least as large as
// on the primary: it stops when they are not.
func trackedSettings() []string {
	return []string{
		"max_connections", "max_worker_processes", "max_wal_senders",
		"max_prepared_transactions", "max_locks_per_transaction",
	}
}

func standbyNotSmaller(c *C) {
	for _, name := range trackedSettings() {
		size := func(node *pair.Node) (value int) {
			text := c.setting(node, name)
			if _, err := fmt.Sscan(text, &value); err != nil {
				c.Fatalf("read %s of %s: %q: %v", name, node.Name(), text, err)
			}
			return value
		}
		primary := size(c.Pair().Primary)
		for _, standby := range c.Pair().Standbys {
			if own := size(standby); own < primary {
				c.Errorf("%s is %d on %s and %d on the primary, must not be less", name, own, standby.Name(), primary)
			}
		}
	}
}

func feedbackOnStandby(c *C) {
	for _, standby := range c.Pair().Standbys {
		if value := c.setting(standby, "hot_standby_feedback"); value != "on" {
			c.Errorf("hot_standby_feedback is %s on %s", value, standby.Name())
		}
	}
}

func rewindPossible(c *C) {
	for _, node := range c.Pair().Nodes() {
		checksums, hints := c.setting(node, "data_checksums"), c.setting(node, "wal_log_hints")
		if checksums != "on" && hints != "on" {
			c.Errorf("%s: data_checksums is %s and wal_log_hints is %s, one of them should be on", node.Name(), checksums, hints)
		}
	}
}
