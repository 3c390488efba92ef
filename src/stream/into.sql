/* src/stream/into.sql: filling a table, and a view to read as one. */

-- No SET clause: a procedure that has one cannot commit.
CREATE PROCEDURE synth_into(target regclass, n float8 DEFAULT NULL, model text DEFAULT NULL,
	seed bigint DEFAULT NULL, given jsonb DEFAULT NULL, start bigint DEFAULT 1,
	batch_size int DEFAULT 10000, on_conflict text DEFAULT 'error', start_after boolean DEFAULT false)
LANGUAGE C
AS 'MODULE_PATHNAME', 'synth_into';
COMMENT ON PROCEDURE synth_into(regclass, float8, text, bigint, jsonb, bigint, int, text, boolean)
	IS 'fills a table with synthetic rows in committed batches; after a cancel, the same call goes on from there';

-- A role's own fills; a superuser sees all.  "done" counts the rows that were
-- made, also those that ON CONFLICT DO NOTHING skipped.  Deleting a fill from
-- here forgets it: the next call starts anew.
CREATE VIEW synth_fills WITH (security_barrier) AS
SELECT f.target, f.role, f.model, f.version, f.seed, f.given, f.start, f.n, f.done, f.drawn,
	f.done::pg_catalog.float8 OPERATOR(pg_catalog./) f.n::pg_catalog.float8 AS fraction,
	f.started_at, f.updated_at, f.finished
FROM gensynth.fills f
WHERE f.role OPERATOR(pg_catalog.=) CURRENT_USER::pg_catalog.text
	OR EXISTS (SELECT FROM pg_catalog.pg_roles r
		WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER AND r.rolsuper);
COMMENT ON VIEW synth_fills IS 'how far each synth_into of the current role has come; DELETE forgets a fill';
GRANT SELECT, DELETE ON synth_fills TO PUBLIC;

CREATE FUNCTION synth_check(model text, n float8 DEFAULT NULL, seed bigint DEFAULT 1,
	OUT kind text, OUT name text, OUT columns text[], OUT rows bigint, OUT violations bigint, OUT acceptance float8)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'synth_check';
COMMENT ON FUNCTION synth_check(text, float8, bigint)
	IS 'counts rows of a model that violate what its source says about rows, and the share of those made that met it';

-- synth_rows runs as whoever reads the view, so readers need SELECT on the
-- view and synth_grant on the model.  Without a seed one is drawn now, so
-- that the view shows the same rows at each reading.
CREATE FUNCTION synth_view(model text, view text, rows float8 DEFAULT NULL, seed bigint DEFAULT NULL)
RETURNS regclass
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_view';
COMMENT ON FUNCTION synth_view(text, text, float8, bigint)
	IS 'makes a view with the columns of a model that streams its rows; readers need a grant on the view and synth_grant on the model';
