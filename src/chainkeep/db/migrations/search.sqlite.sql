-- The trigrams of search_texts, kept in step by triggers; only the indexer writes there. No positions: what holds the
-- trigrams of a term is compared with it anyway, and the index is a third as big.
CREATE VIRTUAL TABLE search_index USING fts5(
    owner,
    text,
    content = 'search_texts',
    content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1',
    detail = none,
    columnsize = 0
);
CREATE TRIGGER search_texts_insert AFTER INSERT ON search_texts BEGIN
    INSERT INTO search_index (rowid, owner, text) VALUES (new."number", new."owner", new."text");
END;
CREATE TRIGGER search_texts_delete AFTER DELETE ON search_texts BEGIN
    INSERT INTO search_index (search_index, rowid, owner, text)
    VALUES ('delete', old."number", old."owner", old."text");
END;
CREATE TRIGGER search_texts_update AFTER UPDATE ON search_texts BEGIN
    INSERT INTO search_index (search_index, rowid, owner, text)
    VALUES ('delete', old."number", old."owner", old."text");
    INSERT INTO search_index (rowid, owner, text) VALUES (new."number", new."owner", new."text");
END;
INSERT INTO search_index (search_index) VALUES ('rebuild');
