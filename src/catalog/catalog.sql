/* src/catalog/catalog.sql: models at rest, and who may use them. */

CREATE SCHEMA gensynth;
COMMENT ON SCHEMA gensynth IS 'models of gensynth; use the view synth_models and the functions synth_*';

-- Roles and relations are kept by name, so that a dump can be restored where
-- their OIDs are others.  There are no sequences: last_version counts.  There
-- are no foreign keys: pg_restore -j fills the tables in any order, and one
-- function in C (gs_catalog_delete) deletes a model with all that is its own.
CREATE TABLE gensynth.models (
	name			text PRIMARY KEY CHECK (name OPERATOR(pg_catalog.<>) ''),
	id				uuid NOT NULL UNIQUE DEFAULT pg_catalog.gen_random_uuid(),
	owner			text NOT NULL,
	current			int NOT NULL,
	last_version	int NOT NULL,
	part			boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE gensynth.models IS 'one row for each model';
COMMENT ON COLUMN gensynth.models.part IS 'of the model whose name it has without its end, @ or @#, and used through that alone';
COMMENT ON COLUMN gensynth.models.id IS 'tells a model from a later one of the same name';

CREATE TABLE gensynth.versions (
	model			text NOT NULL,
	version			int NOT NULL CHECK (version OPERATOR(pg_catalog.>) 0),
	source			text NOT NULL,
	relation		text,
	method			text NOT NULL,
	seed			bigint,
	rows			bigint NOT NULL,
	sampled			bigint,
	options			jsonb NOT NULL,
	owners			jsonb,
	fitted_at		timestamptz NOT NULL,
	fitted_by		text NOT NULL,
	seconds			float8,
	bytes			bigint NOT NULL,
	epsilon			float8,
	delta			float8,
	notes			text[] NOT NULL,
	ncolumns		int NOT NULL,
	nconstraints	int NOT NULL,
	ntensors		int NOT NULL,
	format			int NOT NULL DEFAULT 1,
	PRIMARY KEY (model, version)
);
COMMENT ON TABLE gensynth.versions IS 'one row for each fit that is kept; never changed once written';
COMMENT ON COLUMN gensynth.versions.relation
	IS 'the source, qualified and quoted, if it is a relation that other sessions have too';
COMMENT ON COLUMN gensynth.versions.epsilon
	IS 'of a differentially private fit, which has neither a seed, nor a sample, nor is it told how long it took';
COMMENT ON COLUMN gensynth.versions.owners IS 'what rows of a child table know of their owners and of the rows before';
COMMENT ON COLUMN gensynth.versions.format IS 'of what is stored: whoever reads another one refuses it';
COMMENT ON COLUMN gensynth.versions.ncolumns IS 'rows of gensynth.columns that belong to the version; and so on';

CREATE TABLE gensynth.columns (
	model		text NOT NULL,
	version		int NOT NULL,
	ordinal		int NOT NULL,
	name		text NOT NULL,
	type		text NOT NULL,
	base_type	text NOT NULL,
	kind		text NOT NULL,
	nullable	boolean NOT NULL,
	detail		jsonb NOT NULL,
	PRIMARY KEY (model, version, ordinal)
);
COMMENT ON TABLE gensynth.columns IS 'how each column of a version was understood';

CREATE TABLE gensynth.constraints (
	model		text NOT NULL,
	version		int NOT NULL,
	ordinal		int NOT NULL,
	kind		text NOT NULL,
	name		text,
	columns		text[] NOT NULL,
	definition	text NOT NULL,
	expression	text,
	met			text NOT NULL,
	PRIMARY KEY (model, version, ordinal)
);
COMMENT ON TABLE gensynth.constraints IS 'what the source of a version said about its rows, and how it is met';

CREATE TABLE gensynth.tensors (
	model		text NOT NULL,
	version		int NOT NULL,
	name		text NOT NULL,
	type		text NOT NULL,
	shape		int[] NOT NULL,
	data		bytea NOT NULL,
	PRIMARY KEY (model, version, name)
);
COMMENT ON TABLE gensynth.tensors IS 'learned parameters: derived from the source, so not for everybody';
-- floats do not compress
ALTER TABLE gensynth.tensors ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE gensynth.grants (
	model		text NOT NULL,
	role		text NOT NULL,
	PRIMARY KEY (model, role)
);
COMMENT ON TABLE gensynth.grants IS 'roles that may sample a model';

CREATE TABLE gensynth.dataset_tables (
	dataset		text NOT NULL,
	ordinal		int NOT NULL,
	owner		text NOT NULL,
	relation	text NOT NULL,
	name		text NOT NULL,
	role		text NOT NULL,
	model		text,
	PRIMARY KEY (dataset, ordinal)
);
COMMENT ON TABLE gensynth.dataset_tables IS 'the tables that synth_fit_schema learned together, in the order they are made';
COMMENT ON COLUMN gensynth.dataset_tables.model IS 'of its rows; NULL: the table is taken over as it is';

-- A fill goes on with the model that it began with, and not with another one
-- of that name, so it is forgotten when that model is dropped.  Rows start to start + drawn - 1 of the stream have
-- been tried, and done of them are in the target.
CREATE TABLE gensynth.fills (
	id			uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
	target		text NOT NULL,
	role		text NOT NULL,
	model		text NOT NULL,
	model_id	uuid NOT NULL,
	version		int NOT NULL,
	seed		bigint NOT NULL,
	given		jsonb,
	start		bigint NOT NULL CHECK (start OPERATOR(pg_catalog.>) 0),
	n			bigint NOT NULL CHECK (n OPERATOR(pg_catalog.>) 0),
	done		bigint NOT NULL CHECK (done OPERATOR(pg_catalog.>=) 0 AND done OPERATOR(pg_catalog.<=) n),
	drawn		bigint NOT NULL CHECK (drawn OPERATOR(pg_catalog.>=) done),
	keys		bigint[],
	started_at	timestamptz NOT NULL DEFAULT pg_catalog.now(),
	updated_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished	boolean NOT NULL
);
COMMENT ON TABLE gensynth.fills IS 'how far each synth_into has come, so that it can be resumed';
COMMENT ON COLUMN gensynth.fills.keys IS 'where keys that carry order began: of each column the first number and its row';
CREATE INDEX ON gensynth.fills (target, role);
CREATE INDEX ON gensynth.fills (model);

-- Sessions keep the models that they have loaded, until something changes.
CREATE FUNCTION gensynth.models_changed() RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'gensynth_models_changed';
COMMENT ON FUNCTION gensynth.models_changed() IS 'tells all sessions to read models anew';
REVOKE ALL ON FUNCTION gensynth.models_changed() FROM PUBLIC;
CREATE TRIGGER models_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON gensynth.versions
	FOR EACH STATEMENT EXECUTE FUNCTION gensynth.models_changed();
CREATE TRIGGER models_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON gensynth.columns
	FOR EACH STATEMENT EXECUTE FUNCTION gensynth.models_changed();
CREATE TRIGGER models_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON gensynth.constraints
	FOR EACH STATEMENT EXECUTE FUNCTION gensynth.models_changed();
CREATE TRIGGER models_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON gensynth.tensors
	FOR EACH STATEMENT EXECUTE FUNCTION gensynth.models_changed();

REVOKE ALL ON SCHEMA gensynth FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA gensynth FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('gensynth.models', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.versions', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.columns', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.constraints', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.tensors', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.grants', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.fills', '');
SELECT pg_catalog.pg_extension_config_dump('gensynth.dataset_tables', '');

-- A role's own models, those of roles that it is a member of, and those that
-- it may sample.  The models of a role that is gone are nobody's: superusers
-- see them, and whom they were granted to.
CREATE VIEW synth_models WITH (security_barrier) AS
SELECT m.name AS model, v.version, v.version OPERATOR(pg_catalog.=) m.current AS current, v.method,
	v.source, o.rolname::pg_catalog.text AS owner, v.rows, v.fitted_at, v.seconds, v.bytes, v.epsilon
FROM gensynth.models m
JOIN gensynth.versions v ON v.model OPERATOR(pg_catalog.=) m.name
LEFT JOIN pg_catalog.pg_roles o ON o.rolname OPERATOR(pg_catalog.=) m.owner
WHERE NOT m.part AND (pg_catalog.pg_has_role(o.oid, 'USAGE')
	OR EXISTS (SELECT FROM gensynth.grants g
		WHERE g.model OPERATOR(pg_catalog.=) m.name AND g.role OPERATOR(pg_catalog.=) 'public')
	OR EXISTS (SELECT FROM gensynth.grants g
		JOIN pg_catalog.pg_roles r ON r.rolname OPERATOR(pg_catalog.=) g.role
		WHERE g.model OPERATOR(pg_catalog.=) m.name AND pg_catalog.pg_has_role(r.oid, 'USAGE'))
	OR EXISTS (SELECT FROM pg_catalog.pg_roles r
		WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER AND r.rolsuper));
COMMENT ON VIEW synth_models IS 'the models that the current role owns or may sample, a row for each version';
GRANT SELECT ON synth_models TO PUBLIC;

CREATE FUNCTION synth_columns(model text, version int DEFAULT NULL,
	OUT ordinal int, OUT name text, OUT type text, OUT kind text, OUT nullable boolean, OUT detail jsonb)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 20
AS 'MODULE_PATHNAME', 'synth_columns';
COMMENT ON FUNCTION synth_columns(text, int) IS 'how a model understood its columns';

CREATE FUNCTION synth_constraints(model text, version int DEFAULT NULL,
	OUT kind text, OUT name text, OUT columns text[], OUT definition text, OUT met text)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 20
AS 'MODULE_PATHNAME', 'synth_constraints';
COMMENT ON FUNCTION synth_constraints(text, int)
	IS 'what a model''s source says about its rows, and how synthetic rows meet it';

CREATE FUNCTION synth_training(model text, version int DEFAULT NULL,
	OUT step bigint, OUT epoch float8, OUT loss float8, OUT validation float8, OUT rate float8, OUT seconds float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'synth_training';
COMMENT ON FUNCTION synth_training(text, int)
	IS 'how the training of a model went: losses of the rows learned from, and of those held out';

CREATE FUNCTION synth_drop(model text, version int DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_drop';
COMMENT ON FUNCTION synth_drop(text, int) IS 'drops a model, or one version that is not the current one';

CREATE FUNCTION synth_use(model text, version int) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_use';
COMMENT ON FUNCTION synth_use(text, int) IS 'makes a version of a model the current one';

CREATE FUNCTION synth_grant(model text, role regrole) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_grant';
COMMENT ON FUNCTION synth_grant(text, regrole) IS 'lets a role sample a model';

CREATE FUNCTION synth_grant(model text, role text) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_grant_name';
COMMENT ON FUNCTION synth_grant(text, text) IS 'lets a role, or PUBLIC, sample a model';

CREATE FUNCTION synth_revoke(model text, role regrole) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_revoke';
COMMENT ON FUNCTION synth_revoke(text, regrole) IS 'takes back what synth_grant gave';

CREATE FUNCTION synth_revoke(model text, role text) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_revoke_name';
COMMENT ON FUNCTION synth_revoke(text, text) IS 'takes back what synth_grant gave';

CREATE FUNCTION synth_own(model text, role regrole) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_own';
COMMENT ON FUNCTION synth_own(text, regrole) IS 'gives a model to a role; only for superusers';

CREATE FUNCTION synth_export(model text, version int DEFAULT NULL) RETURNS bytea
LANGUAGE C STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'synth_export';
COMMENT ON FUNCTION synth_export(text, int) IS 'a version of a model as bytes, for synth_import; only for who may read parameters';

CREATE FUNCTION synth_import(data bytea, model text DEFAULT NULL) RETURNS text
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_import';
COMMENT ON FUNCTION synth_import(bytea, text) IS 'makes a model of what synth_export returned, and returns its name';
