package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWronglyCounted(t *testing.T) {
	t.Parallel()
	before := conflictCounts{Lock: 3, Snapshot: 1, All: 4}
	for name, row := range map[string]struct {
		after conflictCounts
		wrong string
	}{
		"as many as readers":       {conflictCounts{Lock: 5, Snapshot: 1, All: 6}, ""},
		"one counted twice":        {conflictCounts{Lock: 6, Snapshot: 1, All: 7}, ""},
		"too few":                  {conflictCounts{Lock: 4, Snapshot: 1, All: 5}, "confl_lock rose by 1, must rise by 2 at least"},
		"in another column":        {conflictCounts{Lock: 5, Snapshot: 2, All: 7}, "columns other than confl_lock rose by 1, must stand"},
		"sum without its part":     {conflictCounts{Lock: 5, Snapshot: 1, All: 4}, "conflicts of pg_stat_database rose by 0, its columns in pg_stat_database_conflicts by 2"},
		"statistics were thrown":   {conflictCounts{}, "confl_lock rose by -3, must rise by 2 at least"},
		"another column went back": {conflictCounts{Lock: 5, All: 5}, "columns other than confl_lock rose by -1, must stand"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, row.wrong, wronglyCounted(before, row.after, lockConflict, 2))
		})
	}
}

func TestConflictCountsOf(t *testing.T) {
	t.Parallel()
	counts := conflictCounts{Tablespace: 1, Lock: 2, Snapshot: 3, BufferPin: 4, Deadlock: 5, All: 15}
	for want, kind := range []conflictKind{tablespaceConflict, lockConflict, snapshotConflict, pinConflict, deadlockConflict} {
		require.Equal(t, int64(want+1), counts.of(kind), kind)
	}
	require.Equal(t, counts.All, counts.sum())
}

func TestConflictLogged(t *testing.T) {
	t.Parallel()
	const (
		waiting = `2026-01-02 03:04:05.678 UTC [31] LOG:  recovery still waiting after 127.123 ms: recovery conflict on snapshot
2026-01-02 03:04:05.678 UTC [31] DETAIL:  Conflicting process: 77.
2026-01-02 03:04:05.678 UTC [31] CONTEXT:  WAL redo at 0/3000060 for Heap2/PRUNE
`
		finished = `2026-01-02 03:04:06.678 UTC [31] LOG:  recovery finished waiting after 1017.001 ms: recovery conflict on snapshot
`
	)
	for name, row := range map[string]struct {
		log               string
		pid               uint32
		waiting, finished bool
	}{
		"both":                   {waiting + finished, 77, true, true},
		"another process":        {waiting + finished, 7, false, false},
		"still waiting":          {waiting, 77, true, false},
		"the end of another one": {finished + waiting, 77, true, false},
		"nothing":                {"", 77, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stillWaiting, over := conflictLogged(row.log, row.pid)
			require.Equal(t, [2]bool{row.waiting, row.finished}, [2]bool{stillWaiting, over})
		})
	}
}
