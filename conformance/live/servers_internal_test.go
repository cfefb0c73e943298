package live

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// recipe makes a model of services, which get their names from the keys.
func recipe(services map[string]stack.Service) stack.Model {
	model := stack.Model{Services: map[string]stack.Service{}}
	for name, service := range services {
		service.Name = name
		model.Services[name] = service
	}
	return model
}

func TestServersAreFoundByImageOrPort(t *testing.T) {
	published := []stack.Port{{Target: 5432}}
	model := recipe(map[string]stack.Service{
		"official":   {Image: "postgres:15.8"},
		"mirrored":   {Image: "registry.example:5000/library/postgres@sha256:00"},
		"bitnami":    {Image: "bitnami/postgresql:15"},
		"derived":    {Image: "timescale/timescaledb-ha:pg15"},
		"custom":     {Image: "mine/database", Ports: published},
		"unknown":    {Image: "mine/database"},
		"rest":       {Image: "postgrest/postgrest"},
		"pooler":     {Image: "edoburu/pgbouncer", Ports: published},
		"exporter":   {Image: "prometheuscommunity/postgres-exporter"},
		"pgadmin":    {Image: "dpage/pgadmin4"},
		"postgresql": {Image: "redis"}, // a name says nothing
	})
	names, err := Servers(model, Roles{})
	require.NoError(t, err)
	assert.Equal(t, []string{"bitnami", "custom", "derived", "mirrored", "official"}, names)

	_, err = Servers(model, Roles{Primary: "nobody"})
	require.ErrorIs(t, err, ErrNoServer)
	require.ErrorContains(t, err, "there is only bitnami, custom,")
	_, err = Servers(recipe(map[string]stack.Service{"web": {Image: "nginx"}}), Roles{})
	require.ErrorIs(t, err, ErrNoServer)
}

// A primary alone is no pair: who is named is a server whatever it looks like,
// and others are left alone only where a whole pair is named.
func TestNamedServersAreServers(t *testing.T) {
	model := recipe(map[string]stack.Service{
		"db1": {Image: "postgres:15.8"}, "db2": {Image: "postgres:15.8"}, "db3": {Image: "postgres:15.8"}, "own": {Image: "mine/database"}, "web": {Image: "nginx"},
	})
	for name, test := range map[string]struct {
		roles Roles
		want  []string
	}{
		"a primary":               {Roles{Primary: "db2"}, []string{"db2", "db1", "db3"}},
		"a standby":               {Roles{Standbys: []string{"own"}}, []string{"own", "db1", "db2", "db3"}},
		"a whole pair":            {Roles{Primary: "own", Standbys: []string{"db1"}}, []string{"own", "db1"}},
		"a primary, two standbys": {Roles{Primary: "db1", Standbys: []string{"db2", "own"}}, []string{"db1", "db2", "own"}},
		"nobody":                  {Roles{}, []string{"db1", "db2", "db3"}},
	} {
		t.Run(name, func(t *testing.T) {
			names, err := Servers(model, test.roles)
			require.NoError(t, err)
			assert.Equal(t, test.want, names)
		})
	}
}

func TestRolesAreCheckedWithWhoIsPrimary(t *testing.T) {
	require.NoError(t, Roles{}.check("db1"))
	require.NoError(t, Roles{Primary: "db1", Standbys: []string{"db2"}}.check("db1"))
	require.ErrorIs(t, Roles{Primary: "db2"}.check("db1"), ErrRoles)
	require.ErrorIs(t, Roles{Standbys: []string{"db1"}}.check("db1"), ErrRoles)
}

func TestServersListenWhereTheyAreTold(t *testing.T) {
	for name, test := range map[string]struct {
		service stack.Service
		want    uint16
	}{
		"by default":            {stack.Service{}, 5432},
		"-p":                    {stack.Service{Command: []string{"postgres", "-p", "5433"}}, 5433},
		"-p without a blank":    {stack.Service{Command: []string{"postgres", "-p5433"}}, 5433},
		"-c":                    {stack.Service{Command: []string{"postgres", "-c", "port=5434"}}, 5434},
		"--port":                {stack.Service{Command: []string{"postgres", "--port=5435"}}, 5435},
		"in a shell":            {stack.Service{Command: []string{"bash", "-c", "clone && exec postgres -p 5436"}}, 5436},
		"PGPORT":                {stack.Service{Environment: map[string]string{"PGPORT": "5437"}}, 5437},
		"bitnami":               {stack.Service{Environment: map[string]string{"POSTGRESQL_PORT_NUMBER": "5438"}}, 5438},
		"no number":             {stack.Service{Environment: map[string]string{"PGPORT": "later"}}, 5432},
		"beyond":                {stack.Service{Command: []string{"postgres", "-p", "99999"}}, 5432},
		"another tool's option": {stack.Service{Command: []string{"sh", "-c", "mkdir -p 5439/data"}}, 5432},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, listens(test.service)) })
	}
}

