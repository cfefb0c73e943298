package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// withoutEnvironment hides what would stand in for flags.
func withoutEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"CONFORMANCE_PRIMARY_DSN", "CONFORMANCE_STANDBY_DSN", "CONFORMANCE_REPLICATOR_USER", "CONFORMANCE_REPLICATOR_PASSWORD",
		"CONFORMANCE_PROFILE", "CONFORMANCE_CHECKS", "PGHOST", "PGSERVICE",
	} {
		t.Setenv(name, "")
	}
}

// People who attach to a server of theirs need no container engine, and the
// binary for them carries none.
func TestAttachPathLinksNoContainerEngine(t *testing.T) {
	for _, path := range []string{".", "../../conformance/attach"} {
		listed, err := exec.CommandContext(t.Context(), "go", "list", "-deps", path).Output()
		require.NoError(t, err)
		assert.Contains(t, string(listed), "github.com/jackc/pgx/v5\n", "%s: the list must be one of dependencies", path)
		for _, engine := range []string{"github.com/docker/", "github.com/compose-spec/", "github.com/containerd/", "github.com/moby/"} {
			assert.NotContains(t, string(listed), engine, path)
		}
	}
}

func TestListForPeople(t *testing.T) {
	withoutEnvironment(t)
	var out bytes.Buffer
	code, err := do([]string{"-list", "-checks", "slot/used-by-standby,lag"}, &out, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, delivery.ExitPassed, code)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.Regexp(t, `^slot/used-by-standby +must +reads only, statistics +Each standby must stream`, lines[0])
	assert.Len(t, lines, 9)
}

func TestListForPrograms(t *testing.T) {
	withoutEnvironment(t)
	var out bytes.Buffer
	_, err := do([]string{"-list", "-json", "-profile", "all"}, &out, &bytes.Buffer{})
	require.NoError(t, err)
	var listed []struct {
		ID       string `json:"id"`
		Chapter  string `json:"chapter"`
		Operator bool   `json:"needs_operator"`
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &listed))
	require.Len(t, listed, len(conformance.All()))
	for i, check := range conformance.All() {
		assert.Equal(t, check.ID, listed[i].ID)
		assert.Equal(t, check.Chapter(), listed[i].Chapter)
		assert.Equal(t, check.Needs.Operator, listed[i].Operator)
	}
}

// What is wrong with the arguments alone is told before any server is asked.
func TestWrongArguments(t *testing.T) {
	withoutEnvironment(t)
	servers := []string{"-primary-dsn", "host=a", "-standby-dsn", "host=b"}
	for name, test := range map[string]struct {
		arguments []string
		is        error
		says      string
	}{
		"no primary":       {nil, errUsage, "name the primary by -primary-dsn, $CONFORMANCE_PRIMARY_DSN, $PGHOST or $PGSERVICE"},
		"no standby":       {[]string{"-primary-dsn", "host=a"}, errUsage, "name at least one standby"},
		"no such flag":     {[]string{"-primary", "host=a"}, errUsage, "flag provided but not defined: -primary"},
		"a word too many":  {append(servers, "now"), errUsage, `nothing to do with "now"`},
		"JSON of a run":    {append(servers, "-json"), errUsage, "-json is for -list"},
		"a list of a run":  {[]string{"-list", "-write-deviations", "x"}, errUsage, "-list runs no check"},
		"two intentions":   {append(servers, "-read-only", "-exclusive"), errUsage, "-read-only changes nothing, so -exclusive has nothing to allow"},
		"no role":          {append(servers, "-replicator-password-file", "x"), errUsage, "-replicator-password-file needs -replicator-user"},
		"no password file": {append(servers, "-replicator-user", "r", "-replicator-password-file", "absent"), nil, "open absent: no such file"},
		"no factor":        {append(servers, "-timeout", "0"), errUsage, "-timeout 0 is no factor"},
		"no such profile":  {append(servers, "-profile", "most"), conformance.ErrSelection, "the profiles are core, usual, faults, all"},
		"no such check":    {append(servers, "-checks", "slot/usedby-standby"), conformance.ErrSelection, "near it: slot/used-by-standby"},
		"no deviations":    {append(servers, "-deviations", "testdata/empty.yml"), conformance.ErrDeviations, "it is empty"},
		"a stale list":     {append(servers, "-deviations", "testdata/stale.yml"), conformance.ErrDeviations, "no such check: slot/of-old"},
		"a list to keep":   {append(servers, "-write-deviations", "testdata/stale.yml"), errUsage, "testdata/stale.yml is there already"},
		"a torn URL":       {[]string{"-primary-dsn", "postgres://u:12/Pl4nted@h/d", "-standby-dsn", "host=b"}, attach.ErrConnectionString, "written as %40"},
		"a half password":  {[]string{"-primary-dsn", "postgres://u:12#Pl4nted@h/d", "-standby-dsn", "host=b"}, attach.ErrConnectionString, "written as %40"},
		"half an escape":   {[]string{"-primary-dsn", "postgres://u:Pl4nted%zz@h/d", "-standby-dsn", "host=b"}, attach.ErrConnectionString, "written as %40"},
		"no keyword":       {[]string{"-primary-dsn", "Pl4nted", "-standby-dsn", "host=b"}, attach.ErrConnectionString, "want a URL"},
		"an open quote":    {[]string{"-primary-dsn", "host=a password='Pl4nted", "-standby-dsn", "host=b"}, attach.ErrConnectionString, "want a URL"},
		"a wrong setting":  {[]string{"-primary-dsn", "host=a password=Pl4nted sslmode=maybe", "-standby-dsn", "host=b"}, attach.ErrConnectionString, "sslmode is invalid"},
		"no such service":  {[]string{"-primary-dsn", "service=absent servicefile=testdata/empty.yml", "-standby-dsn", "host=b"}, attach.ErrConnectionString, "unable to find service"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "reports")
			var out bytes.Buffer
			code, err := do(append([]string{"-out", folder}, test.arguments...), &out, &out)
			assert.Equal(t, delivery.ExitBroken, code)
			require.ErrorContains(t, err, test.says)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			assert.NotContains(t, err.Error(), "nted", "a password")
			assert.Empty(t, out.String())
			assert.NoDirExists(t, folder)
		})
	}
}

