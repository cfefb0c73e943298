package conformance

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const (
	createRoleSQL = `CREATE ROLE %s %s`
	dropRoleSQL   = `DROP ROLE IF EXISTS %s`
)

// scratchRole creates a role of the check's own with the given options,
// dropped after the check. Make it before the schema: rights on the schema
// must be gone when the role goes.
func (c *C) scratchRole(options string) string {
	primary := c.Pair().Primary
	name := c.ScratchName()
	quoted := pgx.Identifier{name}.Sanitize()
	c.Cleanup(func(ctx context.Context) error {
		return primary.Exec(ctx, fmt.Sprintf(dropRoleSQL, quoted))
	})
	if err := primary.Exec(c.Context(), fmt.Sprintf(createRoleSQL, quoted, options)); err != nil {
		c.Fatalf("create role of the check: %v", err)
	}
	return name
}
