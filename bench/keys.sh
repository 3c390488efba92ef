#!/bin/bash
# bench/keys.sh [--inside]
#
# What unique keys cost: for each kind, seconds to stream 1e6 of them (one
# process, no JIT, median of five), and how many of these are distinct.
set -uo pipefail
# shellcheck source=bench/tables.sh
. "$(dirname "$0")/tables.sh"
[ -z "${1:-}" ] || { echo "keys: unknown argument $1" >&2; exit 2; }
start
load() { cut -d ' ' -f 1 /proc/loadavg; }
echo "# $(date -I), load before $(load)"

psql <<'SQL' || exit 1
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '256MB';
SELECT setseed(0.5) \g /dev/null
CREATE TABLE source AS
SELECT g AS "sequence", 100000000 + 100 * g + (random() * 99)::int AS "range",
    100000 + g * 123.45 + round((random() * 123)::numeric, 2) AS "numeric", md5(g::text)::uuid AS uuid,
    'ORD-' || lpad(g::text, 6, '0') AS counter,
    chr(65 + g % 26) || chr(65 + g / 26 % 26) || '-' || lpad((g * 7919 % 1000000)::text, 6, '0') || '-XYZ' AS pattern,
    (ARRAY['anna', 'bob', 'carla', 'dora', 'emil'])[1 + g % 5] || '.' || (ARRAY['smith', 'jones', 'miller'])[1 + g / 5 % 3]
        || g / 15 || '@' || (ARRAY['example.org', 'mail.com'])[1 + g % 2] AS "text",
    timestamp '2020-01-01' + g * interval '1 day' + floor(random() * 86400) * interval '1 s' AS "timestamp",
    random() AS "float8", decode(md5(g::text), 'hex') AS bytea
FROM generate_series(1, 10000) AS g;
DO $$
DECLARE
    c text;
BEGIN
    FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'source'::regclass AND attnum > 0 LOOP
        EXECUTE format('ALTER TABLE source ADD UNIQUE (%I)', c);
    END LOOP;
END $$;
SELECT synth_fit('source', seed => 1) \g /dev/null
CREATE TEMP TABLE run (name text, seconds float8);
CREATE TEMP TABLE keys (n int, name text, "distinct" bigint);
DO $$
DECLARE
    c record;
    began timestamptz;
    n bigint;
BEGIN
    FOR i IN 0 .. 5 LOOP
        FOR c IN SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'source'::regclass AND attnum > 0 LOOP
            began := clock_timestamp();
            EXECUTE format('SELECT count(%I) FROM synth_sample(NULL::source, 1e6, seed => 1)', c.attname);
            IF i > 0 THEN       -- the first is to warm up
                INSERT INTO run VALUES (c.attname, extract(epoch FROM clock_timestamp() - began));
            ELSE
                EXECUTE format('SELECT count(DISTINCT %I%s) FROM synth_sample(NULL::source, 1e6, seed => 1)', c.attname,
                    CASE WHEN c.attname IN ('text', 'pattern', 'counter') THEN ' COLLATE "C"' END) INTO n;
                INSERT INTO keys VALUES (c.attnum, c.attname, n);
            END IF;
        END LOOP;
    END LOOP;
END $$;
\pset footer off
SELECT k.name, c.detail ->> 'keys' AS keys, round(s::numeric, 3) AS "1e6 rows, s (<= 1)", k."distinct"
FROM (SELECT name, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS s FROM run GROUP BY name) AS r
JOIN keys AS k USING (name) JOIN synth_columns('source') AS c USING (name) ORDER BY k.n;
SQL
echo "# load after $(load)"
