"""The database: statements, the two dialects, where statements run, and the ordered way in."""

from __future__ import annotations

import logging

# Chainlit sets the root logger to INFO, at which Alembic says a dozen things at every start, the
# first of them when it is imported.
logging.getLogger("alembic").setLevel(logging.WARNING)
