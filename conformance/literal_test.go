package conformance_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// literalChecks are those that only this project's own recipe can meet: they
// extend the chapter "recipe".
func literalChecks() []conformance.Check {
	return []conformance.Check{
		{
			ID:         "recipe/literal-bytes",
			Obligation: "The recipe's two files must be the published ones, byte for byte.",
			Level:      conformance.Must,
			Source:     "the recipe",
			Run:        literalBytes,
		},
		{
			ID:         "recipe/literal-model",
			Obligation: "Compose must read the recipe as one primary and one standby with the published images, ports, volumes, environment and commands.",
			Level:      conformance.Must,
			Source:     "the recipe; compose specification",
			Run:        literalModel,
		},
	}
}

func literalBytes(c *conformance.C) {
	for name, want := range map[string]string{
		"00_init.sql":        "5dbaf47056016c50a96c4685b9a0964d792aa9f9251c6d16c2a0c0ed51f34fcc",
		"docker-compose.yml": "35b8773afd164ffb9aac52519c5a10741283eb2ac7b20cb20937865f06a28432",
	} {
		content, err := os.ReadFile(filepath.Join("..", "docker", name))
		require.NoError(c, err)
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != want {
			c.Errorf("docker/%s has the SHA-256 sum %s, must be %s", name, got, want)
		}
	}
}

func literalModel(c *conformance.C) {
	model, err := stack.Load(c.Context(), recipeFile)
	require.NoError(c, err)
	initScript, err := filepath.Abs("../docker/00_init.sql")
	require.NoError(c, err)
	want := stack.Model{
		Volumes:  []string{"master_data", "slave_data"},
		Networks: []string{"default"},
		Services: map[string]stack.Service{
			"postgres_master": {
				Name:  "postgres_master",
				Image: "postgres:15.8",
				User:  "postgres",
				Command: []string{
					"postgres", "-c", "wal_level=replica", "-c", "hot_standby=on", "-c", "max_wal_senders=10",
					"-c", "max_replication_slots=10", "-c", "hot_standby_feedback=on",
				},
				Environment: map[string]string{
					"POSTGRES_DB": "mydatabase", "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "postgres",
					// The line break is real: it makes the second part a line of pg_hba.conf.
					"POSTGRES_HOST_AUTH_METHOD": "scram-sha-256\nhost replication all 0.0.0.0/0 md5",
					"POSTGRES_INITDB_ARGS":      "--auth-host=scram-sha-256",
				},
				Networks: []string{"default"},
				Ports:    []stack.Port{{Published: "5432", Target: 5432, Protocol: "tcp"}},
				Mounts: []stack.Mount{
					{Type: "bind", Source: initScript, Target: "/docker-entrypoint-initdb.d/00_init.sql"},
					{Type: "volume", Source: "master_data", Target: "/var/lib/postgresql/data"},
				},
				Volumes: []string{"master_data"},
			},
			"postgres_slave": {
				Name:  "postgres_slave",
				Image: "postgres:15.8",
				User:  "postgres",
				Command: []string{"bash", "-c", `
until pg_basebackup --pgdata=/var/lib/postgresql/data -R --slot=replication_slot --host=postgres_master --port=5432
do
echo 'Waiting for primary to connect...'
sleep 1s
done
echo 'Backup done, starting replica...'
chmod 0700 /var/lib/postgresql/data
postgres
`},
				Environment: map[string]string{
					"POSTGRES_DB": "mydatabase", "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "postgres",
					"PGUSER": "replicator", "PGPASSWORD": "replicator_password",
				},
				Ports:     []stack.Port{{Published: "5433", Target: 5432, Protocol: "tcp"}},
				Mounts:    []stack.Mount{{Type: "volume", Source: "slave_data", Target: "/var/lib/postgresql/data"}},
				Volumes:   []string{"slave_data"},
				Networks:  []string{"default"},
				DependsOn: []string{"postgres_master"},
			},
		},
	}
	require.Equal(c, want, model, "the resolved model")
}
