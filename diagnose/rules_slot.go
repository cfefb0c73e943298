package diagnose

import (
	"regexp"
	"strings"
)

// slotRules are a standby that finds no slot, or not the WAL it needs.
var slotRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "slot-in-use", what: "two standbys use one slot",
		sees:  "`replication slot \"…\" is active for PID …`, again and again",
		cause: "{server} and {other} use the same replication slot {slot}, which serves one standby only",
		cure:  "Give each standby a slot of its own: `SELECT pg_create_physical_replication_slot('{slot}_2');` in the init script of {primary}, and --slot={slot}_2 for {server}.",
		log: saying{
			standby: true, any: []string{"is active for PID"},
			pattern: regexp.MustCompile(`(?:ERROR|FATAL):\s+replication slot "(?P<slot>[^"]*)" is active for PID`),
		},
		// A standby that has just been restarted meets its own old WAL sender, for a while.
		when: func(scene *scene, found *match) bool {
			slot := found.values["slot"]
			for i := range scene.Servers {
				other := &scene.Servers[i]
				uses := scene.isStandby(other) && strings.Contains(other.script(), slot) || other.Answer != nil && other.Answer.SlotName == slot
				if other.Name != found.server.Name && uses {
					found.values["other"] = other.Name
					return true
				}
			}
			return false
		},
	},
	{
		id: "wrong-slot", what: "the standby names another slot than the one that was made",
		sees:  "`replication slot \"…\" does not exist`, while `pg_replication_slots` has another one",
		cause: "{server} asks for the replication slot {slot}; {primary} has {slots}",
		cure:  "Use one name: --slot (primary_slot_name) of {server}, pg_create_physical_replication_slot in the init script of {primary}.",
		log:   noSlot,
		when: func(scene *scene, found *match) bool {
			primary := scene.primary()
			if primary == nil || primary.Answer == nil || len(primary.Answer.Slots) == 0 {
				return false
			}
			found.values["slots"] = strings.Join(primary.Answer.Slots, ", ")
			return true
		},
	},
	{
		id: "no-slot", what: "nobody made the slot",
		sees:  "`replication slot \"…\" does not exist`, again and again",
		cause: "{server} asks for the replication slot {slot}, which nobody made on {primary}",
		cure:  "In an init script of {primary}: `SELECT pg_create_physical_replication_slot('{slot}');` then `docker compose down -v`, or run it by psql now. Or let pg_basebackup make it: --create-slot.",
		log:   noSlot,
	},
	{
		id: "slot-exists", what: "`--create-slot` meets a slot that is there",
		sees:  "`replication slot \"…\" already exists`, again and again",
		cause: "{server} makes the replication slot {slot} at every try, and it is there since the first",
		cure:  "Make the slot once, in an init script of {primary}, and call pg_basebackup with --slot={slot} alone; to go on now: `SELECT pg_drop_replication_slot('{slot}');`.",
		log: saying{
			standby: true, any: []string{"already exists"},
			pattern: regexp.MustCompile(`pg_basebackup: error: .*replication slot "(?P<slot>[^"]*)" already exists`),
		},
	},
	{
		id: "wal-gone", what: "the primary no longer has the WAL that the standby needs",
		sees:  "`requested WAL segment … has already been removed`, `can no longer get changes from replication slot`",
		cause: "{server} needs WAL that {primary} has removed",
		cure:  "Remove the volume of {server} and clone it anew; a replication slot, or wal_keep_size, keeps the WAL that a standby still needs.",
		log:   saying{standby: true, any: []string{"has already been removed", "can no longer get changes from replication slot"}},
	},
}

var noSlot = saying{ //nolint:gochecknoglobals // a constant
	standby: true, any: []string{`replication slot "`}, curable: true,
	pattern: regexp.MustCompile(`(?:ERROR|FATAL):\s+replication slot "(?P<slot>[^"]*)" does not exist`),
}
