package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// heldParameter is a parameter as SHOW prints it, and where it comes from.
type heldParameter struct {
	Value  string `db:"value"`
	Source string `db:"source"`
}

const heldParameterSQL = `SELECT current_setting(name) AS value, source FROM pg_settings WHERE name = $1`

// parameterLimit bounds how long a server takes to load its files again.
const parameterLimit = 10 * time.Second

// Set changes a parameter of a node with ALTER SYSTEM and a reload, waits
// until want is in force, and puts back what was there after the check.
// A parameter of the command line cannot be changed so: the check is skipped
// unless it is as wanted already.
func (c *C) Set(node *pair.Node, name, value, want string) {
	now := askRow[heldParameter](c, node, heldParameterSQL, name)
	if now.Source == "command line" {
		if now.Value != want {
			c.Skipf("%s of %s is %s on its command line, and this check wants %s", name, node.Name(), now.Value, want)
		}
		return
	}
	c.SetInFile(node, name, value)
	c.Eventually(fmt.Sprintf("%s of %s is %s", name, node.Name(), want), parameterLimit, func(ctx context.Context) (bool, string, error) {
		seen, err := node.Setting(ctx, name)
		return seen == want, seen, err
	})
}

// SetInFile changes a parameter of a node for its next start, and puts back
// what was there after the check. A restored value may need a restart as well.
func (c *C) SetInFile(node *pair.Node, name, value string) {
	if !c.target.Exclusive {
		c.Harness(fmt.Errorf("check sets %s of %s, but does not say that it needs exclusive use", name, node.Name()))
	}
	restore, err := node.SaveParameter(c.ctx, name)
	if err != nil {
		c.Fatalf("read %s of %s: %v", name, node.Name(), err)
	}
	if !c.check.Consumes { // what is thrown away need not be tidy
		c.Cleanup(func(ctx context.Context) error { return c.restoreParameter(ctx, node, name, restore) })
	}
	c.alter(node, name, value)
}

// alter changes a parameter for good, and has the node load it. Where nobody
// may (allow_alter_system, since PostgreSQL 17), the check is skipped.
func (c *C) alter(node *pair.Node, name, value string) {
	err := node.SetParameter(c.ctx, name, value)
	if pair.SQLState(err) == notSupported {
		c.Skipf("%s cannot be set on %s: %v", name, node.Name(), err)
	}
	if err != nil {
		c.Fatalf("set %s of %s: %v", name, node.Name(), err)
	}
}

// restoreParameter waits for a server that the check has just started again.
// One that the check found broken is not waited for long if it is made anew.
func (c *C) restoreParameter(ctx context.Context, node *pair.Node, name string, restore func(context.Context) error) error {
	anew := c.target.disposable()
	if anew && node == c.lost && node != c.Pair().Primary {
		return nil
	}
	const interval = 50 * time.Millisecond
	limit := parameterLimit
	switch {
	case !anew:
		limit = cleanupLimit
	case c.Failed():
		limit = brokenLimit
	}
	ctx, cancel := context.WithTimeout(ctx, lengthened(limit, c.patience))
	defer cancel()
	var last error
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		last = restore(ctx)
		return last == nil || pair.SQLState(last) == notSupported, nil // where nobody may set it, nothing was set
	})
	if err != nil {
		c.untidy = c.untidy || node == c.Pair().Primary // standbys are cloned anew
		return fmt.Errorf("restore %s of %s, which is still changed: %w: %w", name, node.Name(), err, last)
	}
	return nil
}
