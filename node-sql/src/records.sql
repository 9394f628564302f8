-- Records, each as its JSON in `text`; that is empty for one whose time is over and that is remembered
-- until `kept_until` only so that none that it replaced comes back.
CREATE TABLE IF NOT EXISTS record (
  id         TEXT PRIMARY KEY,
  topic      TEXT NOT NULL,
  publisher  TEXT NOT NULL,
  seq        INTEGER NOT NULL,
  version    TEXT NOT NULL,
  text       TEXT NOT NULL,
  timestamp  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  kept_until INTEGER NOT NULL,
  deleted    INTEGER NOT NULL,
  on_behalf  INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS record_topic ON record (topic, timestamp DESC, id);

CREATE INDEX IF NOT EXISTS record_publisher ON record (publisher);

CREATE INDEX IF NOT EXISTS record_version ON record (version);

CREATE INDEX IF NOT EXISTS record_expires ON record (expires_at) WHERE text <> '';

CREATE INDEX IF NOT EXISTS record_kept ON record (kept_until);

-- How many records there are and how many bytes, so that nobody has to count them.
CREATE TABLE IF NOT EXISTS record_sum (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL
);

INSERT OR IGNORE INTO record_sum (one, count, bytes) VALUES (1, 0, 0);

CREATE TRIGGER IF NOT EXISTS record_comes AFTER INSERT ON record
BEGIN
  UPDATE record_sum SET count = count + 1, bytes = bytes + length(CAST(NEW.text AS BLOB));
END;

CREATE TRIGGER IF NOT EXISTS record_changes AFTER UPDATE OF text ON record
BEGIN
  UPDATE record_sum SET bytes = bytes + length(CAST(NEW.text AS BLOB)) - length(CAST(OLD.text AS BLOB));
END;

CREATE TRIGGER IF NOT EXISTS record_goes AFTER DELETE ON record
BEGIN
  UPDATE record_sum SET count = count - 1, bytes = bytes - length(CAST(OLD.text AS BLOB));
END;
