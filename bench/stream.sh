#!/bin/bash
# bench/stream.sh [--inside] [--memory]
#
# What a stream costs, as ratios within one run: against a stored copy of the
# same rows, with workers, as jsonb, under a LIMIT, and from a wide model.  All
# runs alternate, in turns forwards and backwards (who writes a file after
# another's was removed has it easier), one process, no JIT, median of six.
# --memory also streams 1e8 rows (about a minute) and says how much memory that
# takes.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
memory=${1:-}
[ -z "$memory" ] || [ "$memory" = --memory ] || { echo "stream: unknown argument $memory" >&2; exit 2; }
start
make_table
make_wide
psql -c 'ALTER DATABASE gensynth_bench SET jit = off' \
    -c "SELECT synth_fit('$table', method => 'copula', seed => 1)" -c "SELECT synth_fit('wide', method => 'copula', seed => 1)" > /dev/null || exit 1
load() { cut -d ' ' -f 1 /proc/loadavg; }
echo "# $(date -I), $table, load before $(load)"

psql -v table="$table" <<'SQL' || exit 1
SET client_min_messages = warning;
-- Something to do with every column, NULLs and all.
CREATE FUNCTION pg_temp.work(of regclass) RETURNS text LANGUAGE sql AS $$
    SELECT 'count(*), ' || string_agg(format(CASE WHEN t.typcategory = 'N' THEN 'sum(%I)'
                                                  WHEN t.typcategory = 'S' THEN 'min(%I COLLATE "C")'
                                                  WHEN t.typname = 'bool' THEN 'bool_or(%I)'
                                                  ELSE 'min(%I)' END, a.attname), ', ' ORDER BY a.attnum)
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = of AND a.attnum > 0 AND NOT a.attisdropped
$$;
CREATE TABLE copy AS SELECT * FROM synth_sample(NULL:::"table", 1e6, seed => 1);
VACUUM (FREEZE, ANALYZE) copy;
SELECT format('FROM synth_sample(NULL::%I, 1e6, seed => 1)', :'table') AS stream, pg_temp.work(:'table') AS work,
       format('SELECT * FROM synth_sample(NULL::%I, 1e9, seed => 1) LIMIT 10', :'table') AS few,
       1e6 * (SELECT relnatts FROM pg_class WHERE oid = :'table'::regclass) AS cells \gset

CREATE TEMP TABLE task (name text PRIMARY KEY, query text, workers int, cells float8, place serial);
INSERT INTO task VALUES
    ('aggregate', format('SELECT %s %s', :'work', :'stream'), 0, :cells),
    ('aggregate, copy', format('SELECT %s FROM copy', :'work'), 0, NULL),
    ('aggregate, 2 workers', format('SELECT %s %s', :'work', :'stream'), 2, NULL),
    ('create', format('CREATE UNLOGGED TABLE made AS SELECT * %s', :'stream'), 0, NULL),
    ('create, copy', 'CREATE UNLOGGED TABLE made AS SELECT * FROM copy', 0, NULL),
    ('jsonb', format('SELECT count(t) FROM synth_sample(%L, 1e6, seed => 1) AS t', :'table'), 0, NULL),
    ('jsonb, copy', 'SELECT count(to_jsonb(t)) FROM copy AS t', 0, NULL),
    ('few', :'few', 0, NULL),
    ('wide', format('SELECT %s FROM synth_sample(NULL::wide, 150000, seed => 1)', pg_temp.work('wide')), 0, 150000 * 100);
CREATE TEMP TABLE run (name text, seconds float8);
DO $$
DECLARE
    t task;
    began timestamptz;
BEGIN
    FOR i IN 0 .. 6 LOOP
        FOR t IN SELECT * FROM task ORDER BY CASE WHEN i % 2 = 0 THEN place ELSE -place END LOOP
            PERFORM set_config('max_parallel_workers_per_gather', t.workers::text, false);
            began := clock_timestamp();
            EXECUTE t.query;
            IF i > 0 THEN       -- the first is to warm up
                INSERT INTO run VALUES (t.name, extract(epoch FROM clock_timestamp() - began));
            END IF;
            DROP TABLE IF EXISTS made;
            COMMIT;             -- gives its files back
        END LOOP;
    END LOOP;
END $$;

\pset footer off
CREATE TEMP TABLE median AS
SELECT name, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS s, min(seconds) AS least, max(seconds) AS most
FROM run GROUP BY name;
SELECT name, round(s::numeric, 4) AS seconds, round(least::numeric, 4) AS least, round(most::numeric, 4) AS most
FROM median ORDER BY name;
SELECT figure, asked, round((a.s / COALESCE(a.cells, 1) / (b.s / COALESCE(b.cells, 1)))::numeric, 2) AS measured
FROM (VALUES
    (1, 'aggregate, over that of the copy', '<= 1.4', 'aggregate', 'aggregate, copy', false),
    (2, 'create, over that of the copy', '<= 1.25', 'create', 'create, copy', false),
    (3, 'times as fast with 2 workers', '>= 1.6', 'aggregate', 'aggregate, 2 workers', false),
    (4, 'jsonb, over to_jsonb of the copy', '<= 1.5', 'jsonb', 'jsonb, copy', false),
    (5, '100 columns, per value', '<= 1.5', 'wide', 'aggregate', true)
) AS f(n, figure, asked, over, under, per_value),
LATERAL (SELECT s, CASE WHEN per_value THEN cells END AS cells FROM median JOIN task USING (name) WHERE name = over) AS a,
LATERAL (SELECT s, CASE WHEN per_value THEN cells END AS cells FROM median JOIN task USING (name) WHERE name = under) AS b
ORDER BY n;
SELECT round(s::numeric * 1000, 1) AS "LIMIT 10 of 1e9, warm, ms (< 20)" FROM median WHERE name = 'few';
SQL

# psql's own clock, of a session's first statement.
few="SELECT * FROM synth_sample(NULL::$table, 1e9, seed => 1) LIMIT 10"
for _ in 1 2 3 4 5; do
    psql -o /dev/null -c '\timing on' -c "$few" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
done | sort -n | sed -n '3s/^/LIMIT 10 of 1e9, first statement, ms (< 100): /p'

if [ -n "$memory" ]; then
    # of a numeric column, from a session that has streamed before
    column=$(psql -At -c "SELECT attname FROM pg_attribute WHERE attrelid = '$table'::regclass AND attnum > 0
        AND atttypid = 'int4'::regtype ORDER BY attnum LIMIT 1")
    psql -At -v table="$table" -v column="$column" <<'SQL'
CREATE FUNCTION pg_temp.kilobytes(what text) RETURNS int LANGUAGE sql AS $$
    SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM what || ':\s+(\d+)')::int
$$;
SELECT count(:"column") FROM synth_sample(NULL:::"table", 1e4, seed => 1) \g /dev/null
SELECT pg_temp.kilobytes('VmRSS') AS before \gset
SELECT clock_timestamp() AS began \gset
SELECT count(:"column") FROM synth_sample(NULL:::"table", 1e8, seed => 1) \g /dev/null
SELECT format('1e8 rows of one column: %s s, resident memory +%s MB (< 20), at the peak +%s MB',
              round(extract(epoch FROM clock_timestamp() - :'began')),
              round((pg_temp.kilobytes('VmRSS') - :before) / 1024.0, 1),
              round((pg_temp.kilobytes('VmHWM') - :before) / 1024.0, 1));
SQL
fi
echo "# load after $(load)"
