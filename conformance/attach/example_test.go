package attach_test

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
)

// Servers that run already are looked at, and nothing is created on them.
func ExampleTarget() {
	ctx := context.Background()
	target, err := attach.Target(ctx, attach.Options{
		Primary: "host=db1 user=app dbname=app", Standbys: []string{"host=db2 user=app dbname=app"}, ReadOnly: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer target.Pair.Close()
	results, err := conformance.Verify(ctx, target, conformance.Core())
	fmt.Println(results.Count(conformance.Pass), "checks passed, green:", results.Green(), err)
}

// What is wrong with a connection string is told without quoting it.
func ExampleTarget_wrongConnectionString() {
	_, err := attach.Target(context.Background(), attach.Options{
		Primary: "host=db1 password=secret sslmode=maybe", Standbys: []string{"host=db2"},
	})
	fmt.Println(err)
	// Output: read connection string of the primary: not a connection string that can be used: failed to configure TLS (sslmode is invalid)
}
