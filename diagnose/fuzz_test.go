package diagnose

import (
	"strings"
	"testing"
	"time"
)

// FuzzLine gives lines of any content to the parser and to the rules.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		"", "\r\n", "ERROR:  ", "psql: error: ", ": : :", "\xff\x00 FATAL:  x",
		`2026-01-02 03:04:05.678 UTC [42] FATAL:  password authentication failed for user "replicator"`,
		`2026-01-02 03:04:05.678 UTC [42] DETAIL:  Role "replicator" does not exist.`,
		`waiting for server to start....2026-01-02 03:04:05.678 UTC [42] LOG:  starting PostgreSQL 15.8`,
		`2026-01-02 03:04:05.678 UTC [42] STATEMENT:  ALTER ROLE r PASSWORD 's3cret'`,
		`psql:/docker-entrypoint-initdb.d/00_init.sql:3: ERROR:  syntax error at or near "SELEC"`,
		`pg_basebackup: error: connection to server at "primary" (172.18.0.2), port 5432 failed: FATAL:  no pg_hba.conf entry for replication connection from host "172.18.0.3", user "replicator", no encryption`,
		`pg_basebackup: error: could not connect with postgres://replicator:s3cret@primary/`,
		`/docker-entrypoint-initdb.d/10_setup.sh: line 3: frobnicate: command not found`,
		`Password: pg_basebackup: error: connection to server failed: fe_sendauth: no password supplied`,
		`FATAL:  replication slot "` + strings.Repeat("x", 200) + `" does not exist`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		parsed := parse(line)
		if !strings.Contains(line, parsed.text) {
			t.Fatalf("message %q is not of line %q", parsed.text, line)
		}
		if strings.ToLower(parsed.level) != parsed.level && strings.ToUpper(parsed.level) != parsed.level {
			t.Fatalf("severity %q is of no server and of no client", parsed.level)
		}
		at := time.Unix(1, 0)
		container := Container{State: "exited", ExitCode: 1, Started: at}
		found := Of(&Evidence{At: at, Servers: []Server{
			{Service: Service{Name: "standby", Environment: map[string]string{"PGPASSWORD": "s3cret"}, Container: container}, Log: []Line{{At: at, Text: line}}},
		}})
		if found.ID == "" || found.Cause == "" || found.Cure == "" || len(found.LastErrors) != 1 {
			t.Fatalf("no diagnosis of %q: %+v", line, found)
		}
		if text := found.Text(); strings.Contains(text, "s3cret") {
			t.Fatalf("the password is in the diagnosis of %q: %s", line, text)
		}
	})
}
