package pairtest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
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

func TestStandbysThatListenToTheirCommand(t *testing.T) {
	own := stack.Service{Entrypoint: []string{"bash", "/clone.sh"}}
	assert.True(t, listens(stack.Service{}, false), "the image's entrypoint")
	assert.True(t, listens(own, true), "the hardened overlay's")
	assert.False(t, listens(own, false))
}
