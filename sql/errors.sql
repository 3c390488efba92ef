-- Bad input: each gets an error that names the object, a SQLSTATE and a hint,
-- and leaves nothing behind.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS gensynth;
RESET client_min_messages;
CREATE SCHEMA errors;
SET search_path = errors, public;

CREATE TABLE visits (id int, age int, sex text, cost numeric(10,2), state text, gone int, box box);
ALTER TABLE visits DROP COLUMN gone;
INSERT INTO visits
    SELECT i, 18 + i % 60, (ARRAY['F', 'M'])[1 + i % 2], i * 1.25, 'open', box '(0,0),(1,1)'
    FROM generate_series(1, 100) AS i;
CREATE TABLE empty (LIKE visits);
CREATE TABLE one AS SELECT 1 AS id, 'a' AS name;
CREATE TABLE few AS SELECT i AS id FROM generate_series(1, 4) AS i;
CREATE TABLE no_columns ();
CREATE SEQUENCE counter;
CREATE INDEX visits_id ON visits (id);
CREATE TYPE pair AS (a int, b text);

--
-- The source
--
SELECT synth_fit(NULL); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit(''); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('no_such_table'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('no_such_schema.visits'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('other_database.errors.visits'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('counter'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('visits_id'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('pair'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('no_columns'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('empty', exclude => '{box}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('one'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"rare_threshold": 50}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('visits'); \echo :LAST_ERROR_SQLSTATE
-- all that cannot be learned, and what is left out already, to be pasted
CREATE TABLE shapes (id int, "A ""box""" box, area polygon, search tsvector GENERATED ALWAYS AS (to_tsvector('simple', 'a')) STORED);
SELECT synth_fit('shapes'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('shapes', exclude => '{area}'); \echo :LAST_ERROR_SQLSTATE
DROP TABLE shapes;
-- conditions that hardly any row meets
SELECT notes FROM synth_fit('SELECT i % 101 AS v FROM generate_series(1, 1000) AS i', model => 'm', seed => 1,
    options => '{"constraints": ["v > 500"], "public": false}');
SELECT notes FROM synth_fit('SELECT i % 101 AS v FROM generate_series(1, 1000) AS i', model => 'm', seed => 1,
    options => '{"constraints": ["v > 60", "v < 40"]}');
SELECT synth_drop('m');

--
-- A query as the source
--
SELECT synth_fit('SELECT id FROM visits'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT id FORM visits', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT nothing FROM visits', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT $1', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT id FROM visits; SELECT 2', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT FROM visits', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT id, age AS id FROM visits', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT id INTO copy FROM visits', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT id FROM visits FOR UPDATE', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('INSERT INTO one VALUES (2) RETURNING id', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('UPDATE one SET id = 2', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('DELETE FROM visits', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('WITH d AS (DELETE FROM visits RETURNING id) SELECT id FROM d', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('WITH d AS (DELETE FROM visits RETURNING id) SELECT id FROM d', model => 'm', columns => '{id}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('CREATE TABLE t AS SELECT 1 AS a', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SHOW search_path', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('EXPLAIN SELECT 1', model => 'm'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT 1 / (id - 50) AS a FROM visits', model => 'm'); \echo :LAST_ERROR_SQLSTATE

--
-- Columns
--
SELECT synth_fit('visits', columns => '{id,nothing}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('visits', exclude => '{BOX}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('visits', exclude => '{gone}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('visits', columns => '{}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('visits', columns => '{id,NULL}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('visits', columns => '{id}', exclude => '{id}'); \echo :LAST_ERROR_SQLSTATE
-- the hint's own words work, whatever the name
ALTER TABLE visits RENAME COLUMN box TO "The ""Box,";
SELECT synth_fit('visits'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE visits RENAME COLUMN "The ""Box," TO box;

--
-- Methods, options, and what is not there yet
--
SELECT synth_fit('few', method => 'magic'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', model => ''); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', model => repeat('long ', 60)); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '[1]'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '7'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"epocs": 3}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"max_rows": 99}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"max_rows": 1000.5}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"max_rows": 1e400}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"rare_threshold": 0}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"rare_threshold": "5"}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"keep_versions": -1}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"keep_versions": {"a": 1}}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', options => '{"keep_versions": null}'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', epsilon => 0); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', epsilon => 1, seed => 1); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('few', delta => 1e-6); \echo :LAST_ERROR_SQLSTATE
BEGIN READ ONLY;
SELECT synth_fit('visits', exclude => '{box}'); \echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- nothing of all this was kept
SELECT count(*) FROM visits;
SELECT (SELECT count(*) FROM synth_models WHERE model ~ '^errors' OR source ~ '^errors' OR model = 'm') AS versions,
       to_regclass('errors.copy') AS copy;

--
-- Sampling
--
SELECT version, rows, columns, notes FROM synth_fit('visits', exclude => '{box}', seed => 1);
SELECT count(*) FROM synth_sample('visits', 1);
SELECT * FROM synth_sample('visitors', 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visit', 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('nothing like it', 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(''::text, 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(NULL, 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(NULL::text, 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_rows(NULL, 1) AS t(id int); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', -1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 1.5); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 'NaN'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 'Infinity'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', '-Infinity'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 1e19); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 1, start => 0); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 1, start => -5); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 10, start => 9223372036854775807); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.visits', 1, given => '{"sox": "F"}'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(NULL::errors.visits, 1, given => '{"sex": "X"}'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(NULL::errors.visits, 1, given => '["sex"]'); \echo :LAST_ERROR_SQLSTATE

-- shapes
-- (19 words it otherwise)
\set VERBOSITY terse
SELECT * FROM synth_sample(1, 1); \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT * FROM synth_sample(1.5, 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(now(), 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(ARRAY[1, 2], 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(ROW(1, 2), 1); \echo :LAST_ERROR_SQLSTATE
SELECT synth_sample(ROW(1, 2), 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(NULL::errors.pair, 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(NULL::errors.few, 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('errors.few'::regclass, 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample(NULL::errors.visits, 1, model => 'no such'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_rows('errors.visits', 1); \echo :LAST_ERROR_SQLSTATE
SELECT synth_rows('errors.visits', 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_rows('errors.visits', 1) AS t(id point); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_rows('errors.visits', 1) AS t(state int); \echo :LAST_ERROR_SQLSTATE

--
-- Models
--
SELECT synth_columns('nothing'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_columns(NULL); \echo :LAST_ERROR_SQLSTATE
SELECT synth_columns('errors.visits', 7); \echo :LAST_ERROR_SQLSTATE
SELECT synth_drop('errors.visit'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_drop(NULL); \echo :LAST_ERROR_SQLSTATE
SELECT synth_drop('errors.visits', 7); \echo :LAST_ERROR_SQLSTATE
SELECT synth_drop('errors.visits', 1); \echo :LAST_ERROR_SQLSTATE
SELECT synth_use('errors.visits', 7); \echo :LAST_ERROR_SQLSTATE
SELECT synth_use('errors.visits', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT synth_grant('errors.visits', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT synth_grant('errors.visits', 'regress_no_such_role'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_revoke('nothing', current_user::regrole); \echo :LAST_ERROR_SQLSTATE
SELECT model, version, current FROM synth_models WHERE model = 'errors.visits';

SELECT synth_drop('errors.visits');
SET client_min_messages = warning;
DROP SCHEMA errors CASCADE;