func FuzzListens(f *testing.F) {
	for _, seed := range []string{"postgres -p 5433", "--port=1", "-c port=65535", "-p -p", "-p 0", ""} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, command, variable string) {
		port := listens(stack.Service{Command: []string{command}, Environment: map[string]string{"PGPORT": variable}})
		assert.NotZero(t, port)
	})
}

func TestLoginsComeFromVariables(t *testing.T) {
	files := map[string]string{"/run/secrets/password": "from-file\n", "/run/secrets/user": "owner\n"}
	read := func(_ context.Context, _, path string) (string, error) {
		if text, ok := files[path]; ok {
			return text, nil
		}
		return "", errors.New("no such file")
	}
	primary := map[string]string{"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "secret", "POSTGRES_DB": "orders"}
	app := Login{User: "app", Password: "secret", Database: "orders"}
	for name, test := range map[string]struct {
		fixed            Login
		primary, standby map[string]string
		want             []Login // of the standby, in the order of trial
	}{
		"one and the same":        {primary: primary, standby: primary, want: []Login{app}},
		"its own, then the other": {primary: primary, standby: map[string]string{}, want: []Login{{User: "postgres"}, app}},
		"in files": {
			primary: map[string]string{"POSTGRES_USER_FILE": "/run/secrets/user", "POSTGRES_PASSWORD_FILE": "/run/secrets/password"},
			standby: map[string]string{"POSTGRES_USER": "owner", "POSTGRES_PASSWORD": "from-file"},
			want:    []Login{{User: "owner", Password: "from-file"}},
		},
		"a file that is not there yet": {
			primary: primary, standby: map[string]string{"POSTGRES_PASSWORD_FILE": "/nowhere"}, want: []Login{app},
		},
		"the superuser of another image": {
			primary: map[string]string{"POSTGRESQL_USERNAME": "app", "POSTGRESQL_PASSWORD": "secret", "POSTGRESQL_DATABASE": "orders", "POSTGRESQL_POSTGRES_PASSWORD": "super"},
			standby: primary,
			want:    []Login{app, {User: "postgres", Password: "super", Database: "orders"}},
		},
		"what the caller says": {
			fixed: Login{User: "me", Password: "mine"}, primary: primary, standby: primary,
			want: []Login{{User: "me", Password: "mine", Database: "orders"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tried := logins{fixed: test.fixed, read: read, servers: []server{
				{Service: stack.Service{Name: "primary", Environment: test.primary}},
				{Service: stack.Service{Name: "standby", Environment: test.standby}},
			}}
			got, err := tried.candidates(t.Context(), "standby")
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			for _, login := range got {
				assert.Contains(t, tried.passwords(), login.Password, "what may stand in no message")
			}
		})
	}
	nobody := logins{read: read, servers: []server{
		{Service: stack.Service{Name: "primary", Environment: map[string]string{"POSTGRES_PASSWORD_FILE": "/nowhere"}}},
	}}
	_, err := nobody.candidates(t.Context(), "primary")
	require.ErrorContains(t, err, "no such file")
}

func FuzzLogins(f *testing.F) {
	f.Add("POSTGRES_USER", "app", "POSTGRES_PASSWORD", "p@ss w:ord/%")
	f.Add("POSTGRES_DB", "?sslmode=disable", "POSTGRESQL_USERNAME", "a\x00b")
	f.Fuzz(func(t *testing.T, name, value, other, second string) {
		tried := logins{servers: []server{
			{Service: stack.Service{Name: "db", Environment: map[string]string{name: value, other: second}}},
		}, read: func(context.Context, string, string) (string, error) { return "x", nil }}
		candidates, err := tried.candidates(t.Context(), "db")
		require.NoError(t, err)
		require.NotEmpty(t, candidates)
		for _, login := range candidates {
			config, err := login.config(stack.Endpoint{Address: "127.0.0.1", Port: 1})
			if err != nil {
				continue // refused by the driver, which is no panic
			}
			assert.Equal(t, "127.0.0.1", config.Host, "a variable must not lead elsewhere")
			assert.Equal(t, uint16(1), config.Port)
		}
	})
}

// A password of the developer's own servers is none of the stack's.
func TestLoginGoesByTheRecipeAlone(t *testing.T) {
	t.Setenv("PGPASSWORD", "theirs")
	t.Setenv("PGOPTIONS", "-c statement_timeout=1")
	t.Setenv("PGTARGETSESSIONATTRS", "standby")
	config, err := Login{User: "app"}.config(stack.Endpoint{Address: "127.0.0.1", Port: 5432})
	require.NoError(t, err)
	assert.Empty(t, config.Password)
	assert.Empty(t, config.RuntimeParams)
	assert.Nil(t, config.ValidateConnect)
}
