-- What a service tells the others, how far it has heard them, and how far they have heard it.
CREATE TABLE outbox (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- never given out twice, whatever was pruned
    kind    TEXT    NOT NULL,
    payload TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE feed_cursor (
    source TEXT    NOT NULL PRIMARY KEY,
    seq    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_reader (
    consumer TEXT    NOT NULL PRIMARY KEY,
    seq      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
