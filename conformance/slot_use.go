package conformance

import (
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func slotUseChecks() []Check {
	return []Check{
		{
			ID:         "slot/used-by-standby",
			Obligation: "Each standby must stream through a replication slot of its own, named by its primary_slot_name and held by its WAL sender.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "Querying and Manipulating Replication Slots", "pg_replication_slots"`,
			Needs:      Needs{Statistics: true},
			ReadsOnly:  true,
			Run:        usedByStandby,
		},
		{
			ID:         "slot/physical-and-permanent",
			Obligation: "A standby's slot must be a physical one that outlives its connection.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "pg_replication_slots"`,
			Needs:      Needs{Statistics: true},
			ReadsOnly:  true,
			Run:        physicalAndPermanent,
		},
		{
			ID:         "slot/created-by-init",
			Obligation: "A standby's slot should exist before the primary listens on TCP, so that no standby ever finds it missing.",
			Level:      Should,
			Needs:      Needs{Operator: true, Superuser: true},
			Source:     `the recipe; PostgreSQL documentation, "Replication Slots"`,
			Run:        createdByInit,
		},
		{
			ID:         "slot/not-cloned",
			Obligation: "A base backup must not carry the slot over: the standby must not hold WAL for itself.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "Making a Base Backup Using the Low Level API"`,
			Needs:      Needs{Statistics: true},
			ReadsOnly:  true,
			Run:        notCloned,
		},
	}
}

const primarySlotNameSQL = `SELECT current_setting('primary_slot_name')`

func usedByStandby(c *C) {
	holders := map[string]*pair.Node{}
	for _, standby := range c.Pair().Standbys {
		stream := c.streamTo(standby)
		name := stream.receiver.SlotName
		if name == "" {
			c.Errorf("%s streams without a replication slot: nothing keeps the WAL that it has yet to receive", standby.Name())
			continue
		}
		held := stream.upstream.Name() + " " + name
		if other := holders[held]; other != nil {
			c.Errorf("%s and %s both claim slot %q", other.Name(), standby.Name(), name)
		}
		holders[held] = standby
		if wanted := ask[string](c, standby, primarySlotNameSQL); wanted != name {
			c.Errorf("%s streams through slot %q, its primary_slot_name is %q", standby.Name(), name, wanted)
		}
		slot := c.slotNamed(stream.upstream, name)
		if !slot.Active || slot.ActivePID == nil || *slot.ActivePID != stream.sender.PID {
			c.Errorf("slot %q must be held by WAL sender %d of %s: active %t, active_pid %s",
				name, stream.sender.PID, standby.Name(), slot.Active, describePID(slot.ActivePID))
		}
	}
}

func describePID(pid *int32) string {
	if pid == nil {
		return "NULL"
	}
	return strconv.Itoa(int(*pid))
}

func physicalAndPermanent(c *C) {
	for _, standby := range c.Pair().Standbys {
		if slot := c.slotOf(standby); slot.Type != "physical" || slot.Temporary {
			c.Errorf("slot %q of %s: slot_type %s, temporary %t; must be physical and not temporary",
				slot.Name, standby.Name(), slot.Type, slot.Temporary)
		}
	}
}

func createdByInit(c *C) {
	primary := c.Pair().Primary
	_, entries := c.serverLog(primary)
	var listening *logEntry
	for _, start := range serverStarts(entries) {
		if listening = start.tcp; listening != nil {
			break
		}
	}
	if listening == nil {
		c.Skipf("log of %s does not say when it began to listen on TCP", primary.Name())
	}
	open := c.moment(primary, *listening)
	directory := ask[string](c, primary, dataDirectorySQL)
	for _, standby := range c.followers() { // init scripts run on the primary
		slot := c.slotOf(standby)
		// The state file is rewritten at every checkpoint; its directory is born with the slot.
		seen := c.beside(primary, "stat", "-c", "%.3W", path.Join(directory, "pg_replslot", slot.Name))
		if seen.ExitCode != 0 {
			c.Fatalf("%s: look at the directory of slot %q: exit code %d: %s",
				primary.Name(), slot.Name, seen.ExitCode, strings.TrimSpace(seen.Stderr))
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(seen.Stdout), 64)
		if err != nil || seconds <= 0 {
			c.Skipf("file system of %s does not tell when a directory was made (stat says %q)", primary.Name(), strings.TrimSpace(seen.Stdout))
		}
		if born := time.UnixMilli(int64(seconds * 1000)); !born.Before(open) {
			c.Errorf("slot %q of %s was made at %s, %s after %s began to listen on TCP", slot.Name, standby.Name(),
				born.UTC().Format(time.RFC3339Nano), born.Sub(open), primary.Name())
		}
	}
}

func notCloned(c *C) {
	for _, standby := range c.Pair().Standbys {
		used := c.slotOf(standby)
		for _, slot := range c.slots(standby) {
			if slot.Name == used.Name {
				c.Errorf("%s has slot %q of its own, by which it streams from %s: %+v",
					standby.Name(), slot.Name, c.Pair().Primary.Name(), slot)
			}
		}
	}
}
