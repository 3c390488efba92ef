/* gensynth--0.1--0.2.sql: what 0.2 has that 0.1 has not. */

\echo Use "ALTER EXTENSION gensynth UPDATE TO '0.2'" to load this file. \quit

ALTER TABLE gensynth.versions ADD COLUMN format int NOT NULL DEFAULT 1;
COMMENT ON COLUMN gensynth.versions.format IS 'of what is stored: whoever reads another one refuses it';

DROP PROCEDURE synth_into(regclass, float8, text, bigint, jsonb, bigint, int, text);
-- No SET clause: a procedure that has one cannot commit.
CREATE PROCEDURE synth_into(target regclass, n float8 DEFAULT NULL, model text DEFAULT NULL,
	seed bigint DEFAULT NULL, given jsonb DEFAULT NULL, start bigint DEFAULT 1,
	batch_size int DEFAULT 10000, on_conflict text DEFAULT 'error', start_after boolean DEFAULT false)
LANGUAGE C
AS 'MODULE_PATHNAME', 'synth_into';
COMMENT ON PROCEDURE synth_into(regclass, float8, text, bigint, jsonb, bigint, int, text, boolean)
	IS 'fills a table with synthetic rows in committed batches; after a cancel, the same call goes on from there';
