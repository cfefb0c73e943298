package stack

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sent is what a service's container gets, by path: content and mode.
func sent(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	found := map[string]string{}
	for in := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		assert.Equal(t, os.Getuid(), header.Uid, header.Name)
		found["/"+header.Name] = header.FileInfo().Mode().String() + " " + string(content) + header.Linkname
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), mode))
	return path
}

// What a service would mount of this machine is sent, and no path of this
// machine is left in the model.
func TestMountedFilesAreSent(t *testing.T) {
	folder := t.TempDir()
	file := write(t, folder+"/init.sql", "SELECT 1", 0o640)
	write(t, folder+"/conf/inner/node.sh", "exec", 0o755)
	require.NoError(t, os.Symlink("inner/node.sh", folder+"/conf/link"))
	require.NoError(t, os.Symlink(file, folder+"/leads-to-init"))
	project := &types.Project{
		Secrets: types.Secrets{"password": {File: write(t, folder+"/password", "secret", 0o400)}, "inline": {Content: "x"}},
		Configs: types.Configs{"setting": {File: file}, "inline": {Content: "x"}},
		Services: types.Services{"db": {
			Name: "db",
			Volumes: []types.ServiceVolumeConfig{
				{Type: types.VolumeTypeBind, Source: folder + "/leads-to-init", Target: "/initdb.d/00.sql"},
				{Type: types.VolumeTypeBind, Source: folder + "/conf", Target: "/etc/conf"},
				{Type: types.VolumeTypeVolume, Source: "data", Target: "/data"},
			},
			Secrets: []types.ServiceSecretConfig{{Source: "password"}, {Source: "password", Target: "other"}, {Source: "inline"}},
			Configs: []types.ServiceConfigObjConfig{{Source: "setting"}, {Source: "setting", Target: "/etc/s"}, {Source: "inline"}},
		}},
	}
	archives, err := packed(project)
	require.NoError(t, err)
	got := sent(t, archives["db"])
	assert.Equal(t, map[string]string{
		"/initdb.d/00.sql":        "-rw-r----- SELECT 1",
		"/etc/conf/":              "drwxr-xr-x ",
		"/etc/conf/inner/":        "drwxr-xr-x ",
		"/etc/conf/inner/node.sh": "-rwxr-xr-x exec",
		"/etc/conf/link":          "Lrwxrwxrwx inner/node.sh",
		"/run/secrets/password":   "-r-------- secret",
		"/run/secrets/other":      "-r-------- secret",
		"/setting":                "-rw-r----- SELECT 1",
		"/etc/s":                  "-rw-r----- SELECT 1",
	}, got)
	db := project.Services["db"]
	assert.Equal(t, []types.ServiceVolumeConfig{{Type: types.VolumeTypeVolume, Source: "data", Target: "/data"}}, db.Volumes)
	assert.Equal(t, []types.ServiceSecretConfig{{Source: "inline"}}, db.Secrets, "the SDK sends what is in the compose file")
	assert.Equal(t, []types.ServiceConfigObjConfig{{Source: "inline"}}, db.Configs)
}

func TestWhatCannotBeSentSaysWhy(t *testing.T) {
	folder, err := os.MkdirTemp("", "pms") //nolint:usetesting // a socket's path has to be short
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
	socket := filepath.Join(folder, "engine.sock")
	listener, err := net.Listen("unix", socket) //nolint:noctx // a listener of the test
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, listener.Close()) })
	large := filepath.Join(folder, "large")
	require.NoError(t, os.WriteFile(large, nil, 0o600))
	require.NoError(t, os.Truncate(large, cargoLimit+1))
	for name, test := range map[string]struct{ source, says string }{
		"a socket":   {socket, "is no file, folder or symbolic link"},
		"much":       {large, "it is larger than 64 MiB"},
		"a loop":     {loop(t), "too many links"},
		"nothing":    {filepath.Join(folder, "absent"), "no such file"},
		"its folder": {folder, "is no file, folder or symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			project := &types.Project{Services: types.Services{"db": {
				Name: "db", Volumes: []types.ServiceVolumeConfig{{Type: types.VolumeTypeBind, Source: test.source, Target: "/x"}},
			}}}
			_, err := packed(project)
			require.ErrorIs(t, err, ErrNotSent)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "mount "+test.source+" in service db")
		})
	}
}

func loop(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "loop")
	require.NoError(t, os.Symlink(path, path))
	return path
}
