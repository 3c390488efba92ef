-- The forms of a stream: the same rows, however they are asked for.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS gensynth;
RESET client_min_messages;
CREATE SCHEMA sampling;
SET search_path = sampling, public;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE people (
    id bigint PRIMARY KEY, age positive NOT NULL, sex char(1), height numeric(4,1),
    mood mood, born date, seen timestamptz, name varchar(20), note text, "Größe ""x""" int
);
INSERT INTO people
    SELECT i, 18 + i % 50, (ARRAY['F', 'M'])[1 + i % 2], 150 + (i * 7 % 400) / 10.0,
        (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood, date '1950-01-01' + i * 11,
        timestamptz '2020-01-01 00:00+00' + i * interval '7 hours', 'name ' || i,
        CASE WHEN i % 10 = 0 THEN NULL ELSE 'note ' || i % 4 END, i % 9
    FROM generate_series(1, 3000) AS i;
SELECT model, rows, columns, notes FROM synth_fit('people', seed => 1);

-- a literal is the model's name; so are other kinds of text; a regclass is a relation
SELECT pg_typeof(r), count(*) FROM synth_sample('sampling.people', 1e3, seed => 1) AS r GROUP BY 1;
SELECT pg_typeof(r), count(*) FROM synth_sample('sampling.people'::varchar, 10) AS r GROUP BY 1;
SELECT pg_typeof(r), count(*) FROM synth_sample('sampling.people'::name, 10) AS r GROUP BY 1;
SELECT pg_typeof(r), count(*) FROM synth_sample('people'::regclass, 10) AS r GROUP BY 1;
SELECT pg_typeof(r), count(*) FROM synth_sample(NULL::people, 10) AS r GROUP BY 1;
PREPARE by_parameter AS SELECT count(*) FROM synth_sample($1, $2, seed => $3);
EXECUTE by_parameter('sampling.people', 10, 1);
DEALLOCATE by_parameter;

-- all kinds of counts; by default as many as the source had
SELECT (SELECT count(*) FROM synth_sample('people')) AS "default",
       (SELECT count(*) FROM synth_sample('people', NULL)) AS "null",
       (SELECT count(*) FROM synth_sample('people', 0)) AS zero,
       (SELECT count(*) FROM synth_sample('people', 7::smallint)) AS smallint,
       (SELECT count(*) FROM synth_sample('people', 7::bigint)) AS bigint,
       (SELECT count(*) FROM synth_sample('people', 7.0)) AS numeric,
       (SELECT count(*) FROM synth_sample('people', '7')) AS literal,
       (SELECT count(*) FROM synth_sample(NULL::people)) AS typed,
       (SELECT count(*) FROM synth_rows('people') AS t(id int)) AS rows;

-- the same rows in all three forms
CREATE TEMP TABLE typed AS SELECT * FROM synth_sample(NULL::people, 5000, seed => 42);
CREATE TEMP TABLE documents AS SELECT r FROM synth_sample('people', 5000, seed => 42) AS r;
CREATE TEMP TABLE listed AS SELECT * FROM synth_rows('people', 5000, seed => 42) AS t(
    id int, age int, sex char(1), height numeric(4,1), mood mood, born date, seen timestamptz, name varchar(20),
    note text, "Größe ""x""" int);
SELECT count(*) FROM (TABLE typed EXCEPT ALL TABLE listed) AS d;
SELECT count(*) FROM (SELECT to_jsonb(t) FROM typed AS t EXCEPT ALL SELECT r FROM documents) AS d;
SELECT count(*) FROM (TABLE typed EXCEPT ALL
    SELECT p.* FROM documents, jsonb_populate_record(NULL::people, r) AS p) AS d;
-- a column list takes what it names, by name, in any order, as any type that an assignment takes
SELECT count(*) FILTER (WHERE nothing IS NULL) AS nothing, pg_typeof(min(id)), pg_typeof(max(age))
FROM synth_rows('people', 100, seed => 42) AS t(nothing int, id text, age float8);

-- a row depends on its number alone
SELECT count(*) FROM (
    SELECT r FROM synth_sample('people', 100, seed => 42, start => 1000) AS r
    EXCEPT ALL
    SELECT r FROM (SELECT r, row_number() OVER () AS i FROM documents) AS d WHERE i BETWEEN 1000 AND 1099) AS d;
SELECT count(*) FROM (
    SELECT r FROM synth_sample('people', 5000, seed => 42) AS r
    EXCEPT ALL
    SELECT r FROM generate_series(1, 5000, 500) AS s, synth_sample('people', 500, seed => 42, start => s) AS r) AS d;
SELECT count(DISTINCT r) > 90 AS far
FROM synth_sample('people', 100, seed => 42, start => 9223372036854770000) AS r;
SELECT count(*) FROM (
    SELECT r FROM synth_sample('people', 100, seed => 43) AS r INTERSECT
    SELECT r FROM synth_sample('people', 100, seed => 42) AS r) AS d;
SELECT count(*) FROM (SELECT r FROM synth_sample('people', 100) AS r INTERSECT SELECT r FROM synth_sample('people', 100) AS r) AS d;
SELECT count(*) FROM (SELECT r FROM synth_sample('people', 100, seed => -1) AS r) AS d;

-- in a target list, under a LIMIT, in a join, more than once
SELECT count(*) FROM (SELECT synth_sample('people', 9e18) LIMIT 10) AS r;
SELECT count(*) FROM (SELECT (synth_sample(NULL::people, 9e18, seed => 1)).* LIMIT 10) AS r;
SELECT count(*) FROM generate_series(1, 3) AS k, synth_sample(NULL::people, k, seed => 1) AS s;
SELECT count(*), count(DISTINCT (a::text, b::text)) FROM synth_sample(NULL::people, 30, seed => 1) AS a
CROSS JOIN synth_sample(NULL::people, 30, seed => 1) AS b;
SELECT (SELECT array_agg(id) FROM synth_sample(NULL::people, 10, seed => 1))
     = (SELECT array_agg(id ORDER BY ordinality) FROM synth_sample(NULL::people, 10, seed => 1) WITH ORDINALITY) AS same;

-- what comes is what the table takes
CREATE TABLE clone (LIKE people INCLUDING ALL);
ALTER TABLE clone DROP CONSTRAINT clone_pkey;
INSERT INTO clone SELECT * FROM synth_sample(NULL::people, 2000, seed => 7);
SELECT count(*), count(*) FILTER (WHERE age > 0), count(DISTINCT sex), count(DISTINCT mood) FROM clone;
SELECT abs(avg(age) - 42) < 2 AS age, count(*) FILTER (WHERE note IS NULL) BETWEEN 120 AND 280 AS nulls FROM clone;

-- a model does not depend on how the session likes to see values
CREATE TABLE shown (days date[], spans interval[], bytes bytea, stamps timestamp[], span interval);
INSERT INTO shown
    SELECT ARRAY[date '2020-02-03' + i % 3], ARRAY[interval '-1 day +2 hours' * (i % 3)], decode(md5(i::text), 'hex'),
        ARRAY[timestamp '2001-02-03 04:05' + i % 4 * interval '1 day'], interval '1 day' * (i % 5)
    FROM generate_series(1, 500) AS i;
SELECT version FROM synth_fit('shown', model => 'as shown', seed => 1);
SET datestyle = 'SQL, DMY'; SET intervalstyle = 'sql_standard'; SET bytea_output = 'escape';
SET extra_float_digits = -5; SET timezone = 'Asia/Kolkata';
SELECT version FROM synth_fit('shown', model => 'as shown too', seed => 1);
RESET datestyle; RESET intervalstyle; RESET bytea_output; RESET extra_float_digits; RESET timezone;
SELECT count(*) FROM (
    SELECT * FROM synth_sample(NULL::shown, 500, model => 'as shown', seed => 5)
    EXCEPT ALL
    SELECT * FROM synth_sample(NULL::shown, 500, model => 'as shown too', seed => 5)) AS d;
SELECT DISTINCT days FROM synth_sample(NULL::shown, 200, model => 'as shown too', seed => 5) ORDER BY 1;

--
-- After the fit the source may change
--
ALTER TABLE people ADD COLUMN extra text DEFAULT 'x';
ALTER TABLE people DROP COLUMN seen;
ALTER TABLE people RENAME COLUMN name TO full_name;
ALTER TABLE people ALTER COLUMN height TYPE float8;
ALTER TABLE people ALTER COLUMN id TYPE text;
SELECT count(*), count(extra) AS extra, count(full_name) AS full_name, count(height) AS height, pg_typeof(min(id)) AS id
FROM synth_sample(NULL::people, 100, seed => 42);
-- what cannot be converted says so
ALTER TABLE people DROP COLUMN born;
ALTER TABLE people ADD COLUMN born point;
SELECT count(born) FROM synth_sample(NULL::people, 100, seed => 42);
ALTER TABLE people DROP COLUMN born;
-- types are looked up anew: an enum that went is text, a label that went is an error
SELECT count(*) FROM (SELECT to_jsonb(t) - '{id,extra,full_name,height,born,seen,name}'::text[]
    FROM synth_sample(NULL::people, 5000, seed => 42) AS t
    EXCEPT ALL SELECT r - '{id,extra,full_name,height,born,seen,name}'::text[] FROM documents) AS d;
ALTER TABLE people DROP COLUMN mood;
DROP TABLE listed, typed, clone;
DROP TYPE mood;
SELECT r->>'mood' AS mood, count(*) > 500 AS many FROM synth_sample('people', 3000, seed => 42) AS r GROUP BY 1 ORDER BY 1;
-- a domain that went leaves its base type
ALTER TABLE people ALTER COLUMN age TYPE int;
DROP DOMAIN positive;
SELECT count((r->>'age')::int) FROM synth_sample('people', 100, seed => 42) AS r;
-- and the table itself may go
DROP TABLE people;
SELECT count(*) FROM (SELECT r FROM synth_sample('sampling.people', 5000, seed => 42) AS r EXCEPT ALL TABLE documents) AS d;
SELECT ordinal, name, type, kind, nullable FROM synth_columns('sampling.people');

RESET search_path;
SELECT count(synth_drop(m)) FROM unnest('{sampling.people,as shown,as shown too}'::text[]) AS m;
SET client_min_messages = warning;
DROP SCHEMA sampling CASCADE;
