-- bench/dependencies.sql: tables in which columns determine others: how many rows have
-- the value that most rows of the source have, in the source and in rows made
-- with the defaults.  In a database that has the extension:
--     psql -X -f bench/dependencies.sql
\set QUIET on
\pset pager off
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS d CASCADE;
CREATE SCHEMA d;
SET search_path = d, public;
SELECT setseed(0.3) \g /dev/null
-- 1 pair -> number
CREATE TABLE cy AS SELECT c AS country, y AS year, (100 + hashtext(c||y) % 100000 / 10.0)::numeric(10,1) AS gdp, (abs(hashtext(y||c)) % 9000000) AS pop, (random()*9)::int AS k
 FROM (SELECT 'C'||(random()*39)::int c, 1990+(random()*24)::int y FROM generate_series(1,20000)) q;
-- pair of ints -> text
CREATE TABLE pt AS SELECT a, b, 'n'||md5(a||'/'||b) AS name, (random()*100)::int v FROM (SELECT (random()*30)::int a, (random()*40)::int b FROM generate_series(1,20000)) q;
-- pair date, text -> rate (exchange rates)
CREATE TABLE fx AS SELECT d, cur, (0.5+abs(hashtext(cur||d))%100000/50000.0)::numeric(8,4) AS rate, (random()*1000)::numeric(8,2) AS amount FROM (SELECT date '2024-01-01'+(random()*200)::int d, (ARRAY['USD','EUR','GBP','JPY','CHF'])[1+(random()*4)::int] cur FROM generate_series(1,30000)) q;
-- 2 price list 4000
CREATE TABLE pl AS SELECT id AS product_id, (abs(hashtext(id::text)) % 100000 / 100.0)::numeric(8,2) AS price, 1+(random()*5)::int AS qty FROM (SELECT 1+(random()*3999)::int id FROM generate_series(1,60000)) q;
-- skewed price list
CREATE TABLE pls AS SELECT id AS product_id, (abs(hashtext(id::text)) % 100000 / 100.0)::numeric(8,2) AS price, 1+(random()*5)::int AS qty FROM (SELECT 1+(random()^3*3999)::int id FROM generate_series(1,40000)) q;
-- text sku
CREATE TABLE sku AS SELECT 'SKU-'||lpad(id::text,5,'0') AS sku, (abs(hashtext(id::text)) % 100000 / 100.0)::float8 AS price, 'cat'||abs(hashtext('x'||id))%20 AS cat FROM (SELECT 1+(random()*3999)::int id FROM generate_series(1,60000)) q;
-- dates
CREATE TABLE dt AS SELECT d, 'W'||to_char(d,'IYYY-IW') AS week, (abs(hashtext(d::text))%1000) AS idx, extract(isodow FROM d)::int AS dow, random()::float8 AS r FROM (SELECT date '2020-01-01'+(random()*1000)::int d FROM generate_series(1,30000)) q;
-- hierarchy with exceptions
CREATE TABLE hz AS SELECT CASE WHEN random()<.0005 THEN 'dirty' ELSE city END city, zip, state, lat, lon FROM (SELECT 10000+z*7 AS zip, 'City'||z%800 AS city, 'S'||(z%800)%40 AS state, (30+abs(hashtext((z%800)::text))%10000/1000.0)::float8 lat, (-120+abs(hashtext('l'||(z%800)))%10000/200.0)::float8 lon FROM (SELECT (random()*2500)::int z FROM generate_series(1,40000)) q) q2;
-- exceptions 3 % of few levels; 30 levels
CREATE TABLE ex AS SELECT c, CASE WHEN random()<.03 THEN 'v'||(random()*29)::int ELSE 'v'||c END AS v, CASE WHEN random()<.01 THEN (random()*29)::int ELSE c*7%31 END AS w FROM (SELECT (random()*29)::int c FROM generate_series(1,20000)) q;
-- 30,000 ids
CREATE TABLE big AS SELECT id, (abs(hashtext(id::text)) % 10000000 / 100.0)::numeric(10,2) AS price, 'g'||abs(hashtext('y'||id))%500 AS grp FROM (SELECT 1+(random()*29999)::int id FROM generate_series(1,300000)) q;
CREATE TABLE w1 AS SELECT store, d, (abs(hashtext(store||d)) % 5000)::int AS target, extract(isodow FROM d)::int dow, (random()*100)::int x FROM (SELECT 'st'||(random()*11)::int store, date '2024-01-01' + (random()*180)::int d FROM generate_series(1,24000)) q WHERE extract(isodow FROM d) < 6;
CREATE TABLE w2 AS SELECT k, CASE WHEN random()<.02 THEN (random()*1e6)::int ELSE abs(hashtext('q'||k)) % 1000000 END AS v, CASE WHEN random()<.02 THEN now()::date - (random()*3000)::int ELSE date '2015-01-01' + abs(hashtext('d'||k)) % 3000 END AS since FROM (SELECT 'cust'||(random()*1500)::int k FROM generate_series(1,20000)) q;
CREATE TABLE w3 AS SELECT a, b, c, CASE WHEN random()<.0003 THEN 1 ELSE (a*37+b*11) % 900 END AS v, (a*b*7919 % 100003 / 100.0)::numeric(8,2) AS n FROM (SELECT (random()*60)::int a, (random()*50)::int b, (random()*5)::int c FROM generate_series(1,60000)) q;
CREATE TABLE w4 AS SELECT sku, (p*(1+0.1*y))::numeric(8,2) AS price, y AS season FROM (SELECT 'K'||k sku, (abs(hashtext('z'||k)) % 9000/100.0) p, (random()*3)::int y FROM (SELECT (random()*300)::int k FROM generate_series(1,25000)) q) q2;
CREATE TABLE w5 AS SELECT ts, ts::date - date '2024-01-01' AS dayno, (abs(hashtext(ts::text))%10000)/10.0 AS v FROM (SELECT timestamp '2024-01-01' + (random()*700)::int * interval '6 hours' ts FROM generate_series(1,15000)) q;
CREATE TABLE w6 AS SELECT d AS order_date, d + (random()*20)::int AS ship, d - (random()*300)::int AS signup, cur, (0.5+abs(hashtext(cur||d))%100000/50000.0)::numeric(8,4) AS rate FROM (SELECT date '2024-01-01'+(random()*100)::int d, (ARRAY['USD','EUR','GBP'])[1+(random()*2)::int] cur FROM generate_series(1,10000)) q;
CREATE TABLE hh AS SELECT lpad((z*13)::text,5,'0') AS zip, CASE WHEN random()<.05 THEN NULL ELSE 'Town'||z%900 END town, 'R'||(z%900)%25 AS region, CASE (z%900)%25 WHEN 0 THEN 'North' WHEN 1 THEN 'South' ELSE 'Mid' END AS zone, (40+abs(hashtext(z::text))%100000/10000.0)::numeric(7,4) AS lat, (5+abs(hashtext('o'||z))%100000/10000.0)::numeric(7,4) AS lon, (random()*100)::int AS n FROM (SELECT (random()^1.5*4000)::int z FROM generate_series(1,50000)) q;
CREATE TABLE n1 AS SELECT c, CASE WHEN random()<.08 THEN NULL ELSE 'v'||c*7%31 END AS v FROM (SELECT (random()*29)::int c FROM generate_series(1,20000)) q;
CREATE TABLE n2 AS SELECT c, CASE WHEN random()<.08 THEN NULL ELSE c*7919%10007 END AS v FROM (SELECT (random()*290)::int c FROM generate_series(1,20000)) q;