func TestEnvironmentStandsInForFlags(t *testing.T) {
	given := map[string]string{
		"CONFORMANCE_STANDBY_DSN": "host=b password=x\nhost=c\n", "PGHOST": "a",
		"CONFORMANCE_REPLICATOR_USER": "r", "CONFORMANCE_REPLICATOR_PASSWORD": "s", "CONFORMANCE_CHECKS": "slot/not-cloned",
	}
	read, err := read(nil, func(name string) string { return given[name] }, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, attach.Options{
		Standbys: []string{"host=b password=x", "host=c"}, Replicator: conformance.Replicator{Role: "r", Password: "s"},
	}, read.servers)
	assert.Equal(t, "core", read.profile)
	assert.Len(t, read.checks, 1)
}

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	given := map[string]string{
		"CONFORMANCE_PRIMARY_DSN": "host=x", "CONFORMANCE_STANDBY_DSN": "host=y", "CONFORMANCE_REPLICATOR_USER": "x",
	}
	read, err := read([]string{"-primary-dsn", "host=a", "-standby-dsn", "host=b", "-replicator-user", "r"},
		func(name string) string { return given[name] }, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, attach.Options{
		Primary: "host=a", Standbys: []string{"host=b"}, Replicator: conformance.Replicator{Role: "r"},
	}, read.servers)
}

// What people paste into a shell does no more than the run that it is from.
func TestCommandToRunAgainHasTheSameRights(t *testing.T) {
	withoutEnvironment(t)
	for name, test := range map[string]struct {
		arguments []string
		want      string
	}{
		"connection strings are left out": {
			[]string{"-primary-dsn", "host=a password=x", "-standby-dsn", "host=b", "-standby-dsn", "host=c"},
			"conformance -profile core -checks slot/named -primary-dsn … -standby-dsn … -standby-dsn …",
		},
		"read-only": {
			[]string{"-primary-dsn", "host=a", "-standby-dsn", "host=b", "-read-only", "-profile", "all", "-checks", "slot"},
			"conformance -profile all -checks slot/named -primary-dsn … -read-only -standby-dsn …",
		},
		"all others, for the shell": {
			[]string{"-primary-dsn", "host=a", "-standby-dsn", "host=b", "-exclusive", "-replicator-user", "o'r", "-timeout", "3", "-write-deviations", "absent", "-read-only=false"},
			`conformance -profile core -checks slot/named -exclusive -primary-dsn … -replicator-user 'o'\''r' -standby-dsn … -timeout '3'`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			read, err := read(test.arguments, os.Getenv, &bytes.Buffer{})
			require.NoError(t, err)
			assert.Equal(t, test.want, again(read, conformance.Check{ID: "slot/named"}))
		})
	}
}

func TestListOfNothingIsNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "known.yml")
	var said bytes.Buffer
	require.NoError(t, adopt(path, nil, &said))
	assert.Equal(t, "conformance: nothing failed: there is no deviation to write down\n", said.String())
	assert.NoFileExists(t, path)
}

// Its output ends up in logs.
func TestHelpHidesTheEnvironment(t *testing.T) {
	for _, name := range []string{"CONFORMANCE_PRIMARY_DSN", "CONFORMANCE_STANDBY_DSN", "CONFORMANCE_REPLICATOR_USER", "CONFORMANCE_REPLICATOR_PASSWORD"} {
		t.Setenv(name, "Pl4nted")
	}
	var help bytes.Buffer
	_, err := do([]string{"-help"}, &bytes.Buffer{}, &help)
	require.NoError(t, err)
	assert.NotContains(t, help.String(), "Pl4nted")
	for _, name := range []string{"$CONFORMANCE_PRIMARY_DSN", "$CONFORMANCE_STANDBY_DSN", "$CONFORMANCE_REPLICATOR_USER", "$CONFORMANCE_REPLICATOR_PASSWORD"} {
		assert.Contains(t, help.String(), name)
	}
}

func TestHelpIsNoError(t *testing.T) {
	withoutEnvironment(t)
	var help bytes.Buffer
	code, err := do([]string{"-help"}, &bytes.Buffer{}, &help)
	require.NoError(t, err)
	assert.Equal(t, delivery.ExitPassed, code)
	assert.Contains(t, help.String(), "-standby-dsn")
}
