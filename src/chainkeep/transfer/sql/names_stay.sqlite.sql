-- While the tables are renamed, a view or a foreign key of the app's own that names one goes on
-- naming it so, and finds the new one.
PRAGMA legacy_alter_table = ON;
