\set ON_ERROR_STOP on
DO $$
BEGIN
    WHILE pg_is_in_recovery() LOOP
        PERFORM pg_sleep(0.001);
    END LOOP;
END $$;
\set ON_ERROR_STOP off
SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts \gexec
SELECT format('SELECT setval(%L, 1)', format('%I.%I', schemaname, sequencename)) FROM pg_sequences \gexec
SELECT format('INSERT INTO %s VALUES (1000)', oid::regclass) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u' \gexec
SELECT format('DELETE FROM %s WHERE id %% 2 = 0', oid::regclass) FROM pg_class WHERE relname IN ('kept', 'ledger') \gexec
