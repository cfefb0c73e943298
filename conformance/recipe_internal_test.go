package conformance

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPublishedPortsClash(t *testing.T) {
	port := PublishedPort{HostAddress: "127.0.0.1", HostPort: 5432, Port: 5432}
	for name, test := range map[string]struct {
		other   PublishedPort
		clashes bool
	}{
		"the same":                      {PublishedPort{"127.0.0.1", 5432, 5433}, true},
		"all addresses":                 {PublishedPort{"", 5432, 5432}, true},
		"all addresses, written out":    {PublishedPort{"0.0.0.0", 5432, 5432}, true},
		"another address":               {PublishedPort{"127.0.0.2", 5432, 5432}, false},
		"another port":                  {PublishedPort{"127.0.0.1", 5433, 5432}, false},
		"another port of all addresses": {PublishedPort{"", 5433, 5432}, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.clashes, port.clashes(test.other))
			assert.Equal(t, test.clashes, test.other.clashes(port))
		})
	}
}

func TestMountOf(t *testing.T) {
	mounts := []Mount{{Target: "/var/lib/postgresql/", Outlives: "external volume a"}, {Target: "/var/lib/postgresql/data"}, {Target: "/srv", Outlives: "folder /b of the host"}}
	for directory, outlives := range map[string]string{
		"/var/lib/postgresql/data":      "",
		"/var/lib/postgresql/data/pg":   "",
		"/var/lib/postgresql/other":     "external volume a",
		"/var/lib/postgresql":           "external volume a",
		"/var/lib/postgresql-elsewhere": "",
		"/srv/15/main":                  "folder /b of the host",
		"/etc/postgresql":               "",
	} {
		assert.Equal(t, outlives, mountOf(mounts, directory).Outlives, directory)
		slices.Reverse(mounts) // the nearest one counts, not the last
		assert.Equal(t, outlives, mountOf(mounts, directory).Outlives, directory)
	}
	assert.Equal(t, "all", mountOf([]Mount{{Target: "/", Outlives: "all"}}, "/data").Outlives)
}
