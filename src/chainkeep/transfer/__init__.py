"""What moves history in and out: taking over another layer's database."""

from __future__ import annotations
