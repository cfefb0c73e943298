package stack

import (
	"testing"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"github.com/stretchr/testify/assert"
)

// A deployed service reads like one of a compose file.
func TestServiceOfASwarm(t *testing.T) {
	spec := swarm.ServiceSpec{
		TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{
			Image: "registry.example/postgres:15.8@sha256:0123", User: "postgres", Args: []string{"postgres"},
			Env:    []string{"POSTGRES_DB=my=database", "EMPTY"},
			Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: "db_data", Target: "/data"}},
		}},
		EndpointSpec: &swarm.EndpointSpec{Ports: []swarm.PortConfig{
			{Protocol: swarm.PortConfigProtocolTCP, TargetPort: 5432, PublishedPort: 5433},
			{Protocol: swarm.PortConfigProtocolTCP, TargetPort: 8008},
		}},
	}
	assert.Equal(t, Service{
		Name: "db", Image: "registry.example/postgres:15.8", User: "postgres", Command: []string{"postgres"},
		Environment: map[string]string{"POSTGRES_DB": "my=database", "EMPTY": ""},
		Ports:       []Port{{Published: "5433", Target: 5432, Protocol: "tcp"}, {Published: "", Target: 8008, Protocol: "tcp"}},
		Mounts:      []Mount{{Type: "volume", Source: "db_data", Target: "/data"}},
	}, asService("db", spec))
}
