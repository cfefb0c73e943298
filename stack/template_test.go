package stack_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// A template is a copy of the volumes with which later stacks begin, owners and
// modes included. It outlives what it was made of, and is no leftover.
func TestTemplate(t *testing.T) {
	engine := open(t)
	const key, note = "stack-test", `{"note": "of the maker"}`
	t.Cleanup(func() { assert.NoError(t, engine.RemoveTemplate(context.WithoutCancel(t.Context()), key)) })

	first := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "first"})
	run := func(on *stack.Stack, script string) string {
		t.Helper()
		ended, err := on.Exec(t.Context(), "sleeper", nil, "bash", "-c", script)
		require.NoError(t, err)
		require.Zero(t, ended.ExitCode, ended.Stderr)
		return strings.TrimSpace(ended.Stdout)
	}
	run(first, `echo kept >/data/file && chown 999:998 /data /data/file && chmod 0700 /data && chmod 0640 /data/file`)
	require.NoError(t, first.StopAll(t.Context()))
	require.NoError(t, first.Keep(t.Context(), key, note))
	require.NoError(t, first.Down(t.Context()))
	left, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	require.Empty(t, left)

	template, err := engine.Template(t.Context(), key)
	require.NoError(t, err)
	assert.JSONEq(t, note, template.Note)
	assert.False(t, template.Created.IsZero())

	second := up(t, engine, stack.Options{
		Files: []string{sleeper}, Name: "second", Template: key,
		Commands: map[string][]string{"sleeper": {"instead"}},
	})
	const look = `cat /data/file && stat -c '%u %g %a' /data /data/file`
	assert.Equal(t, "kept\n999 998 700\n999 998 640", run(second, look))
	state, err := second.Inspect(t.Context(), "sleeper")
	require.NoError(t, err)
	assert.Equal(t, []string{"instead"}, state.Command)

	run(second, `echo changed >/data/file`)
	third := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "third", Template: key})
	assert.Equal(t, "kept", run(third, `cat /data/file`), "each has a copy")

	require.NoError(t, second.Recreate(t.Context(), "sleeper", true))
	assert.Empty(t, run(second, `ls /data`), "a new volume is an empty one")
	state, err = second.Inspect(t.Context(), "sleeper")
	require.NoError(t, err)
	assert.Empty(t, state.Command, "its own command")

	require.NoError(t, engine.RemoveTemplate(t.Context(), key))
	_, err = engine.Up(t.Context(), stack.Options{Files: []string{sleeper}, Name: "fourth", Template: key})
	require.ErrorIs(t, err, stack.ErrNoTemplate)
}

// A stack that could not begin with its template begins with it the next time.
func TestTemplateThatIsThereLater(t *testing.T) {
	engine := open(t)
	const key = "stack-test-later"
	t.Cleanup(func() { assert.NoError(t, engine.RemoveTemplate(context.WithoutCancel(t.Context()), key)) })
	early, err := engine.Prepare(t.Context(), stack.Options{Files: []string{sleeper}, Name: "early", Template: key})
	require.NoError(t, err)
	require.ErrorIs(t, early.Up(t.Context()), stack.ErrNoTemplate)

	maker := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "maker"})
	_, err = maker.Exec(t.Context(), "sleeper", nil, "touch", "/data/file")
	require.NoError(t, err)
	require.NoError(t, maker.StopAll(t.Context()))
	require.NoError(t, maker.Keep(t.Context(), key, ""))

	require.NoError(t, early.Up(t.Context()))
	found, err := early.Exec(t.Context(), "sleeper", nil, "ls", "/data")
	require.NoError(t, err)
	assert.Equal(t, "file", strings.TrimSpace(found.Stdout))
	require.NoError(t, early.Discard(t.Context()))

	require.NoError(t, maker.Discard(t.Context()))
	require.ErrorIs(t, maker.Keep(t.Context(), key, ""), stack.ErrNoContainer, "nothing is left to copy with")
	all, err := engine.Templates(t.Context())
	require.NoError(t, err)
	for _, one := range all {
		assert.NotEqual(t, key, one.Key, "no half of it is kept")
	}
}
