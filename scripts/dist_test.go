package scripts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bill is what is looked at of a CycloneDX bill of materials.
//
// Source: CycloneDX specification, JSON.
type bill struct {
	Format     string `json:"bomFormat"`
	Components []struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		URL     string `json:"purl"`
	} `json:"components"`
}

// What is shipped says what it is made of: the modules of the packages that it
// imports, and no others.
func TestDistListsWhatItLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("builds for other systems")
	}
	folder := t.TempDir()
	command{root(t), nil, []string{"scripts/dist.sh", folder, "linux-amd64", "darwin-arm64"}}.mustRun(t)
	for _, platform := range []string{"linux-amd64", "darwin-arm64"} {
		t.Run(platform, func(t *testing.T) {
			program := filepath.Join(folder, "conformance-"+platform)
			text, err := os.ReadFile(program + ".cdx.json")
			require.NoError(t, err)
			var listed bill
			require.NoError(t, json.Unmarshal(text, &listed))
			assert.Equal(t, "CycloneDX", listed.Format)
			var modules []string
			for _, one := range listed.Components {
				if one.Name == "std" { // Go's own library is no module
					continue
				}
				modules = append(modules, one.Name+"@"+one.Version)
				assert.True(t, strings.HasPrefix(one.URL, "pkg:golang/"+strings.ToLower(one.Name)+"@"), one.URL)
			}
			slices.Sort(modules)
			assert.Equal(t, linked(t, platform), modules)
		})
	}
	sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	require.NoError(t, err)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 5, "two programs, two bills, the sums")
	for _, file := range files {
		if file.Name() == "SHA256SUMS" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, file.Name()))
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		assert.Contains(t, string(sums), hex.EncodeToString(sum[:])+"  "+file.Name()+"\n")
	}
}

// linked are the modules of the packages that the command imports on a platform.
func linked(t *testing.T, platform string) (modules []string) {
	t.Helper()
	system, processor, _ := strings.Cut(platform, "-")
	said := command{
		root(t),
		[]string{"GOOS=" + system, "GOARCH=" + processor, "CGO_ENABLED=0"},
		[]string{"go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}", "./cmd/conformance"},
	}.mustRun(t)
	for line := range bytes.Lines([]byte(said)) {
		if module := strings.TrimSpace(string(line)); module != "" {
			modules = append(modules, module)
		}
	}
	slices.Sort(modules)
	return slices.Compact(modules)
}
