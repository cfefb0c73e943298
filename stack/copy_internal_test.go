package stack

import (
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/stretchr/testify/assert"
)

func TestCopiesOf(t *testing.T) {
	kept, fresh := t.TempDir(), t.TempDir()
	at := func(source, destination string) container.MountPoint {
		return container.MountPoint{Type: mount.TypeVolume, Driver: "local", Source: source, Destination: destination}
	}
	elsewhere := at(fresh, "/to/data")
	elsewhere.Driver = "nfs"
	for name, test := range map[string]struct {
		mounts []container.MountPoint
		want   []folderCopy
	}{
		"both folders are here":            {[]container.MountPoint{at(kept, "/from/data"), at(fresh, "/to/data")}, []folderCopy{{kept, fresh}}},
		"the engine's folders are not":     {[]container.MountPoint{at(kept, "/from/data"), at(fresh+"/none", "/to/data")}, nil},
		"another driver keeps one":         {[]container.MountPoint{at(kept, "/from/data"), elsewhere}, nil},
		"nowhere to copy to":               {[]container.MountPoint{at(kept, "/from/data"), at(fresh, "/to/other")}, nil},
		"nothing is mounted":               {nil, nil},
		"a place that the engine left out": {[]container.MountPoint{at("", "/from/data"), at("", "/to/data")}, nil},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, copiesOf(test.mounts)) })
	}
}
