CREATE OR REPLACE FUNCTION pg_catalog.pg_promote(wait boolean DEFAULT true, wait_seconds integer DEFAULT 60)
    RETURNS boolean LANGUAGE sql STRICT AS 'SELECT false';
