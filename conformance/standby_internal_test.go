package conformance

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestStatementJudge(t *testing.T) {
	readOnly := fmt.Errorf("exec: %w", &pgconn.PgError{Code: "25006", Message: "read-only"})
	broken := errors.New("connection reset")
	for name, row := range map[string]struct {
		statement statement
		sent      int
		value     string
		err       error
		wrong     string // a part of the complaint, empty for none
	}{
		"refused as wanted":          {refused("25006", "A"), 1, "", readOnly, ""},
		"refused with another state": {refused("0A000", "A"), 1, "", readOnly, "must fail with SQLSTATE 0A000"},
		"refused without a state":    {refused("25006", "A"), 1, "", broken, "must fail with SQLSTATE 25006"},
		"not refused":                {refused("25006", "A"), 1, "", nil, "succeeded, must fail"},
		"refused too early":          {refused("25006", "A", "B"), 1, "", readOnly, "before the statement in question"},
		"refused at the last":        {refused("25006", "A", "B"), 2, "", readOnly, ""},
		"allowed":                    {allowed("A", "B"), 2, "1", nil, ""},
		"allowed but failed":         {allowed("A"), 1, "", readOnly, "must succeed"},
		"allowed but stopped early":  {allowed("A", "B"), 1, "", readOnly, "before the statement in question"},
		"right answer":               {answers("1", "A"), 1, "1", nil, ""},
		"wrong answer":               {answers("1", "A"), 1, "2", nil, `answers "2", must answer "1"`},
		"no answer":                  {answers("1", "A"), 1, "", nil, `answers "", must answer "1"`},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := row.statement.judge(row.sent, row.value, row.err)
			if row.wrong == "" {
				require.Empty(t, wrong)
				return
			}
			require.Contains(t, wrong, row.wrong)
		})
	}
}

func TestStatementVersions(t *testing.T) {
	row := allowed("A").from(150008).upTo15()
	require.False(t, row.holdsFor(150007))
	require.True(t, row.holdsFor(150008))
	require.True(t, row.holdsFor(159999))
	require.False(t, row.holdsFor(160000))
	require.True(t, allowed("A").holdsFor(130000))
	require.False(t, allowed("A").from(160000).holdsFor(150020))
}

func TestLogicalSlotRows(t *testing.T) {
	for name, test := range map[string]struct {
		here, there string // wal_level
		state       map[int]string
	}{
		"logical nowhere":             {"replica", "replica", map[int]string{150008: "55000", 160000: "55000"}},
		"logical on the primary only": {"replica", "logical", map[int]string{150008: "55000", 160000: "55000"}},
		"logical on the standby only": {"logical", "replica", map[int]string{150008: "0A000", 160000: "55000"}},
		"logical on both":             {"logical", "logical", map[int]string{150008: "0A000"}}, // from 16 on it works
	} {
		t.Run(name, func(t *testing.T) {
			states := map[int]string{}
			for _, version := range []int{150008, 160000} {
				for _, row := range logicalSlotRows(test.here, test.there) {
					if row.holdsFor(version) {
						require.NotContains(t, states, version, "one answer a version")
						states[version] = row.state
					}
				}
			}
			require.Equal(t, test.state, states)
		})
	}
}

func TestPlanFind(t *testing.T) {
	leaf := map[string]any{"Node Type": "Sort", "Sort Space Type": "Disk"}
	top := plan{"Node Type": "Limit", "Plans": []any{map[string]any{"Node Type": "Result"}, leaf}}
	require.Equal(t, "Disk", top.find("Sort Space Type"))
	require.Equal(t, "Limit", top.find("Node Type"))
	require.Nil(t, top.find("Hash Batches"))
}

func TestWithObject(t *testing.T) {
	rows := withObject(42, allowed("BEGIN", "SELECT lo_get(OBJECT)"), refused("XX000", "SELECT lo_put(OBJECT, 0, 'x')"))
	require.Equal(t, []string{"BEGIN", "SELECT lo_get(42)"}, rows[0].sql)
	require.Equal(t, []string{"SELECT lo_put(42, 0, 'x')"}, rows[1].sql)
}
