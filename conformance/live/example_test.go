package live_test

import (
	"context"
	"errors"
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
	target, stop, err := live.Start(ctx, engine, stack.Options{Files: []string{"../../docker/docker-compose.yml"}, Name: "example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := conformance.Verify(ctx, target, conformance.Core())
	fmt.Println(results.Count(conformance.Pass), "checks passed, green:", results.Green())
	fmt.Println(errors.Join(err, stop(ctx), engine.Close()))
}
