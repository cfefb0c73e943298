package live_test

import (
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// mistakes says how many of the broken recipes run. The environment gives the
// default, so that a run of all packages can be told as well.
var mistakes = flag.String("mistakes", os.Getenv("LIVE_MISTAKES"), "all, or the quick ones when empty")

const (
	mistakeLimit = 2 * time.Minute
	// diagnosisLimit is what a diagnosis may take once its proof is in a log.
	diagnosisLimit = 3 * time.Second
	// takenPort is the one that testdata/mistakes/port-taken publishes.
	takenPort = "127.0.0.1:25432"
)

// mistake is a broken recipe: the folder of testdata/mistakes that has the
// diagnosis's id for its name.
type mistake struct {
	quick     bool   // runs by default
	cause     string // what the diagnosis must say
	cure      string
	factProof bool // a fact proves it, not a log line
}

// known are the recipes that do not become a pair.
var known = map[string]mistake{
	"backup-failure-ignored":   {cause: "standby went on after pg_basebackup had failed", cure: "|| true", factProof: true},
	"backup-not-repeated":      {quick: true, cause: "before primary took connections", cure: "until pg_basebackup"},
	"command-not-runnable":     {cause: "/clone.sh", cure: "chmod +x", factProof: true},
	"crlf-script":              {cause: "script of standby", cure: "Unix line ends"},
	"data-directory-mode":      {cause: "standby refuses its data directory", cure: "chmod 0700"},
	"directory-not-empty":      {cause: "standby makes its base backup at every start", cure: "PG_VERSION"},
	"half-made-backup":         {cause: "standby starts on a base backup that was cut off", cure: "rename it"},
	"host-is-itself":           {cause: "standby connects to localhost", cure: "--host=primary"},
	"image-missing":            {quick: true, cause: "postgres:15.8-no-such-tag", cure: "docker pull postgres:15.8-no-such-tag", factProof: true},
	"init-file-is-a-directory": {cause: "init file that primary mounts", cure: "the path on the left"},
	"init-script-failed":       {quick: true, cause: "/docker-entrypoint-initdb.d/00_init.sql", cure: "docker compose down -v"},
	"listens-on-loopback":      {cause: "primary listens on its own loopback only", cure: "listen_addresses"},
	"literal-newline-in-hba":   {quick: true, cause: `scram-sha-256\nhost`, cure: "double quotes"},
	"networks-apart":           {cause: "standby cannot resolve primary", cure: "networks:"},
	"no-hba-line":              {cause: "pg_hba.conf of primary", cure: "host replication all all scram-sha-256"},
	"no-password":              {cause: "standby logs in to primary without a password", cure: "PGPASSWORD"},
	"no-slot":                  {cause: "replication_slot, which nobody made on primary", cure: "pg_create_physical_replication_slot('replication_slot')"},
	"no-such-role":             {cause: "as repl", cure: "CREATE ROLE repl"},
	"no-wal-senders":           {cause: "max_wal_senders", cure: "max_wal_senders=10"},
	"no-write-recovery-conf":   {cause: "standby is a copy of primary", cure: "-R", factProof: true},
	"other-cluster":            {cause: "standby are of another cluster than those of primary", cure: "Remove the volume of standby"},
	"password-prompt":          {cause: "pg_basebackup in standby is called with -W", cure: "Remove -W", factProof: true},
	"port-taken":               {cause: "port 25432", cure: "docker ps --filter publish=25432", factProof: true},
	"recovery-conf":            {cause: "standby finds a recovery.conf", cure: "pg_basebackup with -R"},
	"role-not-replication":     {cause: "REPLICATION", cure: "ALTER ROLE"},
	"root-owned-data":          {cause: "data directory of standby", cure: "user: postgres"},
	"server-as-root":           {cause: "command of standby runs as root", cure: "user: postgres"},
	"settings-too-small":       {cause: "smaller than on primary", cure: "max_connections"},
	"slot-exists":              {cause: "standby makes the replication slot replication_slot at every try", cure: "--slot=replication_slot alone"},
	"slot-in-use":              {cause: "use the same replication slot replication_slot", cure: "replication_slot_2"},
	"standby-mode":             {cause: "standby is given standby_mode", cure: "standby.signal"},
	"trust":                    {cause: "trust", cure: "scram-sha-256"},
	"two-primaries":            {cause: "two clusters that know nothing of each other", cure: "pg_basebackup -R", factProof: true},
	"wal-level-minimal":        {cause: "primary has wal_level = minimal", cure: "wal_level=replica"},
	"wrong-host":               {cause: "standby connects to postgres_master", cure: "--host=primary"},
	"wrong-password":           {quick: true, cause: "standby logs in to primary as replicator with a password", cure: "ALTER ROLE replicator PASSWORD"},
	"wrong-port":               {cause: "at port 5433", cure: "the port 5432"},
	"wrong-slot":               {cause: "standby asks for the replication slot standby_slot; primary has replication_slot", cure: "Use one name"},
}

// TestMistakes runs a recipe for each of the commonest mistakes, two at once:
// the mistake must be named, with cause and cure, within 3 s of the log line
// that proves it, and nothing may be left of it. By default the quick ones run;
// all of them, some minutes, run with
//
//	go test ./conformance/live -v -run TestMistakes -args -mistakes all
//	LIVE_MISTAKES=all make verify
func TestMistakes(t *testing.T) {
	const atOnce = 2
	free := make(chan struct{}, atOnce)
	for name, mistake := range known {
		t.Run(name, func(t *testing.T) {
			if !mistake.quick && *mistakes != "all" {
				t.Skip("not among the quick ones; -args -mistakes all runs it")
			}
			t.Parallel()
			free <- struct{}{}
			defer func() { <-free }()
			testMistake(t, name, mistake)
		})
	}
}

func testMistake(t *testing.T, name string, mistake mistake) {
	options := stack.Options{Files: []string{"testdata/mistakes/" + name + "/docker-compose.yml"}, Name: name}
	if name == "port-taken" {
		holder, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", takenPort)
		require.NoError(t, err)
		defer func() { assert.NoError(t, holder.Close()) }()
		options.LiteralPorts = true
	}
	engine := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), mistakeLimit)
	defer cancel()
	_, _, err := live.Start(ctx, engine, options)
	ended := time.Now()

	var failure *live.StartError
	require.ErrorAs(t, err, &failure)
	found := failure.Diagnosis
	require.Equal(t, name, found.ID, "%v", failure)
	assert.Contains(t, found.Cause, mistake.cause)
	assert.Contains(t, found.Cure, mistake.cure)
	assert.True(t, found.Conclusive, "it is said at once, not at the deadline:\n%v", failure)
	assert.NotEmpty(t, found.Missing)
	for _, password := range []string{"replicator_password", "replicator-password"} {
		assert.NotContains(t, failure.Error(), password)
	}
	if !mistake.factProof {
		require.False(t, found.Proved.IsZero(), "no log line proves it:\n%v", failure)
		t.Logf("diagnosed %s after its proof, returned after %s", found.At.Sub(found.Proved).Round(time.Millisecond), ended.Sub(found.Proved).Round(time.Millisecond))
		// The removal of the stack comes before the return, and is as slow as the engine.
		assert.LessOrEqual(t, found.At.Sub(found.Proved), diagnosisLimit)
	}
	left, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
}

// TestEveryMistakeIsTried keeps broken recipes from lying about untried.
func TestEveryMistakeIsTried(t *testing.T) {
	paths, err := filepath.Glob("testdata/mistakes/*/docker-compose.yml")
	require.NoError(t, err)
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		if name == "port-unpublished" {
			continue // a pair all the same: see package diagnose, Advise
		}
		assert.Contains(t, known, name)
	}
	require.Len(t, paths, len(known)+1)
}
