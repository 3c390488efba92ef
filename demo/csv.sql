-- Second half of loading a CSV file: infer the types of the staging table's
-- columns and make the typed table of it.  Variable: table, its name.
--
-- A type is inferred only where its output is what the file says, so that
-- nothing is lost: 007 stays text, true a boolean, 1.50 a numeric(3,2).

SELECT set_config('demo.table', :'table', false) \g /dev/null

DO $$
DECLARE
    c record;
    t record;
    guess text;
BEGIN
    FOR c IN SELECT * FROM csv_column ORDER BY ord LOOP
        EXECUTE format($sql$
            SELECT count(v) AS n,
                   bool_and(lower(v) IN ('true', 'false')) AS is_bool,
                   bool_and(v ~ '^-?(0|[1-9][0-9]{0,17})$') AS is_int,
                   max(length(v)) <= 9 AS is_short,
                   bool_and(v ~ '^-?(0|[1-9][0-9]{0,14})([.][0-9]+)?$') AS is_decimal,
                   bool_and(v ~* '^[-+]?[0-9]{1,15}([.][0-9]*)?(e[-+]?[0-9]{1,2})?$' AND v !~ '^0[0-9]') AS is_float,
                   max(length(substring(v FROM '[.]([0-9]+)$'))) AS scale,
                   max(length(substring(v FROM '^-?([0-9]+)'))) AS whole,
                   bool_and(v ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') AS is_date,
                   bool_and(v ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[-+][0-9]{2}(:?[0-9]{2})?)?$') AS is_time,
                   bool_or(v ~ ':.*(Z|[-+][0-9:]+)$') AS has_zone,
                   bool_and(v ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') AS is_uuid
            FROM (SELECT nullif(%I, '') AS v FROM csv_staging) AS s$sql$, c.name) INTO t;

        guess := CASE
            WHEN t.n = 0 THEN 'text'
            WHEN t.is_bool THEN 'boolean'
            WHEN t.is_int THEN CASE WHEN t.is_short THEN 'integer' ELSE 'bigint' END
            WHEN t.is_decimal AND t.scale <= 4 THEN format('numeric(%s,%s)', t.whole + t.scale, t.scale)
            WHEN t.is_float THEN 'double precision'
            WHEN t.is_date THEN 'date'
            WHEN t.is_time THEN CASE WHEN t.has_zone THEN 'timestamp with time zone' ELSE 'timestamp' END
            WHEN t.is_uuid THEN 'uuid'
            ELSE 'text' END;

        -- What only looks like its type, such as the 31st of June, is text.
        BEGIN
            EXECUTE format('SELECT count(nullif(%I, '''')::%s) FROM csv_staging', c.name, guess);
        EXCEPTION WHEN data_exception THEN
            guess := 'text';
        END;
        UPDATE csv_column SET type = guess WHERE ord = c.ord;
    END LOOP;

    EXECUTE (
        SELECT format('CREATE TABLE %I AS SELECT %s FROM csv_staging', current_setting('demo.table'),
                      string_agg(format('nullif(%1$I, '''')::%2$s AS %1$I', name, type), ', ' ORDER BY ord))
        FROM csv_column);
    EXECUTE format('ANALYZE %I', current_setting('demo.table'));
END $$;

DROP TABLE csv_staging;
