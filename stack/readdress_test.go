package stack_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

func TestServiceComesBackAtAnotherAddress(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{two}, Name: "readdress", Isolatable: true})
	before, left := state(t, running, "one"), leftovers(t, running)
	require.Len(t, before.Addresses, 1, "the network that is there to watch does not count")

	require.NoError(t, running.Readdress(t.Context(), "one"))

	after := state(t, running, "one")
	assert.Equal(t, "running", after.State)
	assert.NotEqual(t, before.Addresses, after.Addresses)
	assert.True(t, after.Started.After(before.Started))
	eventually(t, func() bool { return reaches(t, running, "two", "one") }, "its name leads to the new address")
	assert.Equal(t, left, leftovers(t, running), "the placeholder is gone")
}

func leftovers(t *testing.T, running *stack.Stack) []string {
	t.Helper()
	found, err := running.Leftovers(t.Context())
	require.NoError(t, err)
	return found
}
