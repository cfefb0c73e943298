package stack

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// bind is what stands in the place of a file or folder of the host. Nothing is
// written to the host, nor is anything made there: the engine would make a
// folder of what is missing, as root, and leave it.
//
// Source: compose specification, volumes, bind.create_host_path.
func (i *isolation) bind(service types.ServiceConfig, mount types.ServiceVolumeConfig) types.ServiceVolumeConfig {
	const standIn = "an empty volume stands in its place"
	switch {
	case !mount.ReadOnly && holdsData(service, mount.Target):
		i.change("service %s keeps its data in %s of the host: "+standIn, service.Name, mount.Source)
		return i.empty(mount)
	case mount.Bind != nil && mount.Bind.CreateHostPath && missing(mount.Source):
		i.change("service %s mounts %s, which is not there: "+standIn, service.Name, mount.Source)
		mount = i.empty(mount)
		mount.Volume = &types.ServiceVolumeVolume{NoCopy: true} // the folder would hide what the image has there
		return mount
	case mount.ReadOnly:
		return mount
	case emptyFolder(mount.Source):
		i.change("service %s may write to %s, which is empty: "+standIn, service.Name, mount.Source)
		return i.empty(mount)
	}
	if target := path.Clean(mount.Target) + "/"; !strings.HasPrefix(target, initFolder) { // nobody writes there
		i.change("service %s has %s mounted for reading only", service.Name, mount.Source)
	}
	mount.ReadOnly = true
	return mount
}

// empty is a volume of the run in the place of a mount.
func (i *isolation) empty(mount types.ServiceVolumeConfig) types.ServiceVolumeConfig {
	key := strings.Trim(notInNames.ReplaceAllString("host"+mount.Source, "-"), "-")
	i.project.Volumes[key] = types.VolumeConfig{Name: i.project.Name + "_" + key, CustomLabels: merged(nil, i.labels)}
	return types.ServiceVolumeConfig{Type: types.VolumeTypeVolume, Source: key, Target: mount.Target, ReadOnly: mount.ReadOnly}
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func emptyFolder(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && len(entries) == 0
}

// notInNames is what a volume may not be called.
var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

// initFolder is where images look for what initialises a new cluster.
//
// Source: documentation of the image postgres, "Initialization scripts".
const initFolder = "/docker-entrypoint-initdb.d/"

// dataDirectory is where images keep PostgreSQL's data unless PGDATA says otherwise.
const dataDirectory = "/var/lib/postgresql/data"

// holdsData says whether a directory of a container is one that PostgreSQL
// writes its data to, or one above it or below it.
//
// Source: documentation of the images postgres (PGDATA, VOLUME since 18) and bitnami/postgresql.
func holdsData(service types.ServiceConfig, target string) bool {
	places := []string{dataDirectory, "/bitnami/postgresql"}
	for _, name := range []string{"PGDATA", "POSTGRESQL_DATA_DIR"} {
		if value := service.Environment[name]; value != nil && *value != "" {
			places = append(places, *value)
		}
	}
	target = path.Clean(target)
	return slices.ContainsFunc(places, func(place string) bool {
		place = path.Clean(place)
		return target == place || strings.HasPrefix(place, target+"/") || strings.HasPrefix(target, place+"/")
	})
}
