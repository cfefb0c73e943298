CREATE FUNCTION public.wait_for_standby() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written pg_lsn := pg_current_wal_insert_lsn();
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_get_wal_senders() WHERE flush_lsn >= written) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN NULL;
END $$;
CREATE FUNCTION public.make_synchronous() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE command_tag = 'CREATE TABLE' AND object_type = 'table' LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER synchronous AFTER INSERT ON %s DEFERRABLE INITIALLY DEFERRED'
            ' FOR EACH ROW EXECUTE FUNCTION public.wait_for_standby()', made.object_identity);
    END LOOP;
END $$;
CREATE EVENT TRIGGER make_synchronous ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.make_synchronous();
