\set ON_ERROR_STOP on
DO $$
DECLARE
    flushed pg_lsn;
    before pg_lsn;
    moved timestamptz := clock_timestamp();
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT max(flush_lsn) INTO flushed FROM pg_stat_replication WHERE application_name = 'walreceiver';
        IF flushed IS DISTINCT FROM before OR flushed >= pg_current_wal_flush_lsn() THEN
            before := flushed;
            moved := clock_timestamp();
        ELSIF moved < clock_timestamp() - interval '700 ms' THEN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = 'walreceiver';
            moved := clock_timestamp();
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
