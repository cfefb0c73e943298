package scripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const noEngine = "DOCKER_HOST=unix:///nonexistent/docker.sock"

func TestEngineAtDockerHostIsNeverReplaced(t *testing.T) {
	t.Parallel()
	output, err := command{root(t), []string{noEngine}, []string{"scripts/engine.sh"}}.run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "error: no Docker engine answers at unix:///nonexistent/docker.sock\n")
	assert.Contains(t, output, "do: start that engine, or unset DOCKER_HOST")
	assert.NotContains(t, output, "starting", "no other engine may be started")
}

func TestEngineIsNotSetUpWhenForbidden(t *testing.T) {
	t.Parallel()
	// No docker command at all, as on a bare machine.
	tools := t.TempDir()
	for _, name := range []string{"bash", "dirname", "id", "grep", "env"} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(tools, name)))
	}
	output, err := command{root(t), []string{"DOCKER_HOST=", "SETUP=never", "PATH=" + tools}, []string{"scripts/engine.sh"}}.run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "error: no Docker engine answers\n")
	assert.Contains(t, output, "there is no docker command")
	assert.Contains(t, output, "SETUP=never: none was installed or started")
	assert.NotContains(t, output, "installing")
}

func TestEngineWithoutPermission(t *testing.T) {
	t.Parallel()
	path := pretended(t, `case $1 in
context) echo unix:///var/run/docker.sock ;;
*) echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1 ;;
esac`)
	output, err := command{root(t), []string{path}, []string{"scripts/engine.sh"}}.run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "error: no permission for the Docker engine at unix:///var/run/docker.sock\n")
	assert.Contains(t, output, "usermod -aG docker")
}

func TestComposeIsNotBuiltWhenForbidden(t *testing.T) {
	t.Parallel()
	path := pretended(t, `echo "docker: 'compose' is not a docker command." >&2; exit 1`)
	output, err := command{root(t), []string{path, "SETUP=never"}, []string{"scripts/compose-plugin.sh"}}.run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "error: docker compose v2 is not installed\n")
}

func TestComposeV1IsNotTaken(t *testing.T) {
	t.Parallel()
	path := pretended(t, `echo 1.29.2`)
	output, err := command{root(t), []string{path, "SETUP=never"}, []string{"scripts/compose-plugin.sh"}}.run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "error: docker compose v2 is not installed\n")
}

func TestComposeThatIsTooOldForTheOverlayIsNotTaken(t *testing.T) {
	t.Parallel()
	for version, old := range map[string]bool{
		"2.24.3": true, "v2.3.4": true, "2.20.2+ds1-0ubuntu1": true,
		"2.24.4": false, "v2.24.7-desktop.1": false, "2.25": false, "2.40.3+dev": false, "5.0.0": false,
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			path := pretended(t, "echo "+version)
			output, err := command{root(t), []string{path, "SETUP=never"}, []string{"scripts/compose-plugin.sh"}}.run(t)
			if !old {
				require.NoError(t, err, output)
				return
			}
			require.Error(t, err, output)
			assert.Contains(t, output, " is too old: overlays/hardened.yml needs 2.24.4 at least\n")
		})
	}
}

func TestImageIsNotFetchedWhenForbidden(t *testing.T) {
	t.Parallel()
	path := pretended(t, `[ "$1" = version ]`)
	output, err := command{root(t), []string{path, "SETUP=never"}, []string{"scripts/image.sh"}}.run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "error: the image postgres:15.8 is not there\n")
	assert.Contains(t, output, "SETUP=never: it was neither pulled nor built")
}

func TestImageIsPulled(t *testing.T) {
	t.Parallel()
	marker := filepath.Join(t.TempDir(), "pulled")
	path := pretended(t, `case $1 in
version) ;;
pull) echo "15.8: Pulling from library/postgres"; touch '`+marker+`' ;;
image) [ -e '`+marker+`' ] ;;
esac`)
	output := command{root(t), []string{path, "SETUP="}, []string{"scripts/image.sh"}}.mustRun(t)
	assert.Contains(t, output, "15.8: Pulling from library/postgres\n")
	assert.NotContains(t, output, "stand-in")
}

