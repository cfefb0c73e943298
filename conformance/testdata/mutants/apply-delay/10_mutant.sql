ALTER SYSTEM SET recovery_min_apply_delay = '2s';
