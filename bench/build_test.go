package bench_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
)

func measureBuild(t *testing.T, record *bench.Record) {
	record.Method = []string{
		"`go test -c ./conformance`, with everything in the build cache: when nothing has changed, and when a file of the package has.",
		"Sizes with symbols. `cmd/conformance` holds the suite without Docker and without the compose SDK: what `conformance.test` has beyond it is the SDK's share, and a little of our own. `packages` are those that are linked.",
	}
	out := t.TempDir()
	test := filepath.Join(out, "conformance.test")
	build(t, nil, "test", "-c", "-o", test, "./conformance") // fills the cache
	const rounds = 3                                         // it compares nothing, and takes long
	for round := range min(*pairs, rounds) {
		record.Add("warm, nothing changed", "s", build(t, nil, "test", "-c", "-o", test, "./conformance"))
		record.Add("warm, one file changed", "s", build(t, nil, "test", "-c", "-overlay", changed(t, round), "-o", test, "./conformance"))
	}
	if *cold {
		cache := []string{"GOCACHE=" + t.TempDir()}
		record.Add("cold", "s", build(t, cache, "test", "-c", "-o", test, "./conformance"))
	}
	attach := filepath.Join(out, "conformance")
	build(t, nil, "build", "-o", attach, "./cmd/conformance")
	with, without := size(t, test), size(t, attach)
	record.Add("conformance.test", "MB", with)
	record.Add("cmd/conformance", "MB", without)
	record.Add("share of the compose SDK", "%", 100*(with-without)/with)
	record.Add("conformance.test, packages", "", linked(t, "-test", "./conformance"))
	record.Add("cmd/conformance, packages", "", linked(t, "./cmd/conformance"))
}

// build runs the go command in the project's module, and tells the seconds.
func build(t *testing.T, environment []string, arguments ...string) float64 {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", arguments...)
	command.Dir = ".."
	command.Env = append(os.Environ(), environment...)
	began := time.Now()
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	return time.Since(began).Seconds()
}

// changed is an overlay in which the package conformance has a line more, which
// it had in no round before. The working tree is left alone.
func changed(t *testing.T, round int) string {
	t.Helper()
	folder := t.TempDir()
	original, err := filepath.Abs("../conformance/doc.go")
	require.NoError(t, err)
	content, err := os.ReadFile(original)
	require.NoError(t, err)
	content = fmt.Appendf(content, "\nconst _ = \"round %d, %d\"\n", round, time.Now().UnixNano())
	replacement := filepath.Join(folder, "doc.go")
	require.NoError(t, os.WriteFile(replacement, content, 0o600))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	require.NoError(t, err)
	path := filepath.Join(folder, "overlay.json")
	require.NoError(t, os.WriteFile(path, overlay, 0o600))
	return path
}

func size(t *testing.T, path string) float64 {
	t.Helper()
	found, err := os.Stat(path)
	require.NoError(t, err)
	return float64(found.Size()) / megabyte
}

func linked(t *testing.T, arguments ...string) float64 {
	t.Helper()
	return float64(len(strings.Fields(said(t, "go", append([]string{"-C", "..", "list", "-deps"}, arguments...)...))))
}
