\set ON_ERROR_STOP on
DO $$
DECLARE
    flushed pg_lsn;
    before pg_lsn;
    moved timestamptz := clock_timestamp();
BEGIN
    LOOP
        SELECT max(flush_lsn) INTO flushed FROM pg_stat_get_wal_senders();
        IF flushed IS DISTINCT FROM before OR flushed >= pg_current_wal_flush_lsn() THEN
            before := flushed;
            moved := clock_timestamp();
        ELSIF moved < clock_timestamp() - interval '700 ms' THEN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_get_wal_senders() WHERE flush_lsn < pg_current_wal_flush_lsn();
            moved := clock_timestamp();
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
