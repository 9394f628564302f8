-- A node's facts in SQLite. One statement each, ended by a semicolon at the end of a line: hosts
-- execute them one by one. Times are milliseconds since the epoch.

-- That a peer is in a network, at a home. `home` is '' for this node, else the other node's id;
-- `session` is 0 for another node. `state`: 0 live, 1 away, 2 away and the others were told.
CREATE TABLE IF NOT EXISTS presence (
  network TEXT NOT NULL,
  peer    TEXT NOT NULL,
  home    TEXT NOT NULL,
  session INTEGER NOT NULL,
  state   INTEGER NOT NULL,
  until   INTEGER NOT NULL,
  profile TEXT NOT NULL,
  PRIMARY KEY (network, peer, home)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS presence_until ON presence (network, until);

-- What waits for a peer, in the order of `seq`. `code` is NULL for news; for a signal it is what the
-- sender hears if nobody has read it by `until`. `sent`: a stream has it, but has not said so yet.
CREATE TABLE IF NOT EXISTS mail (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  network TEXT NOT NULL,
  peer    TEXT NOT NULL,
  text    TEXT NOT NULL,
  code    TEXT,
  until   INTEGER NOT NULL,
  sent    INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX IF NOT EXISTS mail_peer ON mail (network, peer, seq);

-- What else a host keeps between requests: its key, the nodes that it knows, records.
CREATE TABLE IF NOT EXISTS kept (
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL
) WITHOUT ROWID;

-- What may happen once only, until a time: nonces of signed requests.
CREATE TABLE IF NOT EXISTS once (
  name  TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS once_until ON once (until);

-- Published records; `data` is JSON.
CREATE TABLE IF NOT EXISTS record (
  id         TEXT PRIMARY KEY,
  topic      TEXT NOT NULL,
  data       TEXT NOT NULL,
  node       TEXT NOT NULL,
  timestamp  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  replicated INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS record_topic ON record (topic, expires_at);
