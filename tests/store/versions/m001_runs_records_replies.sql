CREATE TABLE migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL);
INSERT INTO migrations VALUES ('m001_runs_records_replies', '2026-01-01 00:00:00');
CREATE TABLE runs (id TEXT PRIMARY KEY, command TEXT NOT NULL, params TEXT NOT NULL, seed TEXT NOT NULL, versions TEXT NOT NULL, started TEXT NOT NULL, finished TEXT);
INSERT INTO runs VALUES ('20260101-000000-abcdef', 'improve', '{"task":"ledger"}', '7', '{"python":"3.11.7"}', '2026-01-01T00:00:00.000+00:00', NULL);
CREATE TABLE records (id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (run, kind, key));
INSERT INTO records VALUES (1, '20260101-000000-abcdef', 'finding', 'accuracy', '{"estimate":0.5,"n":200}');
CREATE TABLE replies (key BLOB PRIMARY KEY, reply BLOB NOT NULL);
INSERT INTO replies VALUES (X'8fabc734b50f5b4374e8ad5d8e9d71506247bd4d7b04a905a7348036ec8073fd', CAST('{"text":"4","finish":"stop","usage":[5,1],"tokens":null}' AS BLOB));
