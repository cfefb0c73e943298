package conformance

import (
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// slotChecks is the chapter "slot": the replication slot is there, it is the
// standby's, it keeps what the standby needs, and it says no where it must.
func slotChecks() []Check {
	return slices.Concat(
		slotUseChecks(),
		slotKeepChecks(),
		slotErrorChecks(),
		slotProtocolChecks(),
	)
}

// slotOf gives the slot on the primary that a standby streams through. A
// standby without one skips the check: slot/used-by-standby tells of it.
func (c *C) slotOf(standby *pair.Node) pair.Slot {
	name := c.streamTo(standby).receiver.SlotName
	if name == "" {
		c.Skipf("%s streams without a replication slot", standby.Name())
	}
	return c.slotNamed(c.Pair().Primary, name)
}

// slotNamed gives a slot that must exist.
func (c *C) slotNamed(node *pair.Node, name string) pair.Slot {
	slots := c.slots(node)
	for _, slot := range slots {
		if slot.Name == name {
			return slot
		}
	}
	c.Fatalf("%s has no replication slot %q; it has %+v", node.Name(), name, slots)
	return pair.Slot{}
}
