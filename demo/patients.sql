-- patients: 20,000 invented patients of an invented county, with the joint
-- distribution, the NULLs and the odd corners that a real table has.
--
-- Every value is a pure function of the patient's number, so that each run
-- and each major version of PostgreSQL makes the same table.  Nobody here
-- exists: names are drawn from short lists, telephone numbers end in the
-- 555-01xx kept for fiction, and the SSNs begin with 9, which none ever does.

-- A uniform variate in (0, 1) for draw k of patient i.
CREATE FUNCTION pg_temp.u(i int, k int) RETURNS float8
    IMMUTABLE LANGUAGE sql
    AS $$ SELECT (((hashint8extended(i, k) >> 12) & 4503599627370495) + 0.5) / 4503599627370496 $$;

-- A standard normal variate (Box and Muller 1958).
CREATE FUNCTION pg_temp.z(i int, k int) RETURNS float8
    IMMUTABLE LANGUAGE sql
    AS $$ SELECT sqrt(-2 * ln(pg_temp.u(i, 2 * k + 1000))) * cos(2 * pi() * pg_temp.u(i, 2 * k + 1001)) $$;

-- An entry of a list, the first ones more often than the last.
CREATE FUNCTION pg_temp.pick(list text[], u float8) RETURNS text
    IMMUTABLE LANGUAGE sql
    AS $$ SELECT list[1 + floor(cardinality(list) * u ^ 1.6)::int] $$;

CREATE TABLE patients (
    patient_id  integer PRIMARY KEY,
    name        text NOT NULL,
    email       text,
    phone       varchar(20),
    ssn         char(11) NOT NULL UNIQUE,
    birth_date  date NOT NULL,
    sex         char(1) NOT NULL CHECK (sex IN ('F', 'M')),
    address     text NOT NULL,
    postcode    char(5) NOT NULL,
    height_cm   numeric(4,1),
    weight_kg   numeric(5,1),
    systolic    integer,
    diastolic   integer,
    smoker      boolean,
    diagnosis   text,
    visit_count integer NOT NULL CHECK (visit_count >= 0),
    cost        numeric(10,2) NOT NULL,
    last_visit  timestamp
);

