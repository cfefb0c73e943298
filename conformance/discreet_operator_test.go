package conformance_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	found := discreet{Operator: target.Operator, t: t}
	// A password that is also the name of a role or database is no secret.
	add := func(password string, names ...string) {
		for _, name := range names {
			if password == name {
				return
			}
		}
		if password != "" {
			found.secrets = append(found.secrets, password)
		}
	}
	config, err := target.Pair.Primary.Config(t.Context())
	require.NoError(t, err)
	add(config.Password, config.User, config.Database)
	add(target.Replicator.Password, target.Replicator.Role)
	return found
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
