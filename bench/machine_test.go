package bench_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
)

// machine says what the figures were taken on.
func machine(t *testing.T) []bench.Fact {
	t.Helper()
	return []bench.Fact{
		{Name: "Load average before", Value: inFile("/proc/loadavg", `^(\S+)`)},
		{Name: "Machine", Value: hardware()},
		{Name: "Engine", Value: said(t, "docker", "version", "--format", "Docker {{.Server.Version}}, API {{.Server.APIVersion}}, {{.Server.KernelVersion}}")},
		{Name: "Image", Value: image(t)},
		{Name: "Versions", Value: strings.Join([]string{
			"this project " + said(t, "git", "describe", "--always", "--dirty", "--exclude", "*"), runtime.Version(),
			"docker compose " + said(t, "docker", "compose", "version", "--short"), "testcontainers-go " + testcontainersVersion(t),
		}, ", ")},
	}
}

// hardware reads what Linux tells; elsewhere it says less.
func hardware() string {
	text := fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if model := inFile("/proc/cpuinfo", `model name\s*: (.*)`); model != "" {
		text += " of " + model
	}
	if memory := inFile("/proc/meminfo", `MemTotal:\s*(\d+) kB`); memory != "" {
		text += ", " + memory + " kB of memory"
	}
	return text
}

func inFile(path, pattern string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	found := regexp.MustCompile(pattern).FindSubmatch(content)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// image tells whether postgres:15.8 is the official image or the local stand-in.
func image(t *testing.T) string {
	t.Helper()
	format := `{{.Id}} {{index .Config.Labels "org.opencontainers.image.title"}}`
	id, title, _ := strings.Cut(said(t, "docker", "image", "inspect", "--format", format, "postgres:15.8"), " ")
	const short = 12
	text := "postgres:15.8 (" + strings.TrimPrefix(id, "sha256:")[:short] + ")"
	if title != "" {
		text += ": " + title
	}
	return text
}

func testcontainersVersion(t *testing.T) string {
	t.Helper()
	return inFile("peer/testcontainers/go.mod", `testcontainers-go/modules/compose (\S+)`)
}

// said gives what a command printed.
func said(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	require.NoError(t, err, "%s %v", name, arguments)
	return strings.TrimSpace(string(output))
}
