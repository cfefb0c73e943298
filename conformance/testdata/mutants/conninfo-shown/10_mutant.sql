GRANT pg_read_all_settings TO replicator;
