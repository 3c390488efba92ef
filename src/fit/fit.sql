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
