/* src/catalog/ledger.sql: what private fits have spent, and what may be spent. */

-- A relation by its OID, or by its name where that is gone: see relation.c.
CREATE TYPE gensynth.relation;
CREATE FUNCTION gensynth.relation_in(cstring) RETURNS gensynth.relation
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'gensynth_relation_in';
COMMENT ON FUNCTION gensynth.relation_in(cstring) IS 'I/O';
CREATE FUNCTION gensynth.relation_out(gensynth.relation) RETURNS cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'gensynth_relation_out';
COMMENT ON FUNCTION gensynth.relation_out(gensynth.relation) IS 'I/O';
CREATE TYPE gensynth.relation (
	INPUT = gensynth.relation_in,
	OUTPUT = gensynth.relation_out,
	ALIGNMENT = int4,
	STORAGE = plain
);
COMMENT ON TYPE gensynth.relation IS 'a relation that is kept by OID, and by name where that is gone';
CREATE FUNCTION gensynth.relation_oid(gensynth.relation) RETURNS oid
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'gensynth_relation_oid';
COMMENT ON FUNCTION gensynth.relation_oid(gensynth.relation) IS 'the OID that is kept';
CREATE FUNCTION gensynth.relation_name(gensynth.relation) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'gensynth_relation_name';
COMMENT ON FUNCTION gensynth.relation_name(gensynth.relation) IS 'the name that is kept';
CREATE FUNCTION gensynth.relation_now(gensynth.relation) RETURNS oid
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'gensynth_relation_now';
COMMENT ON FUNCTION gensynth.relation_now(gensynth.relation)
	IS 'the relation of the OID that is kept, or of the name; NULL if there is none';

-- Written by processes of their own, which commit before a row is read; only
-- the version is added by the transaction that stores it.
CREATE TABLE gensynth.privacy_ledger (
	id				bigint PRIMARY KEY,
	relation		gensynth.relation NOT NULL,
	role			text NOT NULL,
	session_role	text NOT NULL,
	model			text NOT NULL,
	version			int,
	method			text NOT NULL,
	spent_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	epsilon			float8,
	delta			float8,
	rho				float8,
	steps			jsonb,
	unit			text
);
CREATE INDEX ON gensynth.privacy_ledger (gensynth.relation_oid(relation));
CREATE INDEX ON gensynth.privacy_ledger (gensynth.relation_name(relation));
COMMENT ON TABLE gensynth.privacy_ledger IS 'one row for each private fit, whatever became of it; see synth_ledger';
COMMENT ON COLUMN gensynth.privacy_ledger.version IS 'NULL: the fit failed, or was rolled back';
COMMENT ON COLUMN gensynth.privacy_ledger.epsilon IS 'NULL, as delta, rho and steps: the fit was not private';
COMMENT ON COLUMN gensynth.privacy_ledger.unit IS 'the column that says whose a row is; NULL: of single rows';

CREATE TABLE gensynth.privacy_budgets (
	relation		gensynth.relation NOT NULL,
	epsilon			float8 NOT NULL,
	delta			float8 NOT NULL,
	role			text NOT NULL,
	declared_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	unit			text
);
COMMENT ON TABLE gensynth.privacy_budgets IS 'what all private fits of a table may spend together; see synth_budget';
COMMENT ON COLUMN gensynth.privacy_budgets.unit IS 'the column that says whose a row is; NULL: for single rows';

REVOKE ALL ON gensynth.privacy_ledger, gensynth.privacy_budgets FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('gensynth.privacy_ledger', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.privacy_budgets', '');

CREATE FUNCTION synth_budget(relation regclass, epsilon float8, delta float8 DEFAULT 1e-6, unit text DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_budget';
COMMENT ON FUNCTION synth_budget(regclass, float8, float8, text)
	IS 'declares what all private fits of a table may spend together; for its owner';

CREATE FUNCTION gensynth.privacy_spent(relation oid, delta float8, unit text DEFAULT NULL) RETURNS float8
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'gensynth_privacy_spent';
COMMENT ON FUNCTION gensynth.privacy_spent(oid, float8, text)
	IS 'the epsilon at a delta that private fits of a table have spent; for its owner';

-- Of tables that the role owns; superusers see those that are gone, too.
CREATE VIEW synth_ledger WITH (security_barrier) AS
SELECT l.id, l.relation::pg_catalog.text AS relation, l.role, l.session_role, l.model, l.version, l.method,
	l.spent_at, l.epsilon, l.delta, l.rho, l.steps, l.unit
FROM gensynth.privacy_ledger l
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) gensynth.relation_now(l.relation)
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
	OR EXISTS (SELECT FROM pg_catalog.pg_roles r
		WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER AND r.rolsuper);
COMMENT ON VIEW synth_ledger IS 'what private fits of the tables that the current role owns have spent';
GRANT SELECT ON synth_ledger TO PUBLIC;

CREATE VIEW synth_budgets WITH (security_barrier) AS
SELECT b.relation::pg_catalog.text AS relation, b.epsilon, b.delta,
	gensynth.privacy_spent(c.oid, b.delta, b.unit) AS spent, b.role, b.declared_at, b.unit
FROM gensynth.privacy_budgets b
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) gensynth.relation_now(b.relation)
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE');
COMMENT ON VIEW synth_budgets IS 'budgets of the tables that the current role owns, and the epsilon of them that is spent';
GRANT SELECT ON synth_budgets TO PUBLIC;
