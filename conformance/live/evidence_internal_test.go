package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func TestJournalTakesEachLineOnceAndHearsRepetitionOnceAWhile(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(milliseconds int, text string) diagnose.Line {
		return diagnose.Line{At: began.Add(time.Duration(milliseconds) * time.Millisecond), Text: text}
	}
	var read journal
	for _, line := range []diagnose.Line{
		at(0, "one"), at(0, "one"), at(10, "two"), at(20, "two"), at(30, "two"), at(40, "one"), at(50, "two"), at(160, "two"), at(10, "two"),
	} {
		read.add(line)
	}
	assert.Equal(t, []diagnose.Line{at(0, "one"), at(10, "two"), at(40, "one"), at(50, "two"), at(160, "two")}, read.lines)
	assert.Equal(t, began.Add(160*time.Millisecond), read.read)
}

func TestMissingFactIsTheOneThatTheWaitWasFor(t *testing.T) {
	notReady := &pair.NotReadyError{Node: "standby", Fact: "standby answers", Since: time.Second, Last: pair.ErrNoFact, Cause: context.DeadlineExceeded}
	for name, test := range map[string]struct {
		cause  error
		server string
		fact   string
		since  time.Duration
	}{
		"a server's":      {fmt.Errorf("wait: %w", notReady), "standby", "standby answers", time.Second},
		"two primaries":   {&pair.TwoPrimariesError{}, "", "one server takes writes, the others are in recovery", time.Minute},
		"no primary":      {pair.ErrNoPrimary, "", "a server takes writes", time.Minute},
		"no standby":      {pair.ErrNoStandby, "", "a server is in recovery", time.Minute},
		"two clusters":    {pair.ErrOtherCluster, "", "the servers are of one cluster", time.Minute},
		"nothing started": {errors.Join(errNotStarted, context.DeadlineExceeded), "", diagnose.NotStarted, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			found := missing(time.Minute, test.cause)
			assert.Equal(t, diagnose.Missing{Server: test.server, Fact: test.fact, Since: test.since}, found)
		})
	}
}

// TestMountedTextsAreScriptsNotData reads what a recipe mounts.
func TestMountedTextsAreScriptsNotData(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, content []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	write("node.sh", []byte("exec postgres\n"))
	write("image.bin", []byte{0xff, 0xfe})
	write("dump.sql", make([]byte, fileLimit+1))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "data"), 0o700))

	script := diagnose.File{Path: "/etc/scripts/node.sh", Text: "exec postgres\n"}
	assert.Equal(t, []diagnose.File{script}, texts(folder, "/etc/scripts"))
	assert.Equal(t, []diagnose.File{script}, texts(filepath.Join(folder, "node.sh"), "/etc/scripts/node.sh"))
	assert.Empty(t, texts(filepath.Join(folder, "none"), "/etc/scripts"))
}

// A recipe may mount a dump of any size.
func TestTextsLeavesOutWhatIsLarge(t *testing.T) {
	folder := t.TempDir()
	script, dump := filepath.Join(folder, "init.sql"), filepath.Join(folder, "dump.sql")
	require.NoError(t, os.WriteFile(script, []byte("SELECT 1"), 0o600))
	require.NoError(t, os.WriteFile(dump, nil, 0o600))
	const large = 64 << 20
	require.NoError(t, os.Truncate(dump, large))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	assert.Empty(t, texts(dump, "/dump.sql"))
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(large), "it is not read")
	assert.Equal(t, []diagnose.File{{Path: "/initdb/init.sql", Text: "SELECT 1"}}, texts(folder, "/initdb"))
}
