CREATE FUNCTION public.make_unlogged() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE command_tag LIKE 'CREATE TABLE%' AND object_type = 'table' LOOP
        EXECUTE format('ALTER TABLE %s SET UNLOGGED', made.object_identity);
    END LOOP;
END $$;
CREATE EVENT TRIGGER make_unlogged ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS') EXECUTE FUNCTION public.make_unlogged();
