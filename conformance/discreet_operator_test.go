package conformance_test

import (
	"context"
	"strings"
	"testing"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// discreet fails the test when a check gives a password among the arguments of
// a command: they are in every list of the host's processes. Each run of the
// project's own recipes has it.
type discreet struct {
	conformance.Operator
	t       *testing.T
	secrets []string
}

func newDiscreet(t *testing.T, target *conformance.Target) discreet {
	t.Helper()
	return discreet{Operator: target.Operator, t: t, secrets: secretsOf(t, target)}
}

func (o discreet) Exec(ctx context.Context, node string, variables []string, command ...string) (conformance.Execution, error) {
	o.judge(node, command)
	return o.Operator.Exec(ctx, node, variables, command...)
}

func (o discreet) Run(ctx context.Context, node string, variables []string, command ...string) (conformance.Execution, error) {
	o.judge(node, command)
	return o.Operator.Run(ctx, node, variables, command...)
}

func (o discreet) judge(node string, command []string) {
	for _, secret := range o.secrets {
		if strings.Contains(strings.Join(command, " "), secret) {
			o.t.Errorf("a password is among the arguments of %s, run in %s", command[0], node)
		}
	}
}
