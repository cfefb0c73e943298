package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

func TestWrongUsage(t *testing.T) {
	for name, arguments := range map[string][]string{
		"another word": {"list"}, "nothing to remove": {"rm"}, "a flag": {"-all"},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorIs(t, run(t.Context(), arguments, t.Output()), errUsage) })
	}
}

func TestHelpIsNoError(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-h"}, &out))
	assert.Equal(t, "usage: pairtemplates [rm KEY... | rm all]\n", out.String())
}

func TestTemplatesAreListedAndRemoved(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a container")
	}
	engine, err := stack.Open(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	const key = "pairtemplates-test"
	keep := func() {
		t.Helper()
		running, err := engine.Up(t.Context(), stack.Options{Files: []string{"../../stack/testdata/sleeper.yml"}, Name: "templates"})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, running.Discard(context.WithoutCancel(t.Context()))) })
		require.NoError(t, running.Keep(t.Context(), key, ""))
		t.Cleanup(func() { require.NoError(t, engine.RemoveTemplate(context.WithoutCancel(t.Context()), key)) })
	}
	told := func(arguments ...string) string {
		t.Helper()
		var out strings.Builder
		require.NoError(t, run(t.Context(), arguments, &out))
		return out.String()
	}
	keep()
	assert.Regexp(t, `(?m)^KEY +AGE +STATE$`, told())
	assert.Regexp(t, `(?m)^`+key+` +\d+s +complete$`, told())

	err = run(t.Context(), []string{"rm", "no-such-template"}, t.Output())
	require.ErrorIs(t, err, stack.ErrNoTemplate)
	require.ErrorContains(t, err, "no-such-template")

	assert.Equal(t, "removed "+key+"\n", told("rm", key))
	assert.NotContains(t, told(), key)

	// All of those that were listed, which here is this test's own only.
	keep()
	template, err := engine.Template(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, remove(t.Context(), engine, []stack.Template{template}, []string{"all"}, t.Output()))
	assert.NotContains(t, told(), key)
}
