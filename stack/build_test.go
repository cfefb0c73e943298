package stack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const builtRecipe = `
services:
  one:
    build: .
    image: pms-test-author/one:mine
    command: sleep 60
    init: true
  two:
    image: pms-test-author/one:mine
    command: sleep 60
    init: true
    depends_on: [one]
  three:
    build: .
    command: sleep 60
    init: true
`

// builderVariable is set for the process that tests builds.
const builderVariable = "STACK_TEST_BUILDER"

func TestImagesAreBuiltUnderNamesOfTheRun(t *testing.T) {
	live(t)
	if os.Getenv(builderVariable) == "" {
		builder := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		builder.Env = append(os.Environ(), builderVariable+"=1")
		said, err := builder.CombinedOutput()
		require.NoError(t, err, "%s", said)
		return
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "compose.yml")
	require.NoError(t, os.WriteFile(file, []byte(builtRecipe), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte("FROM postgres:15.8\nRUN echo built >/built\n"), 0o600))
	model, err := stack.Load(t.Context(), file)
	require.NoError(t, err)
	assert.Equal(t, "postgres:15.8", model.Services["one"].Base)

	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{file}, Name: "built"})
	for _, service := range []string{"one", "two", "three"} {
		ended, err := running.Exec(t.Context(), service, nil, "cat", "/built")
		require.NoError(t, err)
		assert.Equal(t, "built", strings.TrimSpace(ended.Stdout), service)
	}
	again := up(t, engine, stack.Options{Files: []string{file}, Name: "again"})
	first, err := running.Inspect(t.Context(), "one")
	require.NoError(t, err)
	second, err := again.Inspect(t.Context(), "two")
	require.NoError(t, err)
	assert.Equal(t, first.ImageID, second.ImageID, "all stacks of a run share what was built")
	third, err := again.Inspect(t.Context(), "three")
	require.NoError(t, err)
	assert.Equal(t, first.ImageID, third.ImageID, "and so do services that are built alike")
	assert.Empty(t, imagesNamed(t, "pms-test-author/one"), "the author's tag is not the run's to give")

	fails := filepath.Join(t.TempDir(), "fails.yml")
	require.NoError(t, os.WriteFile(fails, []byte(`services: {one: {build: {dockerfile_inline: "FROM postgres:15.8\nRUN exit 7\n"}}}`), 0o600))
	_, err = engine.Up(t.Context(), stack.Options{Files: []string{fails}, Name: "fails"})
	require.ErrorContains(t, err, "exit 7")
	require.ErrorContains(t, err, "exit code: 7")

	require.NoError(t, engine.Close())
	require.Error(t, exec.CommandContext(t.Context(), "docker", "image", "inspect", first.ImageID).Run(), "it goes with the run")
}

// What a recipe builds is not there before, and nobody has to bring it.
func TestImagesThatAreBuiltAreNotMissing(t *testing.T) {
	engine := open(t)
	model := stack.Model{Services: map[string]stack.Service{
		"built":   {Image: "pms-test-author/no-such:mine", Built: true, Base: "postgres:15.8"},
		"unnamed": {Built: true},
		"there":   {Image: "postgres:15.8"},
		"pulled":  {Image: "pms-test-author/no-such:other"},
	}}
	missing, err := engine.MissingImages(t.Context(), model)
	require.NoError(t, err)
	assert.Equal(t, []string{"pms-test-author/no-such:other"}, missing)

	model.Services["tagged"] = stack.Service{Image: "postgres:15.8", Built: true}
	ids, err := engine.ImageIDs(t.Context(), model)
	require.NoError(t, err)
	assert.Len(t, ids, 1)
	assert.Contains(t, ids, "there")
}

func imagesNamed(t *testing.T, name string) string {
	t.Helper()
	listed, err := exec.CommandContext(t.Context(), "docker", "image", "ls", "--quiet", name).Output()
	require.NoError(t, err)
	return string(listed)
}
