-- Two tables of the same columns side by side: rows, numbers, categories,
-- texts, NULLs, and how the columns hang together.  Works from the catalog, on
-- any tables.  Variables: real, synthetic, the names of the tables.
--
-- Each section reads from temporary tables that the functions below fill.

\pset footer off
\pset null ''
SET work_mem = '256MB';
SET client_min_messages = warning;
SELECT set_config('demo.real', quote_ident(:'real'), false), set_config('demo.synthetic', quote_ident(:'synthetic'), false)
\g /dev/null

-- What each column is to us: a number (with an expression that makes it one),
-- a category, a text, or a key.
CREATE TEMP TABLE col AS
SELECT a.attnum AS ord, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN EXISTS (SELECT FROM pg_index AS i
                         WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1
                           AND i.indkey[0] = a.attnum) THEN 'key'
            WHEN b.typname = 'bool' THEN 'boolean'
            WHEN b.typname IN ('date', 'timestamp', 'timestamptz') THEN b.typname::text
            WHEN b.typcategory = 'N' AND b.typname <> 'money' AND b.typname !~ '^(reg|oid)' THEN 'number'
            ELSE 'text' END AS kind,
       CASE WHEN b.typname = 'bool' THEN format('%I::int::float8', a.attname)
            WHEN b.typname = 'date' THEN format('(CASE WHEN isfinite(%1$I) THEN %1$I - date ''2000-01-01'' END)::float8', a.attname)
            WHEN b.typname ~ '^timestamp' THEN
                format('(CASE WHEN isfinite(%1$I) THEN extract(epoch FROM %1$I) / 86400 END)::float8', a.attname)
            ELSE format('nullif(%I::float8, ''NaN'')', a.attname) END AS x,
       NULL::int AS levels, NULL::int AS width, NULL::int AS band
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_type AS b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = current_setting('demo.real')::regclass AND a.attnum > 0 AND NOT a.attisdropped;

