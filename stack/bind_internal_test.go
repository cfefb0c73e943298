package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No file or folder of the host is written to or made, and what runs otherwise
// than written is told.
func TestNothingIsWrittenToTheHost(t *testing.T) {
	for name, test := range map[string]struct {
		mount   string
		becomes types.ServiceVolumeConfig // without what the volume is called
		told    string
	}{
		"a missing folder": {
			mount: "./absent:/archive", told: "service db mounts FOLDER/absent, which is not there: an empty volume stands in its place",
			becomes: types.ServiceVolumeConfig{Type: "volume", Target: "/archive", Volume: &types.ServiceVolumeVolume{NoCopy: true}},
		},
		"a missing init file": {
			mount: "./absent.sql:/docker-entrypoint-initdb.d/init.sql:ro",
			told:  "service db mounts FOLDER/absent.sql, which is not there: an empty volume stands in its place",
			becomes: types.ServiceVolumeConfig{
				Type: "volume", Target: "/docker-entrypoint-initdb.d/init.sql", ReadOnly: true, Volume: &types.ServiceVolumeVolume{NoCopy: true},
			},
		},
		"a missing folder that must be there": {
			mount:   "{type: bind, source: ./absent, target: /archive, read_only: true, bind: {create_host_path: false}}",
			becomes: types.ServiceVolumeConfig{Type: "bind", Target: "/archive", ReadOnly: true, Bind: &types.ServiceVolumeBind{}},
		},
		"an empty folder": {
			mount: "./empty:/archive", told: "service db may write to FOLDER/empty, which is empty: an empty volume stands in its place",
			becomes: types.ServiceVolumeConfig{Type: "volume", Target: "/archive"},
		},
		"an empty folder for reading": {
			mount:   "./empty:/archive:ro",
			becomes: types.ServiceVolumeConfig{Type: "bind", Target: "/archive", ReadOnly: true, Bind: &types.ServiceVolumeBind{CreateHostPath: true}},
		},
		"a folder with files": {
			mount: "./full:/archive", told: "service db has FOLDER/full mounted for reading only",
			becomes: types.ServiceVolumeConfig{Type: "bind", Target: "/archive", ReadOnly: true, Bind: &types.ServiceVolumeBind{CreateHostPath: true}},
		},
		"a file": {
			mount: "./full/file:/etc/file", told: "service db has FOLDER/full/file mounted for reading only",
			becomes: types.ServiceVolumeConfig{Type: "bind", Target: "/etc/file", ReadOnly: true, Bind: &types.ServiceVolumeBind{CreateHostPath: true}},
		},
		"an init file": {
			mount:   "./full/file:/docker-entrypoint-initdb.d/init.sql",
			becomes: types.ServiceVolumeConfig{Type: "bind", Target: "/docker-entrypoint-initdb.d/init.sql", ReadOnly: true, Bind: &types.ServiceVolumeBind{CreateHostPath: true}},
		},
		"a missing folder of data": {
			mount: "./absent:/var/lib/postgresql/data", told: "service db keeps its data in FOLDER/absent of the host: an empty volume stands in its place",
			becomes: types.ServiceVolumeConfig{Type: "volume", Target: "/var/lib/postgresql/data"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := composeFile(t, "services: {db: {image: postgres, volumes: ["+quoted(test.mount)+"]}}")
			folder := filepath.Dir(file)
			require.NoError(t, os.Mkdir(folder+"/empty", 0o700))
			write(t, folder+"/full/file", "content", 0o600)

			project, err := load(t.Context(), Options{Files: []string{file}}, "isolated")
			require.NoError(t, err)
			changes := isolate(project, map[string]string{"run": "1"}, Options{})
			mount := project.Services["db"].Volumes[0]
			if mount.Type == types.VolumeTypeVolume {
				assert.Equal(t, "1", project.Volumes[mount.Source].CustomLabels["run"], "it is removed with the run")
			}
			mount.Source = ""
			assert.Equal(t, test.becomes, mount)
			var told []string
			if test.told != "" {
				told = []string{strings.ReplaceAll(test.told, "FOLDER", folder)}
			}
			assert.Equal(t, told, changes)
		})
	}
}

// quoted makes a short mount a string of YAML.
func quoted(mount string) string {
	if mount[0] == '{' {
		return mount
	}
	return `"` + mount + `"`
}
