\echo Use "CREATE EXTENSION gensynth" to load this file. \quit

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
	PRIMARY KEY (model, version)
);
COMMENT ON TABLE gensynth.versions IS 'one row for each fit that is kept; never changed once written';
COMMENT ON COLUMN gensynth.versions.relation
	IS 'the source, qualified and quoted, if it is a relation that other sessions have too';
COMMENT ON COLUMN gensynth.versions.epsilon
	IS 'of a differentially private fit, which has neither a seed, nor a sample, nor is it told how long it took';
COMMENT ON COLUMN gensynth.versions.owners IS 'what rows of a child table know of their owners and of the rows before';
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

/* src/fit/fit.sql: learning a model. */

CREATE FUNCTION synth_fit(source text, method text DEFAULT 'auto', model text DEFAULT NULL,
	columns text[] DEFAULT NULL, exclude text[] DEFAULT NULL, seed bigint DEFAULT NULL,
	epsilon float8 DEFAULT NULL, delta float8 DEFAULT NULL, options jsonb DEFAULT '{}',
	OUT model text, OUT version int, OUT method text, OUT source text, OUT rows bigint,
	OUT columns int, OUT seconds float8, OUT notes text[])
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_fit';
COMMENT ON FUNCTION synth_fit(text, text, text, text[], text[], bigint, float8, float8, jsonb)
	IS 'learns the joint distribution of a table or query, and keeps it as a new version of a model';

/* src/worker/worker.sql: work in the background, and how far it is. */

-- Not dumped: a job is of this server.
CREATE TABLE gensynth.jobs (
	number		int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	role		text NOT NULL,
	model		text NOT NULL,
	source		text NOT NULL,
	method		text NOT NULL,
	options		jsonb NOT NULL,
	pid			int NOT NULL,
	state		text NOT NULL DEFAULT 'running',
	started		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished	timestamptz,
	version		int,
	sqlstate	text,
	message		text,
	detail		text,
	hint		text
);
COMMENT ON TABLE gensynth.jobs IS 'one row for each fit in the background; see synth_jobs';
COMMENT ON COLUMN gensynth.jobs.state
	IS 'running, done, failed or cancelled; whether a process still runs, its lock tells';
REVOKE ALL ON gensynth.jobs FROM PUBLIC;

