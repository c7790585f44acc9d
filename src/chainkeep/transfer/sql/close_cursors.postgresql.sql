-- A cursor that has been read to its end still holds its table, which could not be dropped.
CLOSE ALL;
