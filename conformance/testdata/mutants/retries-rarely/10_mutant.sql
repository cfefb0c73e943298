ALTER SYSTEM SET wal_retrieve_retry_interval = '10min';
