package pairtest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const clusterSQL = `SELECT system_identifier::text FROM pg_control_system()`

// unique copies the recipe with an init script that no other run has, so that
// nobody has made its template before. What it says may be replaced, pairwise.
func unique(t *testing.T, oldnew ...string) (file string) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"docker-compose.yml", "00_init.sql"} {
		content, err := os.ReadFile(filepath.Join("..", "docker", name))
		require.NoError(t, err)
		if name == "00_init.sql" {
			content = append(content, "\n-- "+folder+time.Now().String()+"\n"...)
		}
		text := strings.NewReplacer(oldnew...).Replace(string(content))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	require.NoError(t, os.Chmod(folder, 0o755))
	return filepath.Join(folder, "docker-compose.yml")
}

// The first pair of its kind leaves a template, with which the others begin.
func TestTemplate(t *testing.T) {
	live(t)
	file := unique(t)
	engine, key := kept(t, file)

	timed := func(what string, options ...pairtest.Option) (p *pairtest.Pair, took time.Duration) {
		t.Helper()
		began := time.Now()
		p = pairtest.New(t, append(options, pairtest.Files(file))...)
		took = time.Since(began)
		t.Logf("%s: %s", what, took)
		return p, took
	}
	scratch, slow := timed("from scratch", pairtest.FromScratch())
	_, err := engine.Template(t.Context(), key)
	require.ErrorIs(t, err, stack.ErrNoTemplate, "it makes none")
	first, _ := timed("with the making of its template")
	second, fast := timed("from the template")
	t.Logf("from the template in %.0f %% of the time", 100*fast.Seconds()/slow.Seconds())

	assert.Equal(t, one[string](t, first.Primary, clusterSQL), one[string](t, second.Primary, clusterSQL))
	assert.Equal(t, one[string](t, second.Primary, clusterSQL), one[string](t, second.Standby, clusterSQL))
	assert.NotEqual(t, one[string](t, scratch.Primary, clusterSQL), one[string](t, second.Primary, clusterSQL))
	_, err = engine.Template(t.Context(), key)
	require.NoError(t, err)

	t.Run("it can be broken like any other", func(t *testing.T) {
		_, err := second.Primary.Exec(t.Context(), tableSQL)
		require.NoError(t, err)
		for name, strike := range map[string]func(*testing.T, *pairtest.Pair){
			"killed standby": testKillStandby, "killed primary": testKillPrimary, "failover": testPromote,
		} {
			t.Run(name, func(t *testing.T) { strike(t, second) })
			requireWhole(t, second)
		}
	})
}

// memorySQL tells what a server's data directory is mounted from.
const memorySQL = `
SELECT fields[3]
  FROM regexp_split_to_table(pg_read_file('/proc/mounts'), '\n') AS line, regexp_split_to_array(line, ' ') AS fields
 WHERE fields[2] = current_setting('data_directory')`

// Data in memory outlive every fault, and are made anew where the fault asks for that.
func TestInMemory(t *testing.T) {
	live(t)
	const mebibyte = 1 << 20
	p := pairtest.New(t, pairtest.InMemory(512*mebibyte), pairtest.Fast())
	for _, side := range []*pgxpool.Pool{p.Primary, p.Standby} {
		assert.Equal(t, "tmpfs", one[string](t, side, memorySQL))
	}
	_, err := p.Primary.Exec(t.Context(), tableSQL)
	require.NoError(t, err)
	replay(t, p.DB)
	for _, step := range []struct {
		name   string
		strike func(*testing.T, *pairtest.Pair)
	}{
		{"killed primary", testKillPrimary}, {"killed standby", testKillStandby}, {"failover", testPromote},
	} {
		t.Run(step.name, func(t *testing.T) { step.strike(t, p) })
		requireWhole(t, p)
		assert.Equal(t, "tmpfs", one[string](t, p.Standby, memorySQL), "after %s", step.name)
	}
}

// A template holds data that the compose file keeps in a directory of the host, too.
func TestTemplateOfDataOnTheHost(t *testing.T) {
	live(t)
	file := unique(t, "- master_data:", "- ./data:", "  master_data:\n", "")
	engine, key := kept(t, file)
	for range 2 {
		p := pairtest.New(t, pairtest.Files(file))
		assert.Equal(t, one[string](t, p.Primary, clusterSQL), one[string](t, p.Standby, clusterSQL))
	}
	_, err := engine.Template(t.Context(), key)
	require.NoError(t, err)
}

// Where a template could not hold the data, or a standby would clone again,
// each pair is made as its compose file says.
func TestWithoutTemplate(t *testing.T) {
	live(t)
	for name, replace := range map[string][]string{
		"data on no volume with a name": {"- master_data:/var/lib/postgresql/data", "- unused:/srv", "master_data:", "unused:"},
		"a standby's own entrypoint":    {"command: |\n      bash -c", "entrypoint: |\n      bash -c"},
	} {
		t.Run(name, func(t *testing.T) {
			file := unique(t, replace...)
			engine, key := kept(t, file)
			seen := map[string]bool{}
			for range 2 {
				p := pairtest.New(t, pairtest.Files(file))
				seen[one[string](t, p.Primary, clusterSQL)] = true
				seen[one[string](t, p.Standby, clusterSQL)] = true
			}
			assert.Len(t, seen, 2, "clusters")
			_, err := engine.Template(t.Context(), key)
			require.ErrorIs(t, err, stack.ErrNoTemplate)
		})
	}
}

// kept is where a template of a compose file is looked for. The test removes it.
func kept(t *testing.T, file string) (engine *stack.Engine, key string) {
	t.Helper()
	engine, err := stack.Open(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	key, err = pairtest.TemplateKey(t.Context(), engine, pairtest.Files(file))
	require.NoError(t, err)
	require.NotEmpty(t, key)
	t.Cleanup(func() { require.NoError(t, engine.RemoveTemplate(context.WithoutCancel(t.Context()), key)) })
	return engine, key
}
