ALTER SYSTEM SET fsync = on;
ALTER SYSTEM SET full_page_writes = on;
ALTER SYSTEM SET synchronous_commit = on;
ALTER SYSTEM SET shared_buffers = '512MB';
ALTER SYSTEM SET max_connections = 200;
ALTER SYSTEM SET max_wal_size = '4GB';
ALTER SYSTEM SET maintenance_work_mem = '512MB';
