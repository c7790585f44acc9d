"""A script is taken apart into whole statements."""

from __future__ import annotations

from chainkeep.db.migrations import statements


def test_a_statement_ends_at_its_own_semicolon() -> None:
    script = """
-- one; two
CREATE TABLE a (b TEXT);  -- three; four
INSERT INTO a VALUES (';
');
"""
    assert list(statements(script)) == [
        "-- one; two\nCREATE TABLE a (b TEXT);  -- three; four",
        "INSERT INTO a VALUES (';\n');",
    ]


def test_a_trigger_is_one_statement() -> None:
    script = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a;\n  DELETE FROM b;\nEND;"
    assert list(statements(script)) == [script]
