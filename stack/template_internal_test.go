package stack

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a template holds is what runs, not what is declared.
func TestMountedVolumes(t *testing.T) {
	file := composeFile(t, `
services:
  app: {image: app}
  near: {image: postgres, volumes: ["near:/var/lib/postgresql/data", "./schema:/schema"]}
  nowhere: {image: postgres, volumes: ["/var/lib/postgresql/data"]}
  primary: {image: postgres, volumes: ["/srv/primary:/var/lib/postgresql/data"]}
volumes: {near: {}, unused: {}}
`)
	write(t, filepath.Dir(file)+"/schema/table.sql", "", 0o600)
	model, err := Load(t.Context(), file)
	require.NoError(t, err)
	assert.Equal(t, []string{"host-srv-primary", "near"}, model.Mounted())
	service, err := (&Stack{Model: model}).copier()
	require.NoError(t, err)
	assert.Equal(t, "near", service, "an application's image may have no shell")
}

func TestNothingToCopy(t *testing.T) {
	_, err := (&Stack{Model: Model{Services: map[string]Service{"db": {}}}}).copier()
	require.ErrorIs(t, err, ErrNoVolume)
}

func TestMountOfADirectory(t *testing.T) {
	mounts := []container.MountPoint{
		{Type: mount.TypeVolume, Name: "outer", Destination: "/var/lib/postgresql"},
		{Type: mount.TypeVolume, Name: "inner", Destination: "/var/lib/postgresql/data/"},
		{Type: mount.TypeBind, Name: "beside", Destination: "/var/lib/postgres"},
	}
	for directory, want := range map[string]string{
		"/var/lib/postgresql/data":      "inner",
		"/var/lib/postgresql/data/15":   "inner",
		"/var/lib/postgresql/database":  "outer",
		"/var/lib/postgresql/18/docker": "outer",
		"/srv":                          "",
	} {
		t.Run(directory, func(t *testing.T) { assert.Equal(t, want, nearest(mounts, directory).Name) })
	}
}

// Not every image has GNU's cp.
func TestCopyScript(t *testing.T) {
	for name, refuse := range map[string]string{"GNU": "", "BusyBox": "--sparse", "POSIX with -a": "--reflink|--sparse"} {
		t.Run(name, func(t *testing.T) {
			from, to, bin := t.TempDir(), t.TempDir(), t.TempDir()
			for _, volume := range []string{"one", "two"} {
				require.NoError(t, os.MkdirAll(filepath.Join(from, volume, "base"), 0o700))
				require.NoError(t, os.MkdirAll(filepath.Join(to, volume), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(from, volume, "base", ".1"), []byte(volume), 0o640))
			}
			if refuse != "" {
				cp, err := exec.LookPath("cp")
				require.NoError(t, err)
				script := "#!/bin/bash\n[[ $* =~ --help ]] && { " + cp + " --help | grep -vE -- '" + refuse + "'; exit; }\n" +
					"[[ $* =~ " + refuse + " ]] && exit 1\nexec " + cp + ` "$@"` + "\n"
				require.NoError(t, os.WriteFile(filepath.Join(bin, "cp"), []byte(script), 0o755))
			}
			command := exec.CommandContext(t.Context(), "sh", "-c", copyScript, from, to)
			command.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
			said, err := command.CombinedOutput()
			require.NoError(t, err, string(said))
			for _, volume := range []string{"one", "two"} {
				text, err := os.ReadFile(filepath.Join(to, volume, "base", ".1"))
				require.NoError(t, err)
				assert.Equal(t, volume, string(text))
				state, err := os.Stat(filepath.Join(to, volume, "base"))
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o700), state.Mode().Perm())
			}
		})
	}
}

// A volume in memory that is full is no full disk of the engine.
func TestVolumeInMemoryIsTooSmall(t *testing.T) {
	s := &Stack{options: Options{Limited: map[string]LimitedVolume{"data": {Bytes: 4096}}}}
	full := func(volume string) error {
		return s.tooSmall(errors.New("copy: exit code 1: cp: error writing '/to/" + volume + "/base/1': No space left on device"))
	}
	require.NotErrorIs(t, full("data"), ErrNoSpace)
	require.ErrorContains(t, full("data"), "volume data in memory holds 4096 bytes")
	require.ErrorIs(t, full("data-2"), ErrNoSpace)
}
