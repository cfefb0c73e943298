\set ON_ERROR_STOP on
DO $$
BEGIN
    LOOP
        IF pg_is_wal_replay_paused() THEN
            PERFORM pg_wal_replay_resume();
        END IF;
        PERFORM pg_sleep(0.001);
    END LOOP;
END $$;