func TestImageFallsBackToTheStandIn(t *testing.T) {
	t.Parallel()
	folder := copyOfScripts(t)
	path := pretended(t, `case $1 in
version) ;;
pull) echo "no such host"; exit 1 ;;
image) exit 1 ;;
esac`)
	for _, one := range []struct {
		build, want string
		fails       bool
	}{
		{"echo built", "\nbuilt\n", false},
		{"echo no mirror; exit 1", "\nno mirror\nerror: there is no image postgres:15.8\n", true},
	} {
		pretendBuild(t, folder, one.build)
		output, err := command{folder, []string{path, "SETUP="}, []string{"scripts/image.sh"}}.run(t)
		assert.Equal(t, one.fails, err != nil, output)
		assert.Contains(t, output, "no such host\npostgres:15.8 could not be pulled: building the local stand-in instead")
		assert.Contains(t, output, one.want)
	}
}

func TestStandInIsKeptUpToDate(t *testing.T) {
	t.Parallel()
	folder := copyOfScripts(t)
	path := pretended(t, `case "$*" in *Labels*) echo "local stand-in" ;; esac`)
	for _, one := range []struct{ build, setup, want string }{
		{"echo built", "", "built\npostgres:15.8 is the local stand-in"},
		{"exit 1", "", "the stand-in could not be built anew, going on with the one there is\npostgres:15.8 is the local stand-in"},
		{"echo built", "never", "postgres:15.8 is the local stand-in"},
	} {
		pretendBuild(t, folder, one.build)
		output := command{folder, []string{path, "SETUP=" + one.setup}, []string{"scripts/image.sh"}}.mustRun(t)
		assert.Truef(t, strings.HasPrefix(output, one.want), "%+v: %s", one, output)
	}
}

// pretendBuild puts a script in the place of image/build.sh.
func pretendBuild(t *testing.T, folder, script string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "image"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "image", "build.sh"), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

func TestProvenance(t *testing.T) {
	t.Parallel()
	const inspect = `case "$*" in
*Labels*) echo '%title%' ;;
*Env*) echo PATH=/bin; echo PG_VERSION=%version% ;;
*RepoDigests*) echo '%digest%' ;;
esac`
	for _, one := range []struct{ name, title, version, digest, want string }{
		{
			"stand-in", "local stand-in for postgres:15.8, not the Docker Official Image (PostgreSQL 15.20)", "15.20-0+deb12u1", "",
			"postgres:15.8 is the local stand-in, not the Docker Official Image; server version 15.20-0+deb12u1\n",
		},
		{
			"pulled", "", "15.8-1.pgdg120+1", "postgres@sha256:0123",
			"postgres:15.8 is the image of the registry (postgres@sha256:0123), server version 15.8-1.pgdg120+1\n",
		},
		{
			"unknown", "", "15.8-1.pgdg120+1", "",
			"postgres:15.8 is an image of unknown origin (no registry digest), server version 15.8-1.pgdg120+1\n",
		},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			script := strings.NewReplacer("%title%", one.title, "%version%", one.version, "%digest%", one.digest).Replace(inspect)
			line := []string{"bash", "-euo", "pipefail", "-c", ". scripts/provenance.sh; provenance"}
			assert.Equal(t, one.want, command{root(t), []string{pretended(t, script)}, line}.mustRun(t))
		})
	}
}

func TestSetupSaysWhichStepFailed(t *testing.T) {
	t.Parallel()
	output, err := command{root(t), []string{noEngine}, []string{"scripts/setup.sh"}}.run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "engine:  error: no Docker engine answers")
	assert.Contains(t, output, "\nsetup: step engine failed:\nengine:  error: no Docker engine answers")
}

func TestDownWithoutEngine(t *testing.T) {
	t.Parallel()
	output := command{root(t), []string{noEngine}, []string{"scripts/down.sh"}}.mustRun(t)
	assert.Equal(t, "no Docker engine answers: nothing to remove\n", output)
}

