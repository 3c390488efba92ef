/* src/mask/mask.sql: labels, keys, and tables masked in place. */

-- Each role has keys of its own.  They are not dumped: a dump with its key holds no pseudonyms.
CREATE TABLE gensynth.keys (
	name		text NOT NULL CHECK (name OPERATOR(pg_catalog.<>) ''),
	owner		oid NOT NULL,
	value		bytea NOT NULL CHECK (pg_catalog.octet_length(value) OPERATOR(pg_catalog.=) 16),
	created_at	timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (name, owner)
);
COMMENT ON TABLE gensynth.keys IS 'keys of pseudonyms and generated values; in no dump';
REVOKE ALL ON gensynth.keys FROM PUBLIC;

CREATE VIEW synth_keys WITH (security_barrier) AS
SELECT k.name, r.rolname::pg_catalog.text AS owner, k.created_at, k.value
FROM gensynth.keys k
JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) k.owner
WHERE pg_catalog.pg_has_role(r.oid, 'USAGE');
COMMENT ON VIEW synth_keys IS 'the keys that the current role may use: its own, and those of roles that it is a member of';
GRANT SELECT ON synth_keys TO PUBLIC;

CREATE FUNCTION synth_key(name text DEFAULT 'default', value bytea DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_key';
COMMENT ON FUNCTION synth_key(text, bytea) IS 'makes a key of pseudonyms and generated values, or keeps the one that is passed';

CREATE FUNCTION synth_drop_key(name text) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_drop_key';
COMMENT ON FUNCTION synth_drop_key(text) IS 'drops a key: what it made cannot be made again, nor found out by who gets hold of it';

CREATE FUNCTION synth_label(relation regclass, "column" name, rule text) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_label';
COMMENT ON FUNCTION synth_label(regclass, name, text)
	IS 'says what masking makes of a column of a table of one''s own; NULL takes it back';

CREATE VIEW synth_labels WITH (security_barrier) AS
SELECT l.objoid::pg_catalog.regclass AS relation, a.attname AS "column", l.label AS rule
FROM pg_catalog.pg_seclabel l
JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) l.objoid
	AND a.attnum OPERATOR(pg_catalog.=) l.objsubid
WHERE l.provider OPERATOR(pg_catalog.=) 'gensynth'
	AND l.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass;
COMMENT ON VIEW synth_labels IS 'what masking makes of columns: a row for each that has a label of gensynth';
GRANT SELECT ON synth_labels TO PUBLIC;

-- Tables by name: a dump is restored where their OIDs are others.  No
-- to_regclass: it fails for a schema that the role may not use.
CREATE TABLE gensynth.provenance (
	id			uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
	relation	text NOT NULL,
	relid		oid NOT NULL,
	masked_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	masked_by	text NOT NULL,
	mode		text NOT NULL,
	rules		jsonb NOT NULL,
	key			text NOT NULL,
	rows		bigint NOT NULL
);
COMMENT ON TABLE gensynth.provenance IS 'a row for each table that was masked: when, by whom, and how';
COMMENT ON COLUMN gensynth.provenance.relid IS 'the table where it was masked: another of its name was not';
COMMENT ON COLUMN gensynth.provenance.key IS 'the name of the key, not the key';
REVOKE ALL ON gensynth.provenance FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('gensynth.provenance', '');

CREATE VIEW synth_provenance WITH (security_barrier) AS
SELECT p.relation, p.masked_at, p.masked_by, p.mode, p.rules, p.key, p.rows
FROM gensynth.provenance p
WHERE EXISTS (SELECT FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE pg_catalog.format('%I.%I', n.nspname, c.relname) OPERATOR(pg_catalog.=) p.relation
		AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
		AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT'));
COMMENT ON VIEW synth_provenance IS 'how the tables that the current role may read were masked';
GRANT SELECT ON synth_provenance TO PUBLIC;

-- Transactions of this cluster are named, so it is not dumped.
CREATE TABLE gensynth.mask_runs (
	id			uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
	target		text NOT NULL,
	relid		oid NOT NULL,
	role		text NOT NULL,
	rules		jsonb NOT NULL,
	key			text NOT NULL,
	started_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	updated_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	rows		bigint NOT NULL DEFAULT 0,
	xids		bigint[] NOT NULL DEFAULT '{}',
	finished	boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE gensynth.mask_runs IS 'how far each synth_mask in mode update has come, so that it can be resumed';
COMMENT ON COLUMN gensynth.mask_runs.xids IS 'transactions of its batches: rows that these wrote are masked';
CREATE INDEX ON gensynth.mask_runs (relid, role);
REVOKE ALL ON gensynth.mask_runs FROM PUBLIC;

-- No SET clauses: a procedure that has one cannot commit.
CREATE PROCEDURE synth_mask(target regclass, columns text[] DEFAULT NULL, rules jsonb DEFAULT NULL,
	key text DEFAULT 'default', "into" text DEFAULT NULL, mode text DEFAULT 'rewrite',
	batch_size int DEFAULT 10000, dry_run boolean DEFAULT false, options jsonb DEFAULT '{}')
LANGUAGE C
AS 'MODULE_PATHNAME', 'synth_mask';
COMMENT ON PROCEDURE synth_mask(regclass, text[], jsonb, text, text, text, int, boolean, jsonb)
	IS 'replaces personal columns of a table''s rows, in place, with all columns that keys tie to them';

CREATE PROCEDURE synth_mask_schema(schema text, rules jsonb DEFAULT NULL, key text DEFAULT 'default',
	exclude text[] DEFAULT NULL, dry_run boolean DEFAULT false, options jsonb DEFAULT '{}')
LANGUAGE C
AS 'MODULE_PATHNAME', 'synth_mask_schema';
COMMENT ON PROCEDURE synth_mask_schema(text, jsonb, text, text[], boolean, jsonb)
	IS 'replaces personal columns of all tables of a schema, in place: those that are labelled or surely personal';

CREATE FUNCTION synth_mask_plan(target regclass, columns text[] DEFAULT NULL, rules jsonb DEFAULT NULL,
	OUT relation regclass, OUT "column" text, OUT rule text, OUT origin text, OUT "unique" boolean,
	OUT referenced_by text[], OUT rows bigint, OUT against text[])
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'synth_mask_plan';
COMMENT ON FUNCTION synth_mask_plan(regclass, text[], jsonb)
	IS 'what synth_mask would do to which columns, and what is against it';
