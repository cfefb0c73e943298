DO $$
BEGIN
    LOOP
        PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active;
        PERFORM pg_sleep(0.001);
    END LOOP;
END $$;
