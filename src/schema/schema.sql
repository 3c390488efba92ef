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