func TestCleanWithoutEngineRemovesBuild(t *testing.T) {
	t.Parallel()
	folder := copyOfScripts(t)
	build := filepath.Join(folder, "build")
	require.NoError(t, os.Mkdir(build, 0o755))
	command{folder, []string{noEngine}, []string{"scripts/clean.sh"}}.mustRun(t)
	assert.NoDirExists(t, build)
}

// Without flock, as on macOS, nobody can tell a run that is under way from a dead one.
func TestCleanWithoutFlockRemovesNoRunWithALease(t *testing.T) {
	t.Parallel()
	folder := copyOfScripts(t)
	lease := filepath.Join(folder, "lease")
	require.NoError(t, os.WriteFile(lease, nil, 0o600))
	tools := t.TempDir()
	for _, name := range []string{"bash", "dirname", "rm", "env", "uname", "readlink"} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(tools, name)))
	}
	done := filepath.Join(folder, "done")
	path := pretended(t, `case "$*" in
*com.docker.compose.project*) ;;
version*) ;;
"ps "*.session*) echo "live-container||`+lease+`"; echo "dead-container||`+folder+`/gone" ;;
*" ls "* | "ps "*) ;;
*) echo "$*" >>'`+done+`' ;;
esac`)
	docker, _, _ := strings.Cut(path, string(os.PathListSeparator))
	output := command{folder, []string{docker + string(os.PathListSeparator) + tools}, []string{"scripts/clean.sh"}}.mustRun(t)
	removed, err := os.ReadFile(done)
	require.NoError(t, err, output)
	assert.Equal(t, "rm --force --volumes dead-container\n", string(removed))
	assert.Contains(t, output, "container live-container belongs to a test run under way: left alone\n")
}

func TestCleanLeavesRunsUnderWayAlone(t *testing.T) {
	t.Parallel()
	folder := copyOfScripts(t)
	lease, err := os.Create(filepath.Join(folder, "lease"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, lease.Close()) }()
	require.NoError(t, syscall.Flock(int(lease.Fd()), syscall.LOCK_EX))
	here := strings.TrimSpace(command{folder, nil, []string{"bash", "-c", ". scripts/host.sh; here"}}.mustRun(t))
	done := filepath.Join(folder, "done")
	// Lists what a run was told to keep, a dead and a live run, and a stand-in
	// image; notes what is removed.
	path := pretended(t, `case "$*" in
*com.docker.compose.project*) ;;
version*) ;;
*" ls "*image.recipe*) echo postgres:15.8 ;;
"ps "*.kept*) echo kept-container ;;
*" ls "*.kept*) ;;
"ps "*) echo "dead-container|`+here+`|`+folder+`/gone"; echo "live-container|`+here+`|`+lease.Name()+`"; echo "other-container|elsewhere|`+folder+`/gone" ;;
"image ls "*) echo dead-image; echo live-image ;;
"image inspect "*dead-image) echo "dead-image|`+here+`|`+folder+`/gone" ;;
"image inspect "*live-image) echo "live-image|`+here+`|`+lease.Name()+`" ;;
"network ls "*) echo "dead-network|`+here+`|`+folder+`/gone" ;;
*label=io.github.postgres-master-slave.template*) echo template-volume ;;
"volume ls "*) echo "dead-volume"; echo "live-volume|`+here+`|`+lease.Name()+`" ;;
*) echo "$*" >>'`+done+`' ;;
esac`)
	output := command{folder, []string{path}, []string{"scripts/clean.sh"}}.mustRun(t)
	removed, err := os.ReadFile(done)
	require.NoError(t, err, output)
	assert.Equal(t, `rm --force --volumes dead-container
network rm dead-network
volume rm dead-volume
image rm dead-image
rm --force --volumes kept-container
volume rm template-volume
image rm postgres:15.8
`, string(removed))
	assert.Contains(t, output, "container live-container belongs to a test run under way: left alone\n")
	assert.Contains(t, output, "container other-container belongs to a test run of elsewhere, ")
}