CREATE FUNCTION synth_fit_background(source text, method text DEFAULT 'auto', model text DEFAULT NULL,
	columns text[] DEFAULT NULL, exclude text[] DEFAULT NULL, seed bigint DEFAULT NULL,
	epsilon float8 DEFAULT NULL, delta float8 DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS int
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_fit_background';
COMMENT ON FUNCTION synth_fit_background(text, text, text, text[], text[], bigint, float8, float8, jsonb)
	IS 'learns a model in a process of its own, and returns the number of the job';

-- Who may call it may see what it shows.
CREATE FUNCTION gensynth.jobs_now(OUT job int, OUT role text, OUT model text, OUT source text, OUT method text,
	OUT options jsonb, OUT pid int, OUT state text, OUT started timestamptz, OUT finished timestamptz,
	OUT version int, OUT sqlstate text, OUT message text, OUT detail text, OUT hint text)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'gensynth_jobs_now';
COMMENT ON FUNCTION gensynth.jobs_now() IS 'jobs that the caller may see; use the view synth_jobs';

-- One's own and those of roles that one is a member of; all for superusers
-- and pg_read_all_stats.
CREATE VIEW synth_jobs AS SELECT j.* FROM gensynth.jobs_now() j;
COMMENT ON VIEW synth_jobs IS 'fits in the background: those that run, and what became of others; DELETE forgets one that has ended';
GRANT SELECT, DELETE ON synth_jobs TO PUBLIC;

CREATE FUNCTION gensynth.forget_job() RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'gensynth_forget_job';
COMMENT ON FUNCTION gensynth.forget_job() IS 'deletes from synth_jobs';
REVOKE ALL ON FUNCTION gensynth.forget_job() FROM PUBLIC;
CREATE TRIGGER forget_job INSTEAD OF DELETE ON synth_jobs
	FOR EACH ROW EXECUTE FUNCTION gensynth.forget_job();

CREATE FUNCTION synth_cancel(job int) RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_cancel';
COMMENT ON FUNCTION synth_cancel(int) IS 'cancels a fit in the background; false if it was not running';

CREATE FUNCTION synth_wait(job int, timeout interval DEFAULT NULL) RETURNS text
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_wait';
COMMENT ON FUNCTION synth_wait(int, interval)
	IS 'waits until a fit in the background has ended, or for so long, and returns its state';

CREATE FUNCTION gensynth.progress(OUT pid int, OUT job int, OUT role text, OUT source text, OUT model text,
	OUT phase text, OUT done bigint, OUT total bigint, OUT fraction float8, OUT epoch float8, OUT loss float8,
	OUT started timestamptz, OUT eta timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10
AS 'MODULE_PATHNAME', 'gensynth_progress';
COMMENT ON FUNCTION gensynth.progress() IS 'what is learned and filled at the moment; use the view synth_progress';

-- What a role must not see is NULL, as in pg_stat_activity.
CREATE VIEW synth_progress WITH (security_barrier) AS
SELECT p.pid, p.job, p.role, COALESCE(p.source, j.source) AS source, COALESCE(j.model, p.model) AS model,
	p.phase, p.done, p.total, p.fraction, p.epoch, p.loss, p.started, p.eta
FROM gensynth.progress() p
LEFT JOIN gensynth.jobs j ON j.number OPERATOR(pg_catalog.=) p.job;
COMMENT ON VIEW synth_progress IS 'how far each fit and each synth_into of this database is';
GRANT SELECT ON synth_progress TO PUBLIC;

/* src/stream/stream.sql: sampling a model. */

CREATE FUNCTION synth_support(internal) RETURNS internal
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'synth_support';
COMMENT ON FUNCTION synth_support(internal) IS 'planner support of the sampling functions';

CREATE FUNCTION synth_sample(model text, n float8 DEFAULT NULL, seed bigint DEFAULT NULL,
	given jsonb DEFAULT NULL, start bigint DEFAULT 1)
RETURNS SETOF jsonb
LANGUAGE C VOLATILE PARALLEL SAFE ROWS 10000 COST 100 SUPPORT synth_support
AS 'MODULE_PATHNAME', 'synth_sample_json';
COMMENT ON FUNCTION synth_sample(text, float8, bigint, jsonb, bigint)
	IS 'synthetic rows of a model, one jsonb object each';

CREATE FUNCTION synth_sample(relation regclass, n float8 DEFAULT NULL, seed bigint DEFAULT NULL,
	given jsonb DEFAULT NULL, start bigint DEFAULT 1)
RETURNS SETOF jsonb
LANGUAGE C VOLATILE PARALLEL SAFE ROWS 10000 COST 100 SUPPORT synth_support
AS 'MODULE_PATHNAME', 'synth_sample_relation';
COMMENT ON FUNCTION synth_sample(regclass, float8, bigint, jsonb, bigint)
	IS 'synthetic rows of the model of a relation, one jsonb object each';

CREATE FUNCTION synth_sample(shape anyelement, n float8 DEFAULT NULL, model text DEFAULT NULL,
	seed bigint DEFAULT NULL, given jsonb DEFAULT NULL, start bigint DEFAULT 1)
RETURNS SETOF anyelement
LANGUAGE C VOLATILE PARALLEL SAFE ROWS 10000 COST 100 SUPPORT synth_support
AS 'MODULE_PATHNAME', 'synth_sample_typed';
COMMENT ON FUNCTION synth_sample(anyelement, float8, text, bigint, jsonb, bigint)
	IS 'synthetic rows with the columns of a row type: synth_sample(NULL::patients, 1e6)';

CREATE FUNCTION synth_complete(shape anyelement, columns text[], source text DEFAULT NULL,
	model text DEFAULT NULL, seed bigint DEFAULT NULL, fill_nulls boolean DEFAULT false)
RETURNS SETOF anyelement
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10000 COST 100
AS 'MODULE_PATHNAME', 'synth_complete_typed';
COMMENT ON FUNCTION synth_complete(anyelement, text[], text, text, bigint, boolean)
	IS 'rows of a table or query with some columns drawn anew given the others: synth_complete(NULL::patients, ''{income}'')';

CREATE FUNCTION synth_complete(source text, columns text[], model text DEFAULT NULL,
	seed bigint DEFAULT NULL, fill_nulls boolean DEFAULT false)
RETURNS SETOF jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10000 COST 100
AS 'MODULE_PATHNAME', 'synth_complete_json';
COMMENT ON FUNCTION synth_complete(text, text[], text, bigint, boolean)
	IS 'rows of a table or query with some columns drawn anew given the others, one jsonb object each';

CREATE FUNCTION synth_rows(model text, n float8 DEFAULT NULL, seed bigint DEFAULT NULL,
	given jsonb DEFAULT NULL, start bigint DEFAULT 1)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL SAFE ROWS 10000 COST 100 SUPPORT synth_support
AS 'MODULE_PATHNAME', 'synth_rows';
COMMENT ON FUNCTION synth_rows(text, float8, bigint, jsonb, bigint)
	IS 'synthetic rows with the columns of a column definition list: synth_rows(''m'', 10) AS t(a int, b text)';

/* src/stream/into.sql: filling a table, and a view to read as one. */

-- No SET clause: a procedure that has one cannot commit.
CREATE PROCEDURE synth_into(target regclass, n float8 DEFAULT NULL, model text DEFAULT NULL,
	seed bigint DEFAULT NULL, given jsonb DEFAULT NULL, start bigint DEFAULT 1,
	batch_size int DEFAULT 10000, on_conflict text DEFAULT 'error')
LANGUAGE C
AS 'MODULE_PATHNAME', 'synth_into';
COMMENT ON PROCEDURE synth_into(regclass, float8, text, bigint, jsonb, bigint, int, text)
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

/* src/schema/schema.sql: several tables and their rows together. */

-- Reads pg_catalog, and as the caller the number of rows of tables that were
-- never analyzed.  Options, each by the names of tables:
--   owner         {"table": "foreign key, or its column"}
--   order_by      {"table": "column"}
--   sequence_key  {"table": "column"}, or an array of columns
--   keep, remake  ["table"]: taken over as it is, or never by itself
CREATE FUNCTION synth_schema_plan(schemas text[], exclude regclass[] DEFAULT NULL, options jsonb DEFAULT '{}',
	OUT ordinal int, OUT relation text, OUT role text, OUT owner text, OUT order_by text, OUT together_by text[], OUT foreign_keys text[])
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'synth_schema_plan';
COMMENT ON FUNCTION synth_schema_plan(text[], regclass[], jsonb)
	IS 'shows in what order the tables of schemas are learned and made, which of them are taken over as they are, and whose rows are made together';

-- Options as those of synth_schema_plan; "fit" has options for each table's
-- synth_fit.
CREATE FUNCTION synth_fit_schema(schemas text[], exclude regclass[] DEFAULT NULL, method text DEFAULT 'auto',
	model text DEFAULT NULL, options jsonb DEFAULT '{}', seed bigint DEFAULT NULL,
	OUT relation text, OUT model text, OUT version int, OUT method text, OUT rows bigint, OUT columns int, OUT seconds float8, OUT notes text[])
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'synth_fit_schema';
COMMENT ON FUNCTION synth_fit_schema(text[], regclass[], text, text, jsonb, bigint)
	IS 'learns all tables of schemas, so that synth_schema_into makes rows which fit each other';

-- No SET clause: a procedure that has one cannot commit.
CREATE PROCEDURE synth_schema_into(target_schema text, model text DEFAULT NULL, scale float8 DEFAULT 1,
	seed bigint DEFAULT NULL, create_tables boolean DEFAULT true)
LANGUAGE C
AS 'MODULE_PATHNAME', 'synth_schema_into';
COMMENT ON PROCEDURE synth_schema_into(text, text, float8, bigint, boolean)
	IS 'makes tables like those of a dataset in another schema, and fills them with synthetic rows whose foreign keys hold; after a cancel, the same call goes on from there';

-- The datasets all of whose models the current role may sample.
CREATE VIEW synth_datasets WITH (security_barrier) AS
SELECT t.dataset, t.ordinal, t.relation, t.role, t.model
FROM gensynth.dataset_tables t
WHERE NOT EXISTS (SELECT FROM gensynth.dataset_tables o
	WHERE o.dataset OPERATOR(pg_catalog.=) t.dataset AND o.model IS NOT NULL
		AND NOT EXISTS (SELECT FROM synth_models m WHERE m.model OPERATOR(pg_catalog.=) o.model))
ORDER BY t.dataset, t.ordinal;
COMMENT ON VIEW synth_datasets IS 'tables that synth_fit_schema learned together, a row for each table, in the order they are made';
GRANT SELECT ON synth_datasets TO PUBLIC;

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
