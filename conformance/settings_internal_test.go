package conformance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandSettings(t *testing.T) {
	for command, want := range map[string][]commandSetting{
		"postgres -c wal_level=replica -c hot_standby=on": {{"wal_level", "replica"}, {"hot_standby", "on"}},
		"postgres -cfsync=off --work-mem=8MB":             {{"fsync", "off"}, {"work_mem", "8MB"}},
		"/usr/lib/postgresql/15/bin/postgres -c a=1":      {{"a", "1"}},
		"-c a=1":                        {{"a", "1"}}, // the image puts postgres in front
		"postgres -c a=1 -c b=2 -c a=3": {{"a", "3"}, {"b", "2"}},
		"postgres -c a=b=c":             {{"a", "b=c"}},
		"postgres":                      nil,
		"postgres -c":                   nil,
		"postgres -D /data -N 10":       nil,
		"bash -c a=1":                   nil,
		"":                              nil,
	} {
		require.Equal(t, want, commandSettings(strings.Fields(command)), command)
	}
}

func TestHeldSettingEquals(t *testing.T) {
	boolean := heldSetting{Setting: "on", Type: "bool", Shown: "on"}
	buffers := heldSetting{Setting: "16384", Unit: "8kB", Type: "integer", Shown: "128MB"}
	timeout := heldSetting{Setting: "60000", Unit: "ms", Type: "integer", Shown: "1min"}
	level := heldSetting{Setting: "replica", Type: "enum", Shown: "replica"}
	plain := heldSetting{Setting: "10", Type: "integer", Shown: "10"}
	factor := heldSetting{Setting: "0.5", Type: "real", Shown: "0.5"}
	text := heldSetting{Setting: "walreceiver", Type: "string", Shown: "walreceiver"}
	for _, row := range []struct {
		held    heldSetting
		written string
		equal   bool
	}{
		{boolean, "on", true},
		{boolean, "TRUE", true},
		{boolean, "y", true},
		{boolean, "1", true},
		{boolean, "off", false},
		{boolean, "0", false},
		{boolean, "o", false},
		{boolean, "maybe", false},
		{buffers, "128MB", true},
		{buffers, "131072kB", true},
		{buffers, "16384", true},
		{buffers, "0.125GB", true},
		{buffers, "64MB", false},
		{buffers, "128 MB", true},
		{buffers, "128s", false},
		{buffers, "MB", false},
		{timeout, "60s", true},
		{timeout, "1min", true},
		{timeout, "60000", true},
		{timeout, "60", false},
		{timeout, "60kB", false},
		{level, "replica", true},
		{level, "REPLICA", true},
		{level, "logical", false},
		{plain, "10", true},
		{plain, "11", false},
		{plain, "10kB", false},
		{factor, "0.5", true},
		{factor, "0.50", true},
		{factor, "5", false},
		{text, "walreceiver", true},
		{text, "WalReceiver", false},
	} {
		require.Equal(t, row.equal, row.held.equals(row.written), "%+v and %q", row.held, row.written)
	}
}
