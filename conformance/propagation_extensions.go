package conformance

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

func propagationExtensions() []Check {
	return []Check{{
		ID:         "propagation/extensions",
		Obligation: "An extension created on the primary should be there on the standby, and its functions should work, which takes its library on both.",
		Level:      Should,
		Needs:      Needs{Superuser: true},
		Source:     "PostgreSQL documentation, Packaging Related Objects into an Extension; Hot Standby",
		Run:        extensionArrives,
	}}
}

const (
	installedExtensionSQL = `SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = $1`
	availableExtensionSQL = `SELECT count(*) > 0 FROM pg_available_extensions WHERE name = $1`
	createExtensionSQL    = `CREATE EXTENSION %s SCHEMA %s`
	dropExtensionSQL      = `DROP EXTENSION %s CASCADE`
)

// extensionSchema says where an extension is installed in this database.
func (c *C) extensionSchema(name string) (schema string, installed bool) {
	err := c.OnPrimary().QueryRow(c.ctx, installedExtensionSQL, name).Scan(&schema)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		c.Fatalf("look for extension %s: %v", name, err)
	}
	return schema, err == nil
}

// useExtension gives the schema of an extension. It creates it in the check's
// own schema when the database does not have it, and skips the check when the
// server does not offer it.
func (c *C) useExtension(name string) (schema string) {
	if schema, installed := c.extensionSchema(name); installed {
		return schema
	}
	if !Value[bool](c.OnPrimary(), availableExtensionSQL, name) {
		c.Skipf("the server does not offer the extension %s", name)
	}
	c.OnPrimary().Do(fmt.Sprintf(createExtensionSQL, name, c.Schema()))
	return c.Schema()
}

// extensionSample is an extension with a library, and a use of it.
type extensionSample struct {
	name, sql, want string
}

func extensionSamples() []extensionSample {
	return []extensionSample{
		{"pg_trgm", `SELECT show_trgm('ab')::text`, `{"  a"," ab","ab "}`},
		{"hstore", `SELECT ('a=>1, b=>2'::hstore -> 'b')::text`, "2"},
		{"citext", `SELECT ('Ab'::citext = 'aB'::citext)::text`, "true"},
		{"intarray", `SELECT sort('{3,1,2}'::int[])::text`, "{1,2,3}"},
		{"fuzzystrmatch", `SELECT levenshtein('kitten', 'sitting')::text`, "3"},
	}
}

const (
	extensionRowSQL = `
SELECT concat_ws(' ', extname, extversion, extnamespace::regnamespace,
                 (SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND refobjid = e.oid))
  FROM pg_extension AS e WHERE extname = $1`

	extensionCountSQL = `SELECT count(*)::text FROM pg_extension WHERE extname = $1`
)

// extensionArrives takes the first extension that is offered and not yet in
// use in this database.
func extensionArrives(c *C) {
	primary := c.writer()
	for _, sample := range extensionSamples() {
		if _, installed := c.extensionSchema(sample.name); installed || !Value[bool](primary, availableExtensionSQL, sample.name) {
			continue
		}
		primary.Do(fmt.Sprintf(createExtensionSQL, sample.name, c.Schema()))
		c.same("extension "+sample.name, extensionRowSQL, sample.name)
		c.wantSame("function of "+sample.name, []string{sample.want}, sample.sql)
		primary.Do(fmt.Sprintf(dropExtensionSQL, sample.name))
		c.wantSame("extension dropped", []string{"0"}, extensionCountSQL, sample.name)
		return
	}
	c.Skipf("the server offers no extension, of those that the check knows, that this database does not use already")
}
