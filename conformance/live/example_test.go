package live_test

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// A recipe is started, checked and removed without a testing.T.
func ExampleStart() {
	ctx := context.Background()
	engine, err := stack.Open(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = engine.Close() }() // an example, and the watchdog is there
	target, stop, err := live.Start(ctx, engine, stack.Options{Files: []string{"../../docker/docker-compose.yml"}, Name: "example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = stop(ctx) }() // closing the engine removes what is left
	results, err := conformance.Verify(ctx, target, conformance.Core())
	fmt.Println(results.Count(conformance.Pass), "checks passed, green:", results.Green(), err)
}