-- Each step is materialized, lest its expressions be pasted into every use.
INSERT INTO patients
WITH person AS MATERIALIZED (
    SELECT i,
           CASE WHEN pg_temp.u(i, 1) < 0.52 THEN 'F' ELSE 'M' END AS sex,
           -- adults: broad up to 60, thinning out above
           18 + 78 * (0.62 * pg_temp.u(i, 2) + 0.38 * pg_temp.u(i, 3) * pg_temp.u(i, 4)) AS age,
           1 + floor(12 * pg_temp.u(i, 5) ^ 1.5)::int AS town
    FROM generate_series(1, 20000) AS i
), body AS MATERIALIZED (
    SELECT *,
           CASE sex WHEN 'F' THEN 164 + 6.4 * pg_temp.z(i, 1) ELSE 177.5 + 7.1 * pg_temp.z(i, 1) END
               - 0.06 * greatest(age - 45, 0) AS height,
           exp(3.24 + 0.0022 * (least(age, 65) - 45) + 0.165 * pg_temp.z(i, 2)
               + 0.12 * greatest(pg_temp.z(i, 3), 0)) AS bmi,
           pg_temp.u(i, 6) < CASE sex WHEN 'F' THEN 0.15 ELSE 0.21 END
               * CASE WHEN age < 30 THEN 1.1 WHEN age < 60 THEN 1.3 ELSE 0.6 END AS smokes
    FROM person
), pressure AS MATERIALIZED (
    SELECT *, 98 + 0.42 * age + 0.75 * (bmi - 26) + 4 * smokes::int
               + CASE sex WHEN 'M' THEN 3 ELSE 0 END + 10.5 * pg_temp.z(i, 4) AS sys
    FROM body
), ill AS MATERIALIZED (
    -- the leading complaint: the largest of utilities with Gumbel noise, which
    -- is a draw from a multinomial logit
    SELECT p.*, d.diagnosis
    FROM pressure AS p CROSS JOIN LATERAL (
        SELECT c.diagnosis
        FROM (VALUES
            (1, NULL,                     2.7 - 0.030 * (age - 40)),
            (2, 'hypertension',           0.4 + 0.055 * (sys - 130)),
            (3, 'type 2 diabetes',       -0.6 + 0.11 * (bmi - 27) + 0.030 * (age - 50)),
            (4, 'asthma',                 0.3 - 0.020 * (age - 40)),
            (5, 'COPD',                  -2.6 + 2.6 * smokes::int + 0.060 * (age - 50)),
            (6, 'depression',             0.8 - 0.015 * (age - 40) + CASE sex WHEN 'F' THEN 0.5 ELSE 0 END),
            (7, 'back pain',              0.9 - 0.0006 * (age - 50) ^ 2),
            (8, 'migraine',               0.0 - 0.030 * (age - 40) + CASE sex WHEN 'F' THEN 0.9 ELSE 0 END),
            (9, 'coronary heart disease', -1.9 + 0.065 * (age - 55) + 0.9 * smokes::int + 0.02 * (sys - 130)),
            (10, 'pregnancy', CASE WHEN sex = 'F' AND age < 46 THEN 0.9 - 0.015 * (age - 30) ^ 2 END),
            (11, 'arthrosis',            -0.7 + 0.050 * (age - 55) + 0.05 * (bmi - 27)),
            (12, 'epilepsy',             -2.2)
        ) AS c(k, diagnosis, utility)
        WHERE c.utility IS NOT NULL
        ORDER BY c.utility - ln(-ln(pg_temp.u(p.i, 100 + c.k))) DESC
        LIMIT 1
    ) AS d
), care AS MATERIALIZED (
    -- the chronically ill come often, the healthy seldom or never
    SELECT *, floor(-ln(pg_temp.u(i, 7)) * (1.1 + 0.03 * (age - 18)
               + CASE WHEN diagnosis IS NULL THEN 0
                      WHEN diagnosis IN ('COPD', 'coronary heart disease', 'type 2 diabetes') THEN 5.5
                      WHEN diagnosis = 'pregnancy' THEN 6 ELSE 2.5 END))::int AS visits
    FROM ill
), named AS MATERIALIZED (
    SELECT *,
           CASE sex
               WHEN 'F' THEN pg_temp.pick('{Mary,Anna,Emma,Linda,Sarah,Laura,Julia,Susan,Nina,Karen,Lisa,Clara,Grace,Helen,Alice,Diana,Ella,Ruth,Maria,Eva,Sofia,Martha,Irene,Olga,Paula,Rosa,Judith,Nora,Amelia,Ivy,Beatrice,Carmen,Fatima,Ingrid,Leila,Mei,Priya,Renata,Sigrid,Yasmin}', pg_temp.u(i, 8))
               ELSE pg_temp.pick('{James,John,Peter,David,Thomas,Daniel,Paul,Mark,Michael,Robert,George,Simon,Frank,Henry,Oscar,Martin,Leo,Victor,Adam,Walter,Hugo,Carl,Bruno,Felix,Ivan,Jacob,Luis,Omar,Ralph,Samuel,Theo,Arthur,Dmitri,Emil,Hassan,Kenji,Marco,Nikolai,Raj,Stefan}', pg_temp.u(i, 8))
           END AS first_name,
           pg_temp.pick('{Miller,Walker,Baker,Cooper,Fisher,Turner,Hill,Wood,Stone,Brooks,Carter,Mason,Parker,Young,Marsh,Reed,Field,Lake,Winter,Archer,Barker,Castle,Draper,Elder,Forester,Glover,Harper,Ives,Joiner,Keeler,Lander,Merchant,Naylor,Orchard,Potter,Quill,Ryder,Sawyer,Tanner,Underhill,Vintner,Weaver,Yates,Ashdown,Birch,Cliff,Dale,Eastman,Ferris,Garland,Heath,Irwin,Juniper,Kestrel,Linden,Meadows,Northcote,Oakley,Penrose,Rowan,Silver,Thorne,Vale,Westbrook,Garcia,Nguyen,Okafor,Petrov,Rossi,Sato,Schmidt,Singh,Silva,Larsen,Novak,Kowalski,Haddad,Chen,Kim,Moreau}', pg_temp.u(i, 9)) AS last_name
    FROM care
)
SELECT i,
       first_name || ' ' || last_name,
       -- the old have an e-mail address less often
       CASE WHEN pg_temp.u(i, 10) > 0.02 + 0.004 * greatest(age - 40, 0) THEN
           lower(first_name) || (ARRAY['.', '', '_', '.'])[1 + floor(4 * pg_temp.u(i, 11))::int]
           || lower(last_name) || CASE WHEN pg_temp.u(i, 12) < 0.55 THEN floor(99 * pg_temp.u(i, 13))::int::text ELSE '' END
           || '@example.' || pg_temp.pick('{com,org,net}', pg_temp.u(i, 14)) END,
       CASE WHEN pg_temp.u(i, 15) > 0.05 THEN
           format('+1-%s-555-01%s', 530 + town, lpad(floor(100 * pg_temp.u(i, 16))::int::text, 2, '0')) END,
       -- a permutation of the eight digits after the 9: no two alike
       regexp_replace('9' || lpad(((i * 61803399::bigint + 27182818) % 100000000)::text, 8, '0'), '(...)(..)(....)', '\1-\2-\3'),
       date '2026-06-30' - (365.2425 * age)::int,
       sex,
       format('%s %s %s, %s', 1 + floor(220 * pg_temp.u(i, 17) ^ 2)::int,
           pg_temp.pick('{Oak,Church,Mill,Park,Station,River,High,Elm,Garden,King,School,Bridge,Maple,Lake,Chapel,Orchard,Market,Cedar,Spring,Harbour,Chestnut,Meadow,Castle,Sunset,Prospect}', pg_temp.u(i, 18)),
           pg_temp.pick('{Street,Road,Avenue,Lane,Close,Way}', pg_temp.u(i, 19)),
           (ARRAY['Millbrook','Ashford Bay','Stonebridge','Eastvale','Northwick','Linden Hill','Redwater','Fairhaven','Oakmere','Silverton','Westmoor','Coldspring'])[town]),
       (48000 + 40 * town + floor(8 * pg_temp.u(i, 20))::int)::text,
       CASE WHEN pg_temp.u(i, 21) > 0.03 THEN height END,
       -- who never comes is not weighed, nor is the blood pressure taken
       CASE WHEN pg_temp.u(i, 22) > CASE visits WHEN 0 THEN 0.55 ELSE 0.04 END THEN bmi * (height / 100) ^ 2 END,
       CASE WHEN pg_temp.u(i, 23) > CASE visits WHEN 0 THEN 0.60 ELSE 0.03 END THEN sys END,
       CASE WHEN pg_temp.u(i, 23) > CASE visits WHEN 0 THEN 0.60 ELSE 0.03 END
           THEN 37 + 0.33 * sys - 0.18 * greatest(age - 55, 0) + 5.5 * pg_temp.z(i, 5) END,
       CASE WHEN pg_temp.u(i, 24) > 0.09 THEN smokes END,
       diagnosis,
       visits,
       CASE visits WHEN 0 THEN 0 ELSE
           visits * exp(4.5 + 0.75 * pg_temp.z(i, 6)
               + CASE WHEN diagnosis IN ('COPD', 'coronary heart disease') THEN 0.9
                      WHEN diagnosis = 'pregnancy' THEN 0.6 ELSE 0 END) END,
       -- office hours in steps of ten minutes; frequent patients came lately
       CASE WHEN visits > 0 THEN
           date '2026-06-30' - least(1 + -ln(pg_temp.u(i, 25)) * 420 / visits, 1800)::int
           + interval '8 hours' + interval '10 minutes' * floor(58 * pg_temp.u(i, 26)) END
FROM named;

ANALYZE patients;
