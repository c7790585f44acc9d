-- One migration at a time per schema; the lock ends with the transaction. A worker that had to wait
-- must see what the other did, so this runs first in a READ COMMITTED transaction.
SELECT pg_advisory_xact_lock(hashtextextended('chainkeep ' || current_schema(), 0));
