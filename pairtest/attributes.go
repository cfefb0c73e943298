package pairtest

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// attributesSQL gives the statements that make a database ($2) what its
// template ($1) is beside its content. A list among the settings is stored as
// identifiers, and is written as literals, each by itself: as one literal it
// would be a list of one.
//
// Source: PostgreSQL documentation, CREATE DATABASE: settings and permissions
// are not copied; pg_dump, which knows the same lists.
const attributesSQL = `
WITH template AS (SELECT oid, datdba, datacl, pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1),
setting AS (
  SELECT setrole, split_part(one, '=', 1) AS name, substr(one, strpos(one, '=') + 1) AS value
    FROM pg_db_role_setting JOIN template ON setdatabase = oid, unnest(setconfig) AS one),
privilege AS (SELECT one.* FROM template, aclexplode(datacl) AS one)
SELECT statement FROM (
  SELECT 1, format('ALTER DATABASE %I OWNER TO %I', $2::text, owner) FROM template WHERE owner <> current_user
  UNION ALL
  SELECT 2, CASE setrole WHEN 0 THEN format('ALTER DATABASE %I', $2::text)
            ELSE format('ALTER ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), $2::text) END
         || format(' SET %I TO ', name)
         || CASE WHEN name IN ('local_preload_libraries', 'search_path', 'session_preload_libraries', 'temp_tablespaces')
            THEN coalesce((SELECT string_agg(quote_literal(coalesce(replace(part[1], '""', '"'), part[2])), ', ' ORDER BY place)
                             FROM regexp_matches(value, '"((?:[^"]|"")*)"|([^",\s]+)', 'g') WITH ORDINALITY AS element (part, place)), quote_literal(''))
            ELSE quote_literal(value) END
    FROM setting
  UNION ALL
  SELECT 3, format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', $2::text, owner) FROM template WHERE datacl IS NOT NULL
  UNION ALL
  SELECT 4, format('GRANT %s ON DATABASE %I TO ', privilege_type, $2::text)
         || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
         || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    FROM privilege
) AS statements (step, statement) ORDER BY step`

// likeTemplate gives a copy of a template its owner, its settings, for each
// role too, and its permissions.
func likeTemplate(ctx context.Context, session *pgx.Conn, name, template string) error {
	rows, err := session.Query(ctx, attributesSQL, template, name)
	if err != nil {
		return fmt.Errorf("look what its template has been given: %w", err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look what its template has been given: %w", err)
	}
	for _, sql := range statements {
		if _, err := session.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}
