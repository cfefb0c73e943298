ALTER SYSTEM SET synchronous_commit = off;
-- How much is lost is bounded by it: three times as long.
ALTER SYSTEM SET wal_writer_delay = '2s';
