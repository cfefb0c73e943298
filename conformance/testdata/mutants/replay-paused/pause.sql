\set ON_ERROR_STOP on
-- The first table of an application is the last thing that arrives.
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_tables WHERE schemaname !~ '^(pg_|information_)') LOOP
        PERFORM pg_sleep(0.001);
    END LOOP;
    PERFORM pg_wal_replay_pause();
END $$;
