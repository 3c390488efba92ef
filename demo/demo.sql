-- The demonstration: learn a table, stream rows of it, look at them.
-- Variables: table, the table's name; rows, how many to stream.

\pset footer off
\pset border 1
\set since 'SELECT extract(epoch FROM clock_timestamp()) AS '

\echo
\echo '== 1. Learn the table'
\echo
SELECT format('%s rows, %s columns', to_char(count(*), 'FM999,999,999,999'),
              (SELECT count(*) FROM pg_attribute
               WHERE attrelid = (:'table')::regclass AND attnum > 0 AND NOT attisdropped)) AS :"table"
FROM :"table";
:since t0 \gset
\set ECHO queries
\x on
SELECT * FROM synth_fit(:'table');
\set ECHO none
\x off
:since t1 \gset

\echo
\echo '== 2. Stream rows, as jsonb'
\echo
-- In chunks through a pipe: psql must not hold a million documents.
\set FETCH_COUNT 10000
\pset format unaligned
\pset tuples_only on
\set ECHO queries
SELECT * FROM synth_sample(:'table', :rows)
\g | awk 'NR <= 2 { print } { bytes += length + 1 } END { printf "...\n%d documents, %.0f MB\n", NR, bytes / 1e6 }'
\set ECHO none
\unset FETCH_COUNT
\pset tuples_only off
\pset format aligned
:since t2 \gset

\echo
\echo '== 3. Stream rows, typed'
\echo
\set ECHO queries
CREATE TABLE synthetic AS SELECT * FROM synth_sample(NULL:::table, :rows);
\set ECHO none
:since t3 \gset
\echo
SELECT pg_size_pretty(pg_table_size('synthetic')) AS "size of synthetic" \g
ANALYZE synthetic;

\echo '== 4. Compare'
\echo
\set real :table
\set synthetic synthetic
\ir compare.sql
:since t4 \gset

\echo '== 5. Times'
\echo
SELECT step, to_char(seconds, 'FM999990.00') AS seconds,
       to_char(rows / nullif(seconds, 0), 'FM999,999,999,999') AS "rows a second"
FROM (VALUES
    (1, 'learn ' || :'table', :t1 - :t0, (SELECT count(*) FROM :"table")),
    (2, 'stream jsonb to psql', :t2 - :t1, (SELECT count(*) FROM synthetic)),
    (3, 'stream into a table', :t3 - :t2, (SELECT count(*) FROM synthetic)),
    (4, 'compare', :t4 - :t3, NULL)) AS t(n, step, seconds, rows)
ORDER BY n;
