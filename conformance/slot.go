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

// slotOf gives the slot that a standby streams through, on the node that it
// streams from. A
// standby without one skips the check: slot/used-by-standby tells of it.
func (c *C) slotOf(standby *pair.Node) pair.Slot {
	stream := c.streamTo(standby)
	if stream.receiver.SlotName == "" {
		c.Skipf("%s streams without a replication slot", standby.Name())
	}
	return c.slotNamed(stream.upstream, stream.receiver.SlotName)
}

// followers are the standbys that stream from the primary itself.
func (c *C) followers() []*pair.Node {
	return slices.DeleteFunc(slices.Clone(c.Pair().Standbys), func(standby *pair.Node) bool {
		return c.streamTo(standby).upstream != c.Pair().Primary
	})
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
