package stack_test

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

func ExampleLoad() {
	model, err := stack.Load(context.Background(), "../docker/docker-compose.yml")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(model.Services)) {
		service := model.Services[name]
		fmt.Println(name, service.Image, "published on port", service.Ports[0].Published)
	}
	// Output:
	// postgres_master postgres:15.8 published on port 5432
	// postgres_slave postgres:15.8 published on port 5433
}