-- A number for people: five digits or so, dates as dates.
CREATE FUNCTION pg_temp.human(x float8, kind text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN kind = 'number' AND x = round(x) AND abs(x) < 1e15 THEN x::bigint::text
                WHEN kind = 'date' THEN to_char(date '2000-01-01' + round(x)::int, 'YYYY-MM-DD')
                WHEN kind ~ '^timestamp' THEN to_char(to_timestamp(x * 86400) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
                WHEN abs(x) = 'infinity' THEN x::text
                WHEN abs(x) >= 1e15 OR (abs(x) < 1e-4 AND x <> 0) THEN to_char(x, '9.99EEEE')
                ELSE round(x::numeric, greatest(0, least(6, 3 - floor(log(greatest(abs(x), 1e-4)))::int)))::text END
$$;

CREATE FUNCTION pg_temp.share(x float8) RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT to_char(100 * x, '990.0') || ' %' $$;

CREATE TEMP TABLE side (side text, tab text, part text);
INSERT INTO side VALUES ('real', current_setting('demo.real'), 'real_part'),
                        ('synthetic', current_setting('demo.synthetic'), 'synthetic_part');

-- Texts and dependence are looked at in equally many rows of both.
CREATE FUNCTION pg_temp.take_parts() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s', current_setting('demo.real')) INTO n;
    IF n <= 50000 THEN
        EXECUTE format('CREATE TEMP VIEW real_part AS SELECT * FROM %s', current_setting('demo.real'));
    ELSE
        EXECUTE format('CREATE TEMP TABLE real_part AS SELECT * FROM %s TABLESAMPLE BERNOULLI (%s) REPEATABLE (1)',
                       current_setting('demo.real'), 100 * 50000.0 / n);
    END IF;
    EXECUTE format('CREATE TEMP TABLE synthetic_part AS SELECT * FROM %s LIMIT %s',
                   current_setting('demo.synthetic'), least(n, 50000));
END $$;

-- Ten rows of each, and the bands of columns that fit beside each other.
CREATE TEMP TABLE ten (side text, n int, doc jsonb);
CREATE FUNCTION pg_temp.take_ten() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s side;
    c col;
    used int := 0;
    b int := 1;
BEGIN
    FOR s IN TABLE side LOOP
        EXECUTE format('INSERT INTO ten SELECT %L, row_number() OVER (), to_jsonb(t) FROM (SELECT * FROM %s LIMIT 10) AS t',
                       s.side, s.tab);
    END LOOP;
    UPDATE col SET width = greatest(length(name), (SELECT max(length(left(coalesce(doc ->> name, 'NULL'), 36))) FROM ten));
    FOR c IN SELECT * FROM col ORDER BY ord LOOP
        IF used > 0 AND used + c.width + 3 > 120 THEN
            b := b + 1;
            used := 0;
        END IF;
        used := used + c.width + 3;
        UPDATE col SET band = b WHERE ord = c.ord;
    END LOOP;
END $$;

-- Moments and NULLs of all rows, in one scan; quantiles, which need a sort each,
-- of all real rows and the first 200,000 synthetic ones.
CREATE TEMP TABLE number (ord int, side text, nulls float8, mean float8, sd float8, q float8[]);
CREATE FUNCTION pg_temp.take_numbers() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s side;
    c col;
    moments float8[];
BEGIN
    FOR s IN TABLE side LOOP
        EXECUTE (
            SELECT format('SELECT ARRAY[%s] FROM %s',
                          string_agg(format('ARRAY[1 - count(%I)::float8 / nullif(count(*), 0), ', name)
                                     || CASE WHEN kind IN ('number', 'date', 'timestamp', 'timestamptz')
                                             THEN format('avg(%1$s), stddev_samp(%1$s)]', x)
                                             ELSE 'NULL, NULL]' END, ', ' ORDER BY ord), s.tab)
            FROM col) INTO moments;
        INSERT INTO number
            SELECT ord, s.side, moments[n][1], moments[n][2], moments[n][3], NULL
            FROM (SELECT ord, row_number() OVER (ORDER BY ord) AS n FROM col) AS t;
        FOR c IN SELECT * FROM col WHERE kind IN ('number', 'date', 'timestamp', 'timestamptz') LOOP
            EXECUTE format('UPDATE number SET q = (
                                SELECT percentile_disc(ARRAY[0.05, 0.5, 0.95]) WITHIN GROUP (ORDER BY x)
                                FROM (SELECT %s AS x FROM %s %s) AS t)
                            WHERE ord = %s AND side = %L',
                           c.x, s.tab, CASE s.side WHEN 'real' THEN '' ELSE 'LIMIT 200000' END, c.ord, s.side);
        END LOOP;
    END LOOP;
END $$;

-- Texts of at most 60 different values, on average in five rows each, are
-- categories.
CREATE TEMP TABLE category (ord int, value text, real float8, synthetic float8);
CREATE TEMP TABLE text_column (ord int, side text, distinct_values bigint, length float8, known float8);
CREATE FUNCTION pg_temp.take_texts() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s side;
    c col;
BEGIN
    FOR c IN SELECT * FROM col WHERE kind IN ('boolean', 'text', 'key') LOOP
        EXECUTE format('SELECT count(*) FROM (SELECT DISTINCT %I::text FROM real_part) AS t', c.name) INTO c.levels;
        IF c.kind = 'key' THEN
            c.levels := NULL;
        ELSIF c.levels <= least(60, greatest(2, (SELECT count(*) FROM real_part) / 5)) THEN
            UPDATE col SET levels = c.levels, kind = CASE kind WHEN 'text' THEN 'category' ELSE kind END WHERE ord = c.ord;
            EXECUTE format('INSERT INTO category SELECT %s, value, coalesce(r.share, 0), coalesce(s.share, 0)
                FROM (SELECT coalesce(%2$I::text, ''(NULL)'') AS value, count(*)::float8 / sum(count(*)) OVER () AS share FROM %3$s GROUP BY 1) AS r
                FULL JOIN (SELECT coalesce(%2$I::text, ''(NULL)'') AS value, count(*)::float8 / sum(count(*)) OVER () AS share FROM %4$s GROUP BY 1) AS s
                USING (value)', c.ord, c.name, current_setting('demo.real'), current_setting('demo.synthetic'));
            CONTINUE;
        END IF;
        FOR s IN TABLE side LOOP
            EXECUTE format('INSERT INTO text_column SELECT %s, %L, count(DISTINCT %3$I::text COLLATE "C"), avg(length(%3$I::text)),
                avg((%3$I::text IN (SELECT %3$I::text FROM real_part WHERE %3$I IS NOT NULL))::int) FROM %4$s',
                c.ord, s.side, c.name, s.part);
        END LOOP;
    END LOOP;
END $$;

-- Pearson's correlation of every pair of numbers, and the correlation ratio of
-- every number in every category (the root of the share of its variance that
-- lies between the category's means).
CREATE TEMP TABLE dependence (measure text, a int, b int, side text, value float8);
CREATE FUNCTION pg_temp.take_dependence() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s side;
    c col;
    d col;
BEGIN
    CREATE TEMP TABLE numeric_col AS
        SELECT * FROM col WHERE kind NOT IN ('key', 'text', 'category') ORDER BY ord LIMIT 25;
    FOR s IN TABLE side LOOP
        IF (SELECT count(*) FROM numeric_col) > 1 THEN
            EXECUTE (
                SELECT format('INSERT INTO dependence SELECT ''correlation'', unnest(ARRAY[%s]), unnest(ARRAY[%s]), %L, unnest(ARRAY[%s]) FROM %s',
                              string_agg(a.ord::text, ', '), string_agg(b.ord::text, ', '), s.side,
                              string_agg(format('corr(%s, %s)', a.x, b.x), ', '), s.part)
                FROM numeric_col AS a JOIN numeric_col AS b ON a.ord < b.ord);
        END IF;
        FOR c IN SELECT * FROM col WHERE kind = 'category' ORDER BY ord LIMIT 12 LOOP
            FOR d IN SELECT * FROM numeric_col LOOP
                EXECUTE format('INSERT INTO dependence
                    SELECT ''correlation ratio'', %s, %s, %L, sqrt(greatest(0, 1 - sum(n * v) / nullif(sum(n * v) + sum(n * m * m) - sum(n * m) ^ 2 / sum(n), 0)))
                    FROM (SELECT count(x) AS n, avg(x) AS m, var_pop(x) AS v
                          FROM (SELECT %I::text AS c, %s AS x FROM %s) AS t GROUP BY c) AS g WHERE n > 0',
                    c.ord, d.ord, s.side, c.name, d.x, s.part);
            END LOOP;
        END LOOP;
    END LOOP;
END $$;

SELECT pg_temp.take_parts(), pg_temp.take_ten(), pg_temp.take_numbers(), pg_temp.take_texts(), pg_temp.take_dependence()
\g /dev/null

\echo '-- Ten rows of each'
\echo
-- One query for each band of columns, real above synthetic; numbers on the right.
SELECT format('SELECT n AS %I, %s FROM ten WHERE side = %L ORDER BY n', s.side,
              string_agg(format(CASE WHEN c.kind = 'number' THEN 'lpad(%s, %s) AS %I' ELSE '%s AS %3$I' END,
                                format('left(coalesce(doc ->> %L, ''NULL''), 36)', c.name), c.width, c.name), ', ' ORDER BY c.ord), s.side)
FROM col AS c CROSS JOIN side AS s
GROUP BY c.band, s.side
ORDER BY c.band, s.side \gexec

\echo '-- Numbers'
\echo
WITH v AS (
    SELECT n.ord, n.side, c.name,
           pg_temp.human(n.mean, c.kind) AS mean,
           pg_temp.human(n.sd, 'number') || CASE c.kind WHEN 'number' THEN '' ELSE ' days' END AS sd,
           pg_temp.human(n.q[1], c.kind) AS q1, pg_temp.human(n.q[2], c.kind) AS q2, pg_temp.human(n.q[3], c.kind) AS q3
    FROM number AS n JOIN col AS c USING (ord)
    WHERE c.kind IN ('number', 'date', 'timestamp', 'timestamptz')
)
SELECT CASE side WHEN 'real' THEN name ELSE '' END AS "column", side AS " ",
       lpad(mean, max(length(mean)) OVER ()) AS mean,
       lpad(sd, max(length(sd)) OVER ()) AS "standard deviation",
       lpad(q1, max(length(q1)) OVER ()) AS "5 %",
       lpad(q2, max(length(q2)) OVER ()) AS "50 %",
       lpad(q3, max(length(q3)) OVER ()) AS "95 %"
FROM v ORDER BY ord, side;

\echo '-- Categories: the most frequent six of each'
\echo
WITH ranked AS (
    SELECT *, row_number() OVER (PARTITION BY ord ORDER BY real DESC, synthetic DESC, value) AS rank,
           count(*) OVER (PARTITION BY ord) AS levels
    FROM category
), cut AS (
    SELECT ord, CASE WHEN rank <= 6 OR levels = 7 THEN rank ELSE 99 END AS rank,
           CASE WHEN rank <= 6 OR levels = 7 THEN left(max(value), 40) ELSE '(' || count(*) || ' others)' END AS value,
           sum(real) AS real, sum(synthetic) AS synthetic
    FROM ranked GROUP BY ord, 2, rank <= 6 OR levels = 7
)
SELECT CASE WHEN rank = 1 THEN name ELSE '' END AS "column", value,
       pg_temp.share(real) AS real, pg_temp.share(synthetic) AS synthetic
FROM cut JOIN col USING (ord) ORDER BY ord, rank;

SELECT EXISTS (SELECT FROM text_column) AS has_texts,
       EXISTS (SELECT FROM number WHERE nulls > 0) AS has_nulls,
       EXISTS (SELECT FROM dependence) AS has_dependence \gset

\if :has_texts
\echo '-- Texts and keys, in equally many rows of both'
\echo
SELECT c.name AS "column",
       to_char(max(t.distinct_values) FILTER (WHERE side = 'real'), 'FM999,999,999') AS "values, real",
       to_char(max(t.distinct_values) FILTER (WHERE side <> 'real'), 'FM999,999,999') AS "synthetic",
       round(max(t.length::numeric) FILTER (WHERE side = 'real'), 1) AS "mean length, real",
       round(max(t.length::numeric) FILTER (WHERE side <> 'real'), 1) AS "synthetic ",
       pg_temp.share(max(t.known) FILTER (WHERE side <> 'real')) AS "synthetic that are in real"
FROM text_column AS t JOIN col AS c USING (ord)
GROUP BY ord, c.name ORDER BY ord;
\endif

\if :has_nulls
\echo '-- NULLs'
\echo
SELECT c.name AS "column", pg_temp.share(r.nulls) AS real, pg_temp.share(s.nulls) AS synthetic
FROM col AS c JOIN number AS r ON r.ord = c.ord AND r.side = 'real' JOIN number AS s ON s.ord = c.ord AND s.side <> 'real'
WHERE r.nulls > 0 OR s.nulls > 0
ORDER BY c.ord;
\endif

\if :has_dependence
\echo '-- Dependence: the strongest pairs (a correlation ratio is that of a number in the groups of a category)'
\echo
CREATE TEMP VIEW pair AS
SELECT measure, a, b, max(value) FILTER (WHERE side = 'real') AS real, max(value) FILTER (WHERE side <> 'real') AS synthetic
FROM dependence GROUP BY measure, a, b;

WITH ranked AS (
    SELECT *, row_number() OVER (PARTITION BY measure ORDER BY abs(real) DESC, a, b) AS rank
    FROM pair WHERE real IS NOT NULL
)
SELECT CASE WHEN rank = 1 THEN measure ELSE '' END AS measure, a.name || ', ' || b.name AS columns,
       to_char(real, '0.00') AS real, to_char(synthetic, '0.00') AS synthetic
FROM ranked JOIN col AS a ON a.ord = ranked.a JOIN col AS b ON b.ord = ranked.b
WHERE rank <= 12 ORDER BY ranked.measure, rank;

SELECT measure, count(*) AS pairs, to_char(avg(abs(real - synthetic)), '0.000') AS "mean difference",
       to_char(max(abs(real - synthetic)), '0.000') AS "largest difference"
FROM pair GROUP BY measure ORDER BY measure;
\endif
