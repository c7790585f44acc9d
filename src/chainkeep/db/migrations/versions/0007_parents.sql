DROP INDEX steps_parent_idx;
