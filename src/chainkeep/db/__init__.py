"""The database: statements, the two dialects, where statements run, and the ordered way in."""
