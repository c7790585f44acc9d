"""The revisions, one module and one script each."""

from __future__ import annotations
