DROP TABLE chainkeep_leftovers;
