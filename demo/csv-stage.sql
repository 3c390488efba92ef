-- First half of loading a CSV file: a staging table with the columns of the
-- header line, all text.  Variables: header, the line; delimiter.
-- The names are taken as they are; an empty one becomes column_N, a second
-- one of the same name gets its number behind it.

CREATE TEMP TABLE csv_column AS
WITH field AS (
    SELECT ordinality AS ord,
           CASE WHEN m[1] LIKE '"%' THEN replace(substr(m[1], 2, length(m[1]) - 2), '""', '"') ELSE m[1] END AS name
    FROM regexp_matches(:'header' || :'delimiter',
                        '("(?:[^"]|"")*"|[^' || :'delimiter' || ']*)' || :'delimiter', 'g') WITH ORDINALITY AS t(m, ordinality)
)
SELECT ord,
       CASE WHEN name = '' THEN 'column_' || ord
            WHEN row_number() OVER (PARTITION BY name ORDER BY ord) > 1 THEN name || '_' || ord
            ELSE name END AS name,
       NULL::text AS type
FROM field;

SELECT format('CREATE TEMP TABLE csv_staging (%s)', string_agg(format('%I text', name), ', ' ORDER BY ord))
FROM csv_column \gexec
