-- A node's facts in SQLite. Statements stand apart by an empty line, and have none inside: hosts
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

-- For the question which networks something is over in.
CREATE INDEX IF NOT EXISTS presence_over ON presence (until, network);

-- For the questions who is here, and which other nodes have peers in a network.
CREATE INDEX IF NOT EXISTS presence_home ON presence (network, home, state);

-- What waits for a peer, in the order of `seq`. `code` is NULL for news; for a signal it is what the
-- sender hears if nobody has read it by `until`, and `node` is the node that brought it. `sent`: 1 if
-- an open stream was given it, 2 if that stream has ended; the peer has not said yet that it got it.
CREATE TABLE IF NOT EXISTS mail (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  network TEXT NOT NULL,
  peer    TEXT NOT NULL,
  text    TEXT NOT NULL,
  node    TEXT,
  code    TEXT,
  until   INTEGER NOT NULL,
  sent    INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX IF NOT EXISTS mail_peer ON mail (network, peer, seq);

-- The changes of one step of the node, as a JSON array: inserting them applies them, presences before
-- mail, all or nothing. They may be of several networks. So a step is one statement wherever SQLite runs, also where a transaction
-- over several statements does not hold, and it is written to disk once.
CREATE VIEW IF NOT EXISTS step (changes) AS SELECT '' WHERE 0;

CREATE TRIGGER IF NOT EXISTS step_applies INSTEAD OF INSERT ON step
BEGIN
  INSERT INTO presence (network, peer, home, session, state, until, profile)
    SELECT value ->> 'network', value ->> 'peer', value ->> 'home', value ->> 'session',
      value ->> 'state', value ->> 'until', value ->> 'profile'
    FROM json_each(NEW.changes) WHERE value ->> 'do' = 'remember' ORDER BY key
    ON CONFLICT (network, peer, home) DO UPDATE SET session = excluded.session,
      state = excluded.state, until = excluded.until, profile = excluded.profile;
  -- The rest concerns only who is still of the same session. (CROSS JOIN keeps the order of the
  -- tables: a few changes, each with its presence, never the other way round.)
  INSERT INTO presence (network, peer, home, session, state, until, profile)
    SELECT p.network, p.peer, p.home, p.session, coalesce(c.value ->> 'state', p.state),
      c.value ->> 'until', p.profile
    FROM json_each(NEW.changes) c CROSS JOIN presence p
    WHERE c.value ->> 'do' IN ('renew', 'leave') AND p.network = c.value ->> 'network'
      AND p.peer = c.value ->> 'peer' AND p.home = c.value ->> 'home'
      AND p.session = c.value ->> 'session'
    ON CONFLICT (network, peer, home) DO UPDATE SET state = excluded.state, until = excluded.until;
  DELETE FROM presence WHERE (network, peer, home, session) IN
    (SELECT value ->> 'network', value ->> 'peer', value ->> 'home', value ->> 'session'
     FROM json_each(NEW.changes) WHERE value ->> 'do' = 'forget');
  -- News are of no use to a peer that is not here.
  DELETE FROM mail WHERE code IS NULL AND (network, peer) IN
    (SELECT value ->> 'network', value ->> 'peer' FROM json_each(NEW.changes)
     WHERE value ->> 'do' IN ('leave', 'forget'))
    AND NOT EXISTS (SELECT 1 FROM presence p WHERE p.network = mail.network AND p.peer = mail.peer
      AND p.home = '' AND p.state = 0);
  -- A reader that is far behind misses news, never signals: that those fit was decided before.
  INSERT INTO mail (network, peer, text, node, code, until)
    SELECT network, peer, text, node, code, until FROM (
      SELECT key AS place, value ->> 'network' AS network, value ->> 'to' AS peer,
        value ->> 'text' AS text, value ->> 'by' AS node, value ->> 'code' AS code, value ->> 'until' AS until
      FROM json_each(NEW.changes) WHERE value ->> 'do' = 'signal'
      UNION ALL
      SELECT c.key, p.network, p.peer, c.value ->> 'text', NULL, NULL, 0
      FROM json_each(NEW.changes) c CROSS JOIN json_each(c.value, '$.to') t CROSS JOIN presence p
      WHERE c.value ->> 'do' = 'tell' AND p.network = c.value ->> 'network' AND p.peer = t.value
        AND p.home = '' AND p.state = 0 AND c.value ->> 'most' >
          (SELECT count(*) FROM mail m WHERE m.network = p.network AND m.peer = p.peer)
      UNION ALL
      SELECT c.key, p.network, p.peer, c.value ->> 'text', NULL, NULL, 0
      FROM json_each(NEW.changes) c CROSS JOIN presence p
      WHERE c.value ->> 'do' = 'tell-all' AND p.network = c.value ->> 'network' AND p.peer <> c.value ->> 'except'
        AND p.home = '' AND p.state = 0 AND c.value ->> 'most' >
          (SELECT count(*) FROM mail m WHERE m.network = p.network AND m.peer = p.peer)
    ) ORDER BY place;
END;

-- Streams of events that are open: one for each session, the latest. `until` is when it ends itself.
CREATE TABLE IF NOT EXISTS stream (
  session INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  until   INTEGER NOT NULL
);

-- What else a host keeps between requests: its key, the nodes that it knows.
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
