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
SELECT l.objoid::regclass AS relation, a.attname AS "column", l.label AS rule
FROM pg_catalog.pg_seclabel l
JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) l.objoid
	AND a.attnum OPERATOR(pg_catalog.=) l.objsubid
WHERE l.provider OPERATOR(pg_catalog.=) 'gensynth'
	AND l.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::regclass;
COMMENT ON VIEW synth_labels IS 'what masking makes of columns: a row for each that has a label of gensynth';
GRANT SELECT ON synth_labels TO PUBLIC;
