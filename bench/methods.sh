#!/bin/bash
# bench/methods.sh [--inside] [method ...]
#
# What each method costs on Adult: seconds of a fit with its defaults, the
# memory that the backend grows by meanwhile, at the peak, and rows a second, all
# columns aggregated, by one process and by two, of so many rows (ROWS, 1e5).
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
[ $# -gt 0 ] || set -- tree copula vae diffusion gan
rows=${ROWS:-1e5}
start
make_table
echo "# $(date -I), $table, load $(cut -d ' ' -f 1-3 /proc/loadavg), $(nproc) CPUs"
for method; do
    psql -Atq -v method="$method" -v table="$table" -v rows="$rows" <<'SQL' || exit 1
SET client_min_messages = warning;
SET jit = off;
CREATE FUNCTION pg_temp.kilobytes(what text) RETURNS int LANGUAGE sql AS $$
    SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM what || ':\s+(\d+)')::int $$;
CREATE FUNCTION pg_temp.seconds(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz := clock_timestamp();
BEGIN
    EXECUTE query;
    RETURN extract(epoch FROM clock_timestamp() - began);
END $$;
SELECT count(t) FROM :"table" AS t \g /dev/null
SELECT pg_temp.kilobytes('VmRSS') AS before \gset
SELECT seconds, array_to_string(notes, '; ') AS notes FROM synth_fit(:'table', method => :'method', seed => 1) \gset
SELECT pg_temp.kilobytes('VmHWM') - :before AS grown \gset
SELECT format('SELECT %s FROM synth_sample(NULL::%I, %s, seed => 1)', string_agg(format(
    CASE WHEN t.typcategory = 'N' THEN 'sum(%I)' WHEN t.typcategory = 'S' THEN 'min(%I COLLATE "C")'
         WHEN t.typname = 'bool' THEN 'bool_or(%I)' ELSE 'min(%I)' END, a.attname), ', '), :'table', :'rows') AS query
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = :'table'::regclass AND a.attnum > 0 AND NOT a.attisdropped \gset
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.seconds(:'query') AS one \gset
SET max_parallel_workers_per_gather = 1;
SELECT pg_temp.seconds(:'query') AS two \gset
SELECT format('%-10s fit %s s, %s MB; rows a second %s, by two %s (%s rows: %s s)', :'method', round((:seconds)::numeric, 2),
    round(:grown / 1024.0), round((:rows::float8 / :one)::numeric), round((:rows::float8 / :two)::numeric), :'rows', round((:two)::numeric, 2));
SELECT format('#          %s', :'notes');
SQL
done
echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg)"
