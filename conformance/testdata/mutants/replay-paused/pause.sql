\set ON_ERROR_STOP on
-- The first schema of an application is the last thing that arrives.
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)') LOOP
        PERFORM pg_sleep(0.001);
    END LOOP;
    PERFORM pg_wal_replay_pause();
END $$;
