-- What EXPLAIN tells of a stream.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS gensynth;
RESET client_min_messages;
CREATE SCHEMA explaining;
SET search_path = explaining, public;
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE TABLE people AS
    SELECT i AS id, 18 + i % 50 AS age, (ARRAY['F', 'M'])[1 + i % 2] AS sex, 150 + (i * 7 % 400) / 10.0 AS height
    FROM generate_series(1, 500) AS i;
-- Since version 18 PostgreSQL gives the mean number of rows with two decimals.
CREATE FUNCTION analyzed(query text, options text = '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF' || options || ') ' || query LOOP
        RETURN NEXT regexp_replace(line, '(rows=\d+)\.00', '\1');
    END LOOP;
END $$;
SELECT model, version FROM synth_fit('people', seed => 1, options => '{"refine": 0}');
SELECT model, version FROM synth_fit('people', seed => 2, options => '{"refine": 0}');

--
-- Constant arguments: the model is named before anything runs
--
EXPLAIN (COSTS OFF) SELECT * FROM synth_sample(NULL::people, 3000, seed => 7);
EXPLAIN (COSTS OFF) SELECT * FROM synth_sample('explaining.people', 3000);
EXPLAIN (COSTS OFF) SELECT * FROM synth_sample('people'::regclass, 3000);
EXPLAIN (COSTS OFF) SELECT * FROM synth_rows('explaining.people', 3000) AS t(age int, sex text);

-- the columns that the query uses, in what it gives and in what it asks
EXPLAIN (COSTS OFF) SELECT age FROM synth_sample(NULL::people, 3000);
EXPLAIN (COSTS OFF) SELECT age FROM synth_sample(NULL::people, 3000) WHERE sex = 'F' AND age > 20;
EXPLAIN (COSTS OFF) SELECT 1 FROM synth_sample(NULL::people, 3000);
EXPLAIN (COSTS OFF) SELECT count(*) FROM synth_sample('explaining.people', 3000);
EXPLAIN (COSTS OFF) SELECT t FROM synth_sample(NULL::people, 3000) AS t WHERE t.age > 20;
EXPLAIN (COSTS OFF) SELECT synth_sample->'age' FROM synth_sample('explaining.people', 3000);
EXPLAIN (COSTS OFF) SELECT age, nothing FROM synth_rows('explaining.people', 3000) AS t(age int, nothing text);

-- as many rows as the source had; none
EXPLAIN (COSTS OFF) SELECT age FROM synth_sample(NULL::people);
EXPLAIN (COSTS OFF) SELECT age FROM synth_sample(NULL::people, 0);

-- the version that is the current one
SELECT synth_use('explaining.people', 1);
EXPLAIN (COSTS OFF) SELECT age FROM synth_sample(NULL::people, 3000);
SELECT synth_use('explaining.people', 2);

-- the estimate is the number of rows
DO $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT * FROM synth_sample(NULL::people, 123456)' INTO plan;
    RAISE NOTICE '% rows', plan->0->'Plan'->>'Plan Rows';
END $$;

--
-- VERBOSE: what the scan puts out
--
EXPLAIN (VERBOSE, COSTS OFF) SELECT sex, age + 1 FROM synth_sample(NULL::people, 3000, seed => 7) AS t WHERE height > 160;
EXPLAIN (VERBOSE, COSTS OFF) SELECT t FROM synth_sample(NULL::people, 3000, seed => 7) AS t;
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM synth_sample('explaining.people', 3000);
EXPLAIN (VERBOSE, COSTS OFF) SELECT t, t.sex FROM synth_rows('explaining.people', 3000) AS t(age int, sex text);
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) FROM synth_sample(NULL::people, 3000);

--
-- ANALYZE: batches of 1024 rows
--
SELECT analyzed($$SELECT * FROM synth_sample(NULL::people, 3000, seed => 7)$$);
SELECT analyzed($$SELECT * FROM synth_sample('explaining.people', 3000, seed => 7)$$);
SELECT analyzed($$SELECT * FROM synth_rows('explaining.people', 3000, seed => 7) AS t(age int, sex text)$$);
SELECT analyzed($$SELECT count(*) FROM synth_sample(NULL::people, 3000, seed => 7)$$);
SELECT analyzed($$SELECT * FROM synth_sample(NULL::people, 1e9, seed => 7) LIMIT 1025$$);
SELECT analyzed($$SELECT age FROM synth_sample(NULL::people, 2, seed => 7, start => 1024)$$);
SELECT analyzed($$SELECT age FROM synth_sample(NULL::people, 0, seed => 7)$$);
SELECT analyzed($$SELECT age FROM synth_sample(NULL::people, 3000, seed => 7) WHERE id < 0$$);
SELECT analyzed($$SELECT age FROM synth_sample(NULL::people, 3000, seed => 7)$$, ', VERBOSE');
-- never begun
SELECT analyzed($$SELECT age FROM synth_sample(NULL::people, 3000, seed => 7) LIMIT 0$$);

--
-- Arguments that are not known before it runs
--
PREPARE q(float8) AS SELECT age FROM synth_sample(NULL::people, $1, seed => 7);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE q(2000);
SELECT analyzed($$EXECUTE q(2000)$$);
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) EXECUTE q(2000);

--
-- Conditions
--
EXPLAIN (COSTS OFF) SELECT age FROM synth_sample(NULL::people, 3000, given => '{"sex": "F"}');
SELECT bool_or(line ~ '^ *Acceptance: ') AS acceptance, bool_or(line ~ '^ *Given: ') AS given
    FROM analyzed($$SELECT age FROM synth_sample(NULL::people, 3000, seed => 7, given => '{"sex": "F", "age": {"lt": 40}}')$$) AS line;

--
-- Left to the plain function
--
EXPLAIN (COSTS OFF) SELECT * FROM synth_sample(NULL::people, 3000) WITH ORDINALITY;
EXPLAIN (COSTS OFF) SELECT * FROM ROWS FROM (synth_sample(NULL::people, 3000), generate_series(1, 3));
EXPLAIN (COSTS OFF) SELECT t.age FROM generate_series(1, 3) AS g, synth_sample(NULL::people, g) AS t;
SET gensynth.enable_custom_scan = off;
EXPLAIN (COSTS OFF) SELECT * FROM synth_sample(NULL::people, 3000);
RESET gensynth.enable_custom_scan;

--
-- Workers, from about 1e5 rows on
--
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*), sum(age) FROM synth_sample(NULL::people, 1e6);
EXPLAIN (COSTS OFF) SELECT count(*), sum(age) FROM synth_sample(NULL::people, 1000);

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA explaining CASCADE;
SELECT synth_drop('explaining.people');
