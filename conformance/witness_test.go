package conformance_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// witness keeps the log and the container's state of each server when a check
// turns red, where go test -artifacts asks for such files. No file holds a
// password.
type witness struct {
	t      *testing.T
	known  conformance.Deviations
	folder string // to which paths that are told are relative

	mutex   sync.Mutex
	secrets []string
}

// newWitness gives nil where nobody asks for artifacts.
func newWitness(t *testing.T, known conformance.Deviations) *witness {
	t.Helper()
	if flag.Lookup("test.artifacts").Value.String() != "true" {
		return nil
	}
	return &witness{t: t, known: known, folder: flag.Lookup("test.outputdir").Value.String()}
}

// learn takes in what no file of a target may hold.
func (w *witness) learn(target *conformance.Target) *conformance.Target {
	if w == nil {
		return target
	}
	secrets := secretsOf(w.t, target)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.secrets = append(w.secrets, secrets...)
	return target
}

// options makes it the witness of a run.
func (w *witness) options() []conformance.Option {
	if w == nil {
		return nil
	}
	return []conformance.Option{conformance.WithWitness(w.look)}
}

// look writes the files. Servers that cannot be seen are told of in them.
func (w *witness) look(ctx context.Context, check conformance.Check, target *conformance.Target) (note string) {
	if _, known := w.known[check.ID]; known || target.Operator == nil {
		return ""
	}
	folder := filepath.Join(w.t.ArtifactDir(), filepath.FromSlash(check.ID))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Sprintf("logs of servers are not kept: %v", err)
	}
	for _, node := range target.Pair.Nodes() {
		log, err := target.Operator.Logs(ctx, node.Name(), time.Time{})
		if err != nil {
			log = err.Error()
		}
		var state any
		state, err = target.Operator.Inspect(ctx, node.Name())
		if err != nil {
			state = err.Error()
		}
		told, err := json.MarshalIndent(state, "", "  ")
		if err != nil {
			told = []byte(err.Error())
		}
		for name, text := range map[string]string{".log": log, ".json": string(told)} {
			if err := os.WriteFile(filepath.Join(folder, node.Name()+name), []byte(w.hide(text)), 0o600); err != nil {
				return fmt.Sprintf("logs of servers are not kept: %v", err)
			}
		}
	}
	shown, err := filepath.Rel(w.folder, folder)
	if w.folder == "" || err != nil {
		shown = folder
	}
	return "logs and container states: " + shown
}

// hide masks passwords: those that are known, and what looks like one.
func (w *witness) hide(text string) string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, secret := range w.secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	var masked strings.Builder
	for line := range strings.Lines(text) {
		masked.WriteString(report.Mask(line))
	}
	return masked.String()
}

// secretsOf are the passwords of a target. One that is also the name of a role
// or database is no secret.
func secretsOf(t *testing.T, target *conformance.Target) (secrets []string) {
	t.Helper()
	add := func(password string, names ...string) {
		for _, name := range append(names, "") {
			if password == name {
				return
			}
		}
		secrets = append(secrets, password)
	}
	config, err := target.Pair.Primary.Config(t.Context())
	require.NoError(t, err)
	add(config.Password, config.User, config.Database)
	add(target.Replicator.Password, target.Replicator.Role)
	return secrets
}

// exposed is an operator whose containers show their passwords.
type exposed struct{ conformance.Operator }

func (exposed) Logs(context.Context, string, time.Time) (string, error) {
	return "LOG:  ready\nSTATEMENT:  CREATE ROLE r PASSWORD 'planted-by-form'\nplanted-superuser\n", nil
}

func (exposed) Inspect(context.Context, string) (conformance.Container, error) {
	return conformance.Container{State: "exited", ExitCode: 3, Env: map[string]string{"POSTGRES_PASSWORD": "planted-variable", "PGDATA": "/data"}}, nil
}

// What is kept of a failed check tells much, and no password.
func TestArtifactsHoldNoSecret(t *testing.T) {
	primary, err := pair.FromDSN("primary", "postgres://app:planted-superuser@nowhere/app")
	require.NoError(t, err)
	standby, err := pair.FromDSN("standby", "postgres://app:planted-superuser@nowhere/app")
	require.NoError(t, err)
	target := &conformance.Target{
		Operator: exposed{}, Replicator: conformance.Replicator{Role: "r", Password: "planted-replicator"},
		Pair: &pair.Pair{Primary: primary, Standbys: []*pair.Node{standby}},
	}
	w := &witness{t: t, known: conformance.Deviations{"crash/known": {}}, folder: t.ArtifactDir()}
	w.learn(target)
	assert.Equal(t, "logs and container states: crash/unknown", w.look(t.Context(), conformance.Check{ID: "crash/unknown"}, target))
	assert.Empty(t, w.look(t.Context(), conformance.Check{ID: "crash/known"}, target))
	assert.NoDirExists(t, filepath.Join(t.ArtifactDir(), "crash", "known"))
	for _, name := range []string{"primary", "standby"} {
		log, err := os.ReadFile(filepath.Join(t.ArtifactDir(), "crash", "unknown", name+".log"))
		require.NoError(t, err)
		assert.Equal(t, "LOG:  ready\nSTATEMENT:  CREATE ROLE r PASSWORD '***'\n***\n", string(log))
		text, err := os.ReadFile(filepath.Join(t.ArtifactDir(), "crash", "unknown", name+".json"))
		require.NoError(t, err)
		var state conformance.Container
		require.NoError(t, json.Unmarshal(text, &state))
		assert.Equal(t, "exited", state.State)
		assert.Equal(t, 3, state.ExitCode)
		assert.Equal(t, map[string]string{"POSTGRES_PASSWORD": "***", "PGDATA": "/data"}, state.Env)
	}
}