CREATE FUNCTION fit(t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM synth_fit('d.' || t, seed => 1);
	EXECUTE format('CREATE TABLE d.%I AS SELECT * FROM synth_sample(NULL::d.%I, 20000, seed => 2)', t || '_made', t);
END $$;
CREATE FUNCTION agree(t text, by text, v text) RETURNS TABLE (columns text, source numeric, made numeric) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('WITH m AS (SELECT %1$s, mode() WITHIN GROUP (ORDER BY %2$s) AS m FROM d.%3$s GROUP BY %1$s)
		SELECT %4$L, (SELECT avg((%2$s = m)::int) FROM d.%3$s JOIN m USING (%1$s))::numeric(5,4),
			(SELECT avg(coalesce(%2$s = m, false)::int) FROM d.%3$s_made LEFT JOIN m USING (%1$s) WHERE %2$s IS NOT NULL)::numeric(5,4)',
		by, v, t, t || ': ' || by || ' -> ' || v);
END $$;
SELECT fit(t) FROM unnest('{cy,pt,fx,pl,pls,sku,dt,hz,ex,big,w1,w2,w3,w4,w5,w6,hh,n1,n2}'::text[]) AS t \g /dev/null
SELECT a.* FROM (VALUES ('cy', 'country,year', 'gdp'), ('cy', 'country,year', 'pop'), ('pt', 'a,b', 'name'), ('fx', 'd,cur', 'rate'), ('pl', 'product_id', 'price'), ('pls', 'product_id', 'price'), ('sku', 'sku', 'price'), ('sku', 'sku', 'cat'), ('dt', 'd', 'week'), ('dt', 'd', 'idx'), ('dt', 'd', 'dow'), ('hz', 'zip', 'city'), ('hz', 'zip', 'state'), ('hz', 'city', 'state'), ('hz', 'zip', 'lat'), ('hz', 'zip', 'lon'), ('ex', 'c', 'v'), ('ex', 'c', 'w'), ('big', 'id', 'price'), ('big', 'id', 'grp'), ('w1', 'store,d', 'target'), ('w2', 'k', 'v'), ('w2', 'k', 'since'), ('w3', 'a,b', 'v'), ('w3', 'a,b', 'n'), ('w4', 'sku,season', 'price'), ('w5', 'ts', 'v'), ('w5', 'ts', 'dayno'), ('w6', 'order_date,cur', 'rate'), ('hh', 'zip', 'town'), ('hh', 'zip', 'region'), ('n1', 'c', 'v'), ('n2', 'c', 'v')) AS p(t, by, v), agree(t, by, v) AS a;
DROP SCHEMA d CASCADE;
