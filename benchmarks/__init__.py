"""What chainkeep costs: the databases' own plans, and measurements."""
