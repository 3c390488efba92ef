/* src/mask/masked.sql: rows masked while they are read. */

-- Unsafe in parallel: it may make the key "default", and reads as a query of its own.
CREATE FUNCTION synth_masked(shape anyelement, columns text[] DEFAULT NULL, rules jsonb DEFAULT NULL,
	key text DEFAULT 'default')
RETURNS SETOF anyelement
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10000 COST 100 SUPPORT synth_support
AS 'MODULE_PATHNAME', 'synth_masked';
COMMENT ON FUNCTION synth_masked(anyelement, text[], jsonb, text)
	IS 'real rows of a relation with personal columns replaced: by its labels, for those whom synth_mask_grant lets read them, or as one chooses who may read it anyway';

CREATE FUNCTION synth_mask_grant(relation regclass, role regrole) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_mask_grant';
COMMENT ON FUNCTION synth_mask_grant(regclass, regrole)
	IS 'lets a role read masked rows of a table of one''s own: synth_masked(NULL::relation)';

CREATE FUNCTION synth_mask_revoke(relation regclass, role regrole) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_mask_revoke';
COMMENT ON FUNCTION synth_mask_revoke(regclass, regrole) IS 'takes back what synth_mask_grant has granted';

CREATE VIEW synth_mask_grants WITH (security_barrier) AS
SELECT l.objoid::pg_catalog.regclass AS relation,
	pg_catalog.replace(COALESCE(r.name[1], r.name[2]), '""', '"') AS role
FROM pg_catalog.pg_seclabel l
CROSS JOIN LATERAL pg_catalog.regexp_matches(pg_catalog.substr(l.label, pg_catalog.length('readers: ')),
	'"((?:[^"]|"")+)"|([^", ]+)', 'g') AS r(name)
WHERE l.provider OPERATOR(pg_catalog.=) 'gensynth' AND l.objsubid OPERATOR(pg_catalog.=) 0
	AND l.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass;
COMMENT ON VIEW synth_mask_grants IS 'who may read masked rows of which relations';
GRANT SELECT ON synth_mask_grants TO PUBLIC;

CREATE FUNCTION synth_mask_view(relation regclass, view text) RETURNS regclass
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_mask_view';
COMMENT ON FUNCTION synth_mask_view(regclass, text) IS 'makes an ordinary view of a relation''s masked rows';

CREATE FUNCTION synth_mask_report(source regclass, masked regclass,
	OUT "column" text, OUT rule text, OUT rows bigint, OUT changed bigint, OUT equal bigint, OUT equal_by_chance float8,
	OUT distinct_before bigint, OUT distinct_after bigint, OUT trend_error float8, OUT reidentified float8,
	OUT reidentified_by_chance float8)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'synth_mask_report';
COMMENT ON FUNCTION synth_mask_report(regclass, regclass)
	IS 'what masking has done: a row for each masked column, and one for all together';
