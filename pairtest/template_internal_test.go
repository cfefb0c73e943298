package pairtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestServerCommand(t *testing.T) {
	for name, test := range map[string]struct {
		line string
		want []string
	}{
		"no argument": {"/usr/lib/postgresql/15/bin/postgres\n", []string{"postgres"}},
		"settings": {
			`/usr/lib/postgresql/15/bin/postgres "-c" "wal_level=replica" "-c" "search_path=a, b"` + "\n",
			[]string{"postgres", "-c", "wal_level=replica", "-c", "search_path=a, b"},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, serverCommand(test.line)) })
	}
}
