\set ON_ERROR_STOP on
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = 'walreceiver' AND state = 'streaming') LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
ALTER ROLE replicator VALID UNTIL 'yesterday';
