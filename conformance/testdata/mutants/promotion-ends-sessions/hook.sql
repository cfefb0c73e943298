\set ON_ERROR_STOP on
DO $$
BEGIN
    WHILE pg_is_in_recovery() LOOP
        PERFORM pg_sleep(0.001);
    END LOOP;
END $$;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();
