/* src/mask/kinds.sql: kinds of personal values, lists that they are made of, and where they are. */

CREATE FUNCTION gensynth.kinds(OUT kind text, OUT description text, OUT example text)
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 43
AS 'MODULE_PATHNAME', 'synth_kinds';
COMMENT ON FUNCTION gensynth.kinds() IS 'what the view synth_kinds shows';

CREATE VIEW synth_kinds AS SELECT k.kind, k.description, k.example FROM gensynth.kinds() k;
COMMENT ON VIEW synth_kinds IS 'kinds of personal values: what synth_find_pii finds, and what synth_fake and masking make';
GRANT SELECT ON synth_kinds TO PUBLIC;

-- locale '' is any.
CREATE TABLE gensynth.lists (
	kind		text NOT NULL,
	locale		text NOT NULL,
	value		text NOT NULL CHECK (value OPERATOR(pg_catalog.<>) ''),
	weight		float8 NOT NULL CHECK (weight OPERATOR(pg_catalog.>) 0 AND weight OPERATOR(pg_catalog.<=) 1e9),
	PRIMARY KEY (kind, locale, value)
);
COMMENT ON TABLE gensynth.lists IS 'own values of kinds, which generated values are drawn from by weight; the function synth_list fills it';
REVOKE ALL ON gensynth.lists FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('gensynth.lists', '');

-- What it lists is made for everybody: for those who may INSERT INTO gensynth.lists.
CREATE FUNCTION synth_list(kind text, locale text, "values" text[]) RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_list';
COMMENT ON FUNCTION synth_list(text, text, text[])
	IS 'has values of a kind drawn from a list of one''s own, in one locale or all; NULL takes the list away';

CREATE FUNCTION synth_fake(kind text, key text DEFAULT NULL, locale text DEFAULT NULL) RETURNS text
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'synth_fake';
COMMENT ON FUNCTION synth_fake(text, text, text)
	IS 'a made-up value of a kind; values of the same key fit each other as those of one person';

-- As the caller, who sees what SELECT shows.
CREATE FUNCTION synth_find_pii(what text DEFAULT NULL,
	OUT relation regclass, OUT "column" name, OUT path text, OUT kind text, OUT confidence float8, OUT level text, OUT evidence text)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100
AS 'MODULE_PATHNAME', 'synth_find_pii';
COMMENT ON FUNCTION synth_find_pii(text)
	IS 'personal columns of a table, a schema, or all tables that one may read: what kind they are of, how sure that is, and why';
