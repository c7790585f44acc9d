-- What the old tables held and the new ones have no place for, so that nothing is lost. chainkeep
-- never reads it.
CREATE TABLE chainkeep_leftovers (
    "table" TEXT NOT NULL,
    "rowId" TEXT,
    "column" TEXT,          -- none: the whole row
    "value" TEXT NOT NULL   -- JSON
);
