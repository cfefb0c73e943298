package diagnose_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

var update = flag.Bool("update", false, "write golden texts and generated documents anew")

// recorded reads the evidence of a start that was recorded by conformance/live
// from the broken recipe of that name, or written after PostgreSQL's sources
// where no recipe can make the mistake with one image. Its log is shortened.
func recorded(t *testing.T, path string) *diagnose.Evidence {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	evidence := &diagnose.Evidence{}
	require.NoError(t, json.Unmarshal(text, evidence))
	return evidence
}

func recordings(t *testing.T, folder string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	found := map[string]string{}
	for _, path := range paths {
		found[strings.TrimSuffix(filepath.Base(path), ".json")] = path
	}
	return found
}

// all is what is said of evidence: the diagnosis and the advice.
func all(evidence *diagnose.Evidence) []diagnose.Diagnosis {
	return append([]diagnose.Diagnosis{*diagnose.Of(evidence)}, diagnose.Advise(evidence)...)
}

// TestRecordedMistakesAreNamed holds each diagnosis to its text.
func TestRecordedMistakesAreNamed(t *testing.T) {
	for name, path := range recordings(t, "mistakes") {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			for _, diagnosis := range all(recorded(t, path)) {
				text.WriteString(diagnosis.Text())
				assert.NotContains(t, diagnosis.Cause+diagnosis.Cure, "?", "a name is missing")
			}
			golden := strings.TrimSuffix(path, ".json") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(text.String()), 0o644))
			}
			written, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(written), text.String(), "renew it with: go test ./diagnose -update")
			assert.True(t, name == "not-a-pair" || strings.Contains("\n"+text.String(), "\n"+name+"\n"), "the mistake is not named:\n%s", &text)
			for _, secret := range []string{"replicator_password", "replicator-password", "s3cret"} {
				assert.NotContains(t, text.String(), secret)
			}
		})
	}
}

// TestEveryMistakeIsRecorded keeps rules from being added without evidence.
func TestEveryMistakeIsRecorded(t *testing.T) {
	found := recordings(t, "mistakes")
	for _, mistake := range diagnose.Mistakes() {
		assert.NotEmpty(t, found[mistake.ID], "testdata/mistakes has no evidence of %s", mistake.ID)
	}
}

// TestHealthyStartIsNeverGivenUp replays starts that came to be pairs, line by
// line: no state on the way may count as hopeless.
func TestHealthyStartIsNeverGivenUp(t *testing.T) {
	for name, path := range recordings(t, "healthy") {
		t.Run(name, func(t *testing.T) {
			whole := recorded(t, path)
			moments := 0
			for _, server := range whole.Servers {
				for _, line := range server.Log {
					evidence := until(whole, line.At)
					found := diagnose.Of(evidence)
					require.False(t, found.Conclusive, "after %q:\n%s", line.Text, found.Text())
					moments++
				}
			}
			require.Greater(t, moments, 10)
			found := diagnose.Of(whole)
			assert.False(t, found.Conclusive, found.Text())
		})
	}
}

// until is what was known at an earlier moment: a server answers from its last
// line on.
func until(whole *diagnose.Evidence, at time.Time) *diagnose.Evidence {
	evidence := *whole
	evidence.At = at
	evidence.Servers = nil
	for _, server := range whole.Servers {
		var log []diagnose.Line
		for _, line := range server.Log {
			if !line.At.After(at) {
				log = append(log, line)
			}
		}
		if len(log) < len(server.Log) {
			server.Answer = nil
		}
		server.Log = log
		evidence.Servers = append(evidence.Servers, server)
	}
	return &evidence
}

// TestLostNameMayComeBack tells names that can never be resolved from those of
// a network that both servers are on.
func TestLostNameMayComeBack(t *testing.T) {
	found := recordings(t, "mistakes")
	assert.True(t, diagnose.Of(recorded(t, found["networks-apart"])).Conclusive)
	assert.False(t, diagnose.Of(recorded(t, found["name-not-resolved"])).Conclusive)
}

// TestNoEvidenceIsNoProof is what is known before there is anything.
func TestNoEvidenceIsNoProof(t *testing.T) {
	found := diagnose.Of(&diagnose.Evidence{})
	assert.Equal(t, "not-a-pair", found.ID)
	assert.False(t, found.Conclusive)
	assert.Empty(t, diagnose.Advise(&diagnose.Evidence{}))
}

func login(count int, others ...diagnose.Service) *diagnose.Evidence {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	standby := diagnose.Server{Service: diagnose.Service{Name: "standby", Container: diagnose.Container{State: "running", Started: began}}}
	for i := range count {
		standby.Log = append(standby.Log, diagnose.Line{
			At: began.Add(time.Duration(i+1) * time.Second), Text: `pg_basebackup: error: connection to server at "primary" (10.0.0.2), port 5432 failed: ` +
				`FATAL:  password authentication failed for user "replicator"`,
		})
	}
	return &diagnose.Evidence{
		At: began.Add(time.Duration(count+1) * time.Second), Others: others,
		Servers: []diagnose.Server{{Service: diagnose.Service{Name: "primary"}, Answer: &diagnose.Answer{}}, standby},
	}
}

// TestRefusalIsConclusiveOnlyWhenNothingCanCureIt walks the edge between a
// standby that came early and one that will never be let in.
func TestRefusalIsConclusiveOnlyWhenNothingCanCureIt(t *testing.T) {
	setup := diagnose.Service{Name: "setup", Command: []string{"psql", "-f", "roles.sql"}, Container: diagnose.Container{State: "running"}}
	done := setup
	done.Container.State = "exited"
	later := login(2)
	later.At = later.At.Add(time.Minute)
	for name, test := range map[string]struct {
		evidence   *diagnose.Evidence
		conclusive bool
	}{
		"refused once":                                 {login(1), false},
		"refused again":                                {login(2), true},
		"refused again, long ago":                      {later, false},
		"refused again, while a service sets up":       {login(2, setup), false},
		"refused again, after a service has set up":    {login(2, done), true},
		"refused for ever, while a service sets up":    {login(15, setup), true},
		"refused again, beside a service of no matter": {login(2, diagnose.Service{Name: "web", Command: []string{"nginx"}}), true},
	} {
		t.Run(name, func(t *testing.T) {
			found := diagnose.Of(test.evidence)
			assert.Equal(t, "wrong-password", found.ID)
			assert.Equal(t, test.conclusive, found.Conclusive)
		})
	}
}
