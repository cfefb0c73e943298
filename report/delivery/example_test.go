package delivery_test

import (
	"fmt"
	"syscall"

	"github.com/postgres-master-slave/postgres-master-slave/report"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

// What failed outweighs what went wrong on the way; an interruption outweighs both.
func ExampleExitCode() {
	failed := &report.Results{Outcome: report.Failed}
	code, _ := delivery.ExitCode(failed, 0, fmt.Errorf("disk full"))
	fmt.Println(code)
	code, err := delivery.ExitCode(failed, syscall.SIGINT, nil)
	fmt.Println(code, err)
	// Output:
	// 1
	// 130 interrupted by interrupt: the results are incomplete
}
