package image_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// imageConfig is what the engine says of an image. Fields that have to be
// absent are raw.
type imageConfig struct {
	Entrypoint, Cmd, Env  []string
	Volumes, ExposedPorts map[string]struct{}
	StopSignal            string
	Labels                map[string]string
	User, WorkingDir      string
	Healthcheck           json.RawMessage
	Shell, OnBuild        []string
}

func parseConfig(t *testing.T, inspected string) imageConfig {
	t.Helper()
	var images []struct{ Config imageConfig }
	require.NoError(t, json.Unmarshal([]byte(inspected), &images))
	require.Len(t, images, 1)
	return images[0].Config
}

// variable gives the value of a variable in the image's environment.
func (c imageConfig) variable(name string) string {
	for _, entry := range c.Env {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

func testConfig(t *testing.T, e *engine) {
	pgVersion, gosuVersion := "15.8-1.pgdg120+1", "1.17"
	if e.standIn() { // what is installed; testHonesty compares it with the packages
		pgVersion, gosuVersion = e.config.variable("PG_VERSION"), e.config.variable("GOSU_VERSION")
	}
	want := imageConfig{
		Entrypoint: []string{"docker-entrypoint.sh"},
		Cmd:        []string{"postgres"},
		Env: []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin",
			"GOSU_VERSION=" + gosuVersion,
			"LANG=en_US.utf8",
			"PG_MAJOR=15",
			"PG_VERSION=" + pgVersion,
			"PGDATA=" + dataDir,
		},
		Volumes:      map[string]struct{}{dataDir: {}},
		ExposedPorts: map[string]struct{}{"5432/tcp": {}},
		StopSignal:   "SIGINT",
		Labels:       e.config.Labels, // testHonesty
	}
	got := e.config
	for _, list := range []*[]string{&got.Shell, &got.OnBuild} { // absent or empty, as the engine likes
		if len(*list) == 0 {
			*list = nil
		}
	}
	assert.Equal(t, want, got)
	if !e.standIn() {
		assert.Empty(t, e.config.Labels)
	}
}

func testModes(t *testing.T, e *engine) {
	c := e.create(t, flags("--volume="+e.volume(t, "")+":"+dataDir),
		"stat", "--format=%a %u:%g %n", "/var/lib/postgresql", dataDir, "/var/run/postgresql/", "/docker-entrypoint-initdb.d")
	got := e.must(t, "start", "--attach", c.name)
	assert.Equal(t, strings.Join([]string{
		"1777 999:999 /var/lib/postgresql",
		"1777 999:999 " + dataDir, // a fresh volume takes the image's over
		"3777 999:999 /var/run/postgresql/",
		"755 0:0 /docker-entrypoint-initdb.d",
	}, "\n"), got)

	inside := e.try(t, nil, "bash", "-c", `
		cd /usr/local/bin && ls docker-ensure-initdb.sh docker-entrypoint.sh gosu
		readlink docker-enforce-initdb.sh /usr/share/postgresql/15/postgresql.conf.sample
		grep -c "^listen_addresses = '\*'" /usr/share/postgresql/postgresql.conf.sample
		ls -A /docker-entrypoint-initdb.d /usr/share/postgresql/postgresql.conf.sample.dpkg
		getent passwd postgres; ls /docker-entrypoint.sh`)
	assert.Equal(t, strings.Join([]string{
		"docker-ensure-initdb.sh", "docker-entrypoint.sh", "gosu",
		"docker-ensure-initdb.sh", "../postgresql.conf.sample",
		"1",
		"/usr/share/postgresql/postgresql.conf.sample.dpkg", "", "/docker-entrypoint-initdb.d:",
		"postgres:x:999:999::/var/lib/postgresql:/bin/bash", "",
	}, "\n"), inside.stdout)
	assert.Contains(t, inside.stderr, "'/docker-entrypoint.sh': No such file")
}

func testOtherCommands(t *testing.T, e *engine) {
	assert.Equal(t, outcome{stdout: "hi\n"}, e.try(t, nil, "echo", "hi"))
	assert.Equal(t, outcome{stdout: "0 /\n", code: 7}, e.try(t, nil, "bash", "-c", "echo $(id -u) $PWD; exit 7"))
	assert.Equal(t, outcome{}, e.try(t, flags("--entrypoint=docker-entrypoint.sh")), "no command at all")

	unknown := e.try(t, nil, "nosuch")
	assert.Equal(t, 127, unknown.code)
	assert.Empty(t, unknown.stdout)
	assert.Contains(t, unknown.stderr, "exec: nosuch: not found")

	version := e.try(t, nil, "postgres", "--version")
	assert.Zero(t, version.code)
	assert.Empty(t, version.stderr)
	assert.Regexp(t, `^postgres \(PostgreSQL\) 15\.\d+ .*\n$`, version.stdout)
}

func testHonesty(t *testing.T, e *engine) {
	if !e.standIn() {
		t.Skipf("%s does not say that it is the stand-in", e.image)
	}
	pgVersion := e.config.variable("PG_VERSION")
	server, _, _ := strings.Cut(pgVersion, "-")
	for _, label := range []string{"title", "description"} {
		value := e.config.Labels["org.opencontainers.image."+label]
		assert.Contains(t, value, "local stand-in for postgres:15.8, not the Docker Official Image")
		assert.Contains(t, value, server)
	}
	assert.Equal(t, pgVersion, e.config.Labels["org.opencontainers.image.version"])
	for _, label := range []string{"base.name", "source", "vendor"} {
		assert.NotContains(t, e.config.Labels, "org.opencontainers.image."+label)
	}

	c := e.plain
	c.awaitReady(t)
	assert.Equal(t, pgVersion, c.exec(t, "dpkg-query", "--show", "--showformat=${Version}", "postgresql-15"))
	gosu := c.exec(t, "dpkg-query", "--show", "--showformat=${Version}", "gosu")
	assert.True(t, strings.HasPrefix(gosu, e.config.variable("GOSU_VERSION")+"-"), gosu)
	const versions = "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000"
	assert.Equal(t, []string{server + " (Debian " + pgVersion + ")|15"}, c.query(t, versions))
}

func testNoRegistry(t *testing.T, e *engine) {
	dockerfile, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	assert.Equal(t, []string{"FROM scratch"}, regexp.MustCompile(`(?mi)^\s*FROM.*$`).FindAllString(string(dockerfile), -1))
	assert.NotRegexp(t, `(?mi)^#\s*syntax|--from=`, string(dockerfile))

	// The same file, with next to nothing to add: the engine builds it by itself.
	context := archive(t,
		file{name: "Dockerfile", content: string(dockerfile)},
		file{name: "rootfs.tar", content: string(archive(t, file{name: "usr/local/bin/"}))},
		file{name: "docker-entrypoint.sh", mode: 0o755}, file{name: "docker-ensure-initdb.sh", mode: 0o755})
	tag := e.name(t, "image", "rm", "--force")
	built := e.run(t, context, "build", "--pull=false", "--network=none", "--tag="+tag, "-")
	require.Zero(t, built.code, built.stderr)

	c := e.create(t, flags("--network=none", env("POSTGRES_PASSWORD", password))) // create never pulls
	c.start(t)
	c.awaitReady(t)
}
