package stack_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// hears says whether service two gets the other's word over a link within a
// number of seconds, and how long that took.
func hears(t *testing.T, running *stack.Stack, link *stack.Link, patience string) (ok bool, took time.Duration) {
	t.Helper()
	began := time.Now()
	ended, err := running.Exec(t.Context(), "two", nil, "timeout", patience, "bash", "-c",
		`exec 3<>"/dev/tcp/$0/$1" && head -c 5 <&3`, link.Host(), strconv.Itoa(int(link.Port())))
	require.NoError(t, err)
	return strings.TrimSpace(ended.Stdout) == "hello", time.Since(began)
}

func TestLinkCanBeSlowAndCut(t *testing.T) {
	running := up(t, open(t), stack.Options{Files: []string{two}, Name: "link", Isolatable: true})
	eventually(t, func() bool { return reaches(t, running, "two", "one") }, "one listens")
	link, err := running.Link(t.Context(), "two", "one", 5432)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, link.Close())
		require.NoError(t, link.Close(), "closing twice is safe")
	})
	assert.NotEqual(t, "0.0.0.0", link.Host())
	ok, fast := hears(t, running, link, "5")
	require.True(t, ok)

	const delay = 500 * time.Millisecond
	link.Delay(delay)
	ok, took := hears(t, running, link, "5")
	assert.True(t, ok)
	assert.Greater(t, took, delay, "without delay it took %s", fast)

	link.Delay(0)
	link.Throttle(5)
	ok, took = hears(t, running, link, "5")
	assert.True(t, ok)
	assert.Greater(t, took, time.Second, "6 bytes at 5 a second")

	link.Cut()
	ok, _ = hears(t, running, link, "1")
	assert.False(t, ok)

	link.Mend()
	link.Mend()
	ok, _ = hears(t, running, link, "5")
	assert.True(t, ok, "mending twice is safe")

	require.NoError(t, running.Restart(t.Context(), "one"))
	eventually(t, func() bool { ok, _ := hears(t, running, link, "5"); return ok }, "the link finds the new port")
}

func TestLinkSaysWhyItCannotBeHad(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{"testdata/no-network.yml"}, Name: "alone"})
	_, err := running.Link(t.Context(), "alone", "alone", 5432)
	require.ErrorIs(t, err, stack.ErrUnreachable)
	require.ErrorContains(t, err, "host.docker.internal")

	_, err = running.Link(t.Context(), "nobody", "alone", 5432)
	require.ErrorIs(t, err, stack.ErrNoContainer)
	_, err = running.Link(t.Context(), "alone", "nobody", 5432)
	require.ErrorIs(t, err, stack.ErrNoContainer)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = running.Link(ctx, "alone", "alone", 5432)
	require.ErrorIs(t, err, context.Canceled)
}
