#!/bin/bash
# bench/sample.sh [--inside] [rows]
#
# Seconds to sample a million rows, all columns aggregated, against the same
# over a stored copy of such rows; typed and as jsonb.  The runs alternate, one
# process, median of five.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
rows=${1:-1e6}
start
make_table
psql -v table="$table" -v rows="$rows" <<'SQL'
SET client_min_messages = warning;
-- The work of both sides: sum() of numbers, min() of the rest, NULLs and all.
SELECT 'count(*), ' || string_agg(format(CASE WHEN t.typcategory = 'N' THEN 'sum(%I)'
                                              WHEN t.typname = 'bool' THEN 'bool_or(%I)' ELSE 'min(%I)' END, a.attname), ', ' ORDER BY a.attnum) AS work
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = (:'table')::regclass AND a.attnum > 0 AND NOT a.attisdropped \gset
SELECT synth_fit(:'table', seed => 1) \g /dev/null
CREATE TABLE stored AS SELECT * FROM synth_sample(NULL:::"table", :rows, seed => 1);
CREATE TABLE documents AS SELECT t FROM synth_sample(:'table', :rows, seed => 1) AS t;
VACUUM (FREEZE, ANALYZE) stored, documents;
CREATE TEMP TABLE task (n serial, name text, query text);
INSERT INTO task (name, query) VALUES
    ('typed, streamed', format('SELECT %s FROM synth_sample(NULL::%I, %s, seed => 1)', :'work', :'table', :'rows')),
    ('typed, stored', format('SELECT %s FROM stored', :'work')),
    ('jsonb, streamed', format('SELECT count(t) FROM synth_sample(%L, %s, seed => 1) AS t', :'table', :'rows')),
    ('jsonb, stored', 'SELECT count(t) FROM documents'),
    ('jsonb, made of stored rows', 'SELECT count(to_jsonb(t)) FROM stored AS t');
CREATE TEMP TABLE run (n int, seconds float8);
DO $$
DECLARE
    t task;
    began timestamptz;
BEGIN
    FOR i IN 0 .. 5 LOOP
        FOR t IN SELECT * FROM task ORDER BY n LOOP
            began := clock_timestamp();
            EXECUTE t.query;
            IF i > 0 THEN       -- the first is to warm up
                INSERT INTO run VALUES (t.n, extract(epoch FROM clock_timestamp() - began));
            END IF;
        END LOOP;
    END LOOP;
END $$;
\pset footer off
\echo sampling :rows rows of :table
WITH median AS (
    SELECT n, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS s, min(seconds) AS least, max(seconds) AS most
    FROM run GROUP BY n
)
SELECT name, round(s::numeric, 2) AS median, round(least::numeric, 2) AS least, round(most::numeric, 2) AS most,
       round((s / CASE WHEN n IN (1, 3) THEN lead(s) OVER (ORDER BY n) END)::numeric, 1) AS "times stored"
FROM median JOIN task USING (n) ORDER BY n;
SQL
