"""Parses Python, whatever earlier tests left to be collected."""

from __future__ import annotations

import ast
import gc


def parsed(text: str) -> ast.Module:
    """The tree of a module.

    While CPython 3.11 makes a tree nobody else in the thread may parse: "AST constructor recursion
    depth mismatch". What earlier tests left may, when it is collected: to print a traceback is to
    parse.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        if was_enabled:
            gc.enable()
