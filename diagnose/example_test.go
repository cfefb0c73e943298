package diagnose_test

import (
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// A standby asks twice for a slot that the primary does not have.
func ExampleOf() {
	began := time.Now()
	refused := `pg_basebackup: error: could not send replication command "START_REPLICATION": ERROR:  replication slot "standby" does not exist`
	found := diagnose.Of(&diagnose.Evidence{
		At:      began.Add(3 * time.Second),
		Missing: diagnose.Missing{Server: "replica", Fact: "server answers over TCP", Since: 3 * time.Second},
		Servers: []diagnose.Server{
			{Service: diagnose.Service{Name: "db"}, Answer: &diagnose.Answer{Slots: []string{"replica"}}},
			{Service: diagnose.Service{Name: "replica"}, Log: []diagnose.Line{
				{At: began.Add(time.Second), Text: refused},
				{At: began.Add(2 * time.Second), Text: refused},
			}},
		},
	})
	fmt.Println(found.ID, found.Conclusive)
	fmt.Println(found.Cause)
	// Output:
	// wrong-slot true
	// replica asks for the replication slot standby; db has replica
}
