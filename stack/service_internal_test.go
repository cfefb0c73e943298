package stack

import (
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
)

// A volume that another service mounts too is not removed with one service.
func TestSharedVolume(t *testing.T) {
	on := func(volumes ...string) (service types.ServiceConfig) {
		for _, one := range volumes {
			service.Volumes = append(service.Volumes, types.ServiceVolumeConfig{Type: types.VolumeTypeVolume, Source: one})
		}
		return service
	}
	project := &types.Project{Services: types.Services{
		"primary": on("primary_data", "archive"), "standby": on("standby_data", "archive"), keeper: on("primary_data", "standby_data", "archive"),
	}}
	for volume, want := range map[string]bool{"archive": true, "standby_data": false} {
		assert.Equal(t, want, sharedVolume(project, "standby", volume), volume)
	}
}
