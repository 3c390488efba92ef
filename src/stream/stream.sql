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
