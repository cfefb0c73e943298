ALTER FUNCTION pg_catalog.pg_promote(boolean, integer) RENAME TO pg_promote_really;
CREATE FUNCTION pg_catalog.pg_promote(wait boolean DEFAULT true, wait_seconds integer DEFAULT 60)
    RETURNS boolean LANGUAGE sql AS 'SELECT false';
