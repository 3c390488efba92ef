-- Tables of the kinds of issue 18: each is fitted with defaults, and the share of rows that keep a rule is told of source and sample.
-- In a database with gensynth: psql -X -f bench/columns.sql
\set ON_ERROR_STOP off
SET timezone='UTC'; SET client_min_messages=warning;
CREATE TABLE result(id serial, t text, rule text, src float8, syn float8);
CREATE FUNCTION judge(tab text, rules text[], opts jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE i int; a float8; b float8; e text;
BEGIN
  EXECUTE format('SELECT 1 FROM synth_fit(%L, seed => 1, options => %L)', tab, opts);
  EXECUTE format('CREATE TABLE %I AS SELECT * FROM synth_sample(NULL::%I, (SELECT count(*) FROM %I), seed => 2)', tab||'_s', tab, tab);
  FOR i IN 1 .. array_length(rules,1) LOOP
    e := CASE WHEN rules[i] LIKE '=%' THEN substr(rules[i],2) ELSE format('avg((%s)::int)', rules[i]) END;
    BEGIN
    EXECUTE format('SELECT (%s)::float8 FROM %I', e, tab) INTO a;
    EXECUTE format('SELECT (%s)::float8 FROM %I', e, tab||'_s') INTO b;
    EXCEPTION WHEN others THEN a := NULL; b := NULL; e := e||' !! '||SQLERRM; END;
    INSERT INTO result(t,rule,src,syn) VALUES (tab, e, a, b);
  END LOOP;
EXCEPTION WHEN others THEN INSERT INTO result(t,rule) VALUES (tab, 'ERROR '||SQLERRM);
END $$;
SELECT setseed(0.42);
-- a: order
CREATE TABLE ohlc AS SELECT (o-d1)::float8 low, o::float8 open, c::float8 AS close, (greatest(o,c)+d2)::float8 high FROM (SELECT *, round((o+(random()-.5)*4)::numeric,2) c, round((random()*random()*3)::numeric,2) d1, round((random()*random()*3)::numeric,2) d2 FROM (SELECT round((50+random()*60)::numeric,2) o FROM generate_series(1,8000)) q) p;
UPDATE ohlc SET low=least(low,open,close);
SELECT judge('ohlc', ARRAY['low<=open','low<=close','close<=high','open<=high','=corr(low,high)','=avg(high-low)','=stddev(open)']);
CREATE TABLE contf AS SELECT a AS lo, CASE WHEN random()<.8 THEN a+random()*.2 END AS mid, a+.2+random()^3*5 AS hi FROM (SELECT random()*100 a FROM generate_series(1,8000)) q;
SELECT judge('contf', ARRAY['lo<=mid','mid<=hi','lo<=hi','mid IS NULL','=avg(hi-lo)','=stddev(hi-lo)']);
CREATE TABLE f4 AS SELECT a::real AS mn, (a+random()*3)::real AS mx, CASE WHEN random()<.3 THEN NULL ELSE (a-random())::real END AS lowest FROM (SELECT (random()*1000)::numeric(8,1) a FROM generate_series(1,8000)) q;
SELECT judge('f4', ARRAY['mn<=mx','lowest<=mn','lowest<=mx','=avg(mx-mn)']);
CREATE TABLE shift AS SELECT s AS st, CASE WHEN random()<.9 THEN least(s+(random()*interval '4 hours'), time '23:59') END AS en, (random()*5)::int AS site FROM (SELECT time '06:00'+ (random()*720)::int*interval '1 minute' s FROM generate_series(1,6000)) q;
SELECT judge('shift', ARRAY['st<=en','en IS NULL','=avg(extract(epoch from en-st))']);
CREATE TABLE bill AS SELECT b AS bill, CASE WHEN r<.15 THEN b WHEN r<.3 THEN 0 ELSE round((b*random())::numeric,2) END AS paid FROM (SELECT round((exp(random()*6)*3)::numeric,2) b, random() r FROM generate_series(1,8000)) q;
SELECT judge('bill', ARRAY['paid<=bill','paid=bill','paid=0','=corr(paid,bill)']);
CREATE TABLE wage AS SELECT m AS minpay, m+(random()*random()*60000)::int AS maxpay, NULL::int AS pay FROM (SELECT 20000+(random()*40)::int*1000 m FROM generate_series(1,6000)) q; UPDATE wage SET pay = CASE WHEN random()<.85 THEN minpay+((maxpay-minpay)*random())::int END;
SELECT judge('wage', ARRAY['minpay<=pay','pay<=maxpay','minpay<=maxpay','pay IS NULL','=corr(pay,maxpay)']);
CREATE TABLE band AS SELECT lo, hi, CASE WHEN random()<.1 THEN NULL ELSE lo+(hi-lo)*random() END AS v FROM (SELECT (random()*10) lo, 10+random()*10 hi FROM generate_series(1,6000)) q;
SELECT judge('band', ARRAY['lo<=v','v<=hi','v IS NULL','=avg((v-lo)/(hi-lo))']);
CREATE TABLE ship AS SELECT o AS ordered, CASE WHEN random()<.9 THEN o+(random()*5)::int END AS shipped, NULL::timestamp AS delivered FROM (SELECT date '2022-01-01'+(random()*700)::int o FROM generate_series(1,8000)) q; UPDATE ship SET delivered = CASE WHEN random()<.85 THEN coalesce(shipped,ordered)+ random()*interval '9 days' END;
SELECT judge('ship', ARRAY['ordered<=shipped','shipped<=delivered','ordered<=delivered','delivered IS NULL','shipped IS NULL AND delivered IS NOT NULL']);
-- strict
CREATE TABLE strict AS SELECT a, a+1+(random()*random()*400)::int AS b FROM (SELECT (random()*500)::int a FROM generate_series(1,6000)) q;
SELECT judge('strict', ARRAY['a<b','a+1=b','=corr(a,b)']);
CREATE TABLE eod AS SELECT d AS day, d+interval '1 day'-interval '1 second'*(random()^4*86399)::int AS closed, (d+(random()*3)::int)::date AS due FROM (SELECT date '2023-01-01'+(random()*600)::int d FROM generate_series(1,6000)) q;
SELECT judge('eod', ARRAY['closed::date=day','closed<day+1','day<=due','=avg(extract(hour from closed))']);
-- b: notations
CREATE TABLE iso AS SELECT ts, to_char(ts+interval '1 hour','YYYY-MM-DD"T"HH24:MI:SS')||'+01:00' AS iso, to_char(ts,'YYYY-MM-DD HH24:MI:SS.MS')||'Z' AS ms, (ts+interval '1 hour')::date AS d FROM (SELECT timestamp '2024-01-01'+random()*interval '80 days' ts FROM generate_series(1,6000)) q;
SELECT judge('iso', ARRAY['iso::timestamptz=date_trunc(''second'',ts)','left(iso,10)=d::text','ms::timestamptz=date_trunc(''milliseconds'',ts)','right(iso,6)=''+01:00''']);
CREATE TABLE isoalone AS SELECT to_char(timestamp '2024-03-01'+random()*random()*interval '80 days','YYYY-MM-DD"T"HH24:MI:SS')||'.000+02:00' AS at, (random()*4)::int k FROM generate_series(1,6000);
SELECT judge('isoalone', ARRAY['at ~ ''^2024-0[3-5]-\d\dT\d\d:\d\d:\d\d\.000\+02:00$''','=avg(extract(epoch from at::timestamptz))']);
CREATE TABLE weeks AS SELECT d, to_char(d,'IYYYIW')::int AS yw, to_char(d,'IYYY-"W"IW') AS w, to_char(d,'YYYY-MM') ym, 'FY'||extract(year from d+interval '3 months') AS fy, extract(quarter from d+interval '3 months')::int AS fq FROM (SELECT date '2020-01-01'+(random()*1500)::int d FROM generate_series(1,8000)) q;
SELECT judge('weeks', ARRAY['yw=to_char(d,''IYYYIW'')::int','w=to_char(d,''IYYY-"W"IW'')','ym=to_char(d,''YYYY-MM'')','fy=''FY''||extract(year from d+interval ''3 months'')','fq=extract(quarter from d+interval ''3 months'')']);
CREATE TABLE ny AS SELECT ts, ts AT TIME ZONE 'America/New_York' AS local, (ts AT TIME ZONE 'America/New_York')::date AS ld, to_char(ts AT TIME ZONE 'America/New_York','HH24:MI') hm FROM (SELECT timestamptz '2023-01-01'+random()*interval '600 days' ts FROM generate_series(1,8000)) q;
SELECT judge('ny', ARRAY['local=ts AT TIME ZONE ''America/New_York''','ld=local::date','hm=to_char(local,''HH24:MI'')']);
CREATE TABLE ages AS SELECT b AS birth, e AS entry, extract(year from age(e,b))::float8 AS age_f, extract(year from age(e,b))::numeric(5,2) AS age_n, extract(year from age(date '2024-06-30',b))::numeric AS age_now FROM (SELECT date '1940-01-01'+(random()*22000)::int b, date '2015-01-01'+(random()*3000)::int e FROM generate_series(1,8000)) q;
SELECT judge('ages', ARRAY['age_f=extract(year from age(entry,birth))','age_n=extract(year from age(entry,birth))','age_now=extract(year from age(date ''2024-06-30'',birth))']);
CREATE TABLE epoch AS SELECT ts, extract(epoch from ts)::bigint AS s, (extract(epoch from ts)*1000)::bigint::text AS ms, extract(epoch from date_trunc('second',ts))::text AS st, (ts::date-date '1899-12-30') AS excel FROM (SELECT timestamp '2023-01-01'+random()*interval '600 days' ts FROM generate_series(1,8000)) q;
SELECT judge('epoch', ARRAY['abs(s-extract(epoch from ts))<=1','abs(ms::bigint/1000-extract(epoch from ts))<=1.1','abs(st::numeric-extract(epoch from ts))<=1.1','excel=ts::date-date ''1899-12-30''']);
-- 4: sentinels
CREATE TABLE sent AS SELECT CASE WHEN r<.02 THEN -999 ELSE (100+random()*50)::int END AS i, CASE WHEN r<.05 THEN 'Infinity' WHEN r<.08 THEN -1 ELSE random() END::float8 AS f, CASE WHEN r<.03 THEN 'NaN' ELSE (random()*100)::numeric(8,2) END::numeric AS n, CASE WHEN r<.4 THEN timestamp '9999-12-31' WHEN r<.41 THEN timestamp '-infinity' ELSE timestamp '2020-01-01'+random()*interval '900 days' END AS ts, CASE WHEN r<.3 THEN date 'infinity' WHEN r <.33 THEN date '1900-01-01' ELSE date '2020-01-01'+(random()*900)::int END AS d, CASE WHEN r<.06 THEN '00000000' WHEN r<.1 THEN '99991231' ELSE to_char(date '2020-01-01'+(random()*900)::int,'YYYYMMDD') END AS t FROM (SELECT random() r FROM generate_series(1,8000)) q;
SELECT judge('sent', ARRAY['i=-999','i BETWEEN 100 AND 150 OR i=-999','f=''Infinity''','f=-1','f>=0 AND f<=1 OR f=-1 OR f=''Infinity''','n=''NaN''','ts=''9999-12-31''','ts=''-infinity''','ts BETWEEN ''2020-01-01'' AND ''2022-07-01'' OR ts=''9999-12-31'' OR ts=''-infinity''','d=''infinity''','d=''1900-01-01''','t=''00000000''','t=''99991231''','t IN (''00000000'',''99991231'') OR t BETWEEN ''20200101'' AND ''20220701''']);
CREATE TABLE ends AS SELECT (CASE WHEN r<.3 THEN floor(exp(x*5))+.99 WHEN r<.4 THEN floor(exp(x*5))+.5 ELSE round(exp(x*5)::numeric,2) END)::numeric(8,2) p, (CASE WHEN r<.3 THEN floor(exp(x*5))+.99 ELSE round(exp(x*5)::numeric,2) END)::float8 pf, (CASE WHEN r<.4 THEN (x*100)::int*100 ELSE (x*10000)::int END) rn FROM (SELECT random() r, random() x FROM generate_series(1,12000)) q;
SELECT judge('ends', ARRAY['p%1=.99','p%1=.5','(pf::numeric%1)=.99','rn%100=0']);
-- 7: codes
CREATE TABLE codes AS SELECT zip, lpad(zip::text,5,'0') zt, (zip/1000)::int AS region, to_char(d,'YYYYMM')::int ym, (extract(hour from tt)*100+extract(minute from tt))::int hhmm, lpad((extract(hour from tt)*100+extract(minute from tt))::text,4,'0') hhmmt, v AS vendor FROM (SELECT c.zip, date '2019-01-01'+(random()*1500)::int d, timestamp '2020-01-01'+(random()*288)::int*interval '5 min' tt, (ARRAY[100234,207781,331200,415509,500001])[1+(random()*4)::int] v FROM generate_series(1,10000) i JOIN (SELECT row_number() OVER () k, zip FROM (SELECT DISTINCT (501+random()*98000)::int zip FROM generate_series(1,600)) z) c ON c.k=1+(i*7919+(random()*50)::int)%500) q;
SELECT judge('codes', ARRAY['zip IN (SELECT zip FROM codes)','zt=lpad(zip::text,5,''0'')','region=zip/1000','ym%100 BETWEEN 1 AND 12','hhmm%100<60 AND hhmm<2400','hhmm%5=0','hhmmt=lpad(hhmm::text,4,''0'')','vendor IN (SELECT vendor FROM codes)']);
CREATE TABLE datest AS SELECT to_char(d,'DD.MM.YYYY') a, to_char(d,'Mon DD, YYYY') b, to_char(d,'MM/DD/YY') c, to_char(d,'YYYYMMDD')::numeric AS n, to_char(d,'YYYYMMDD')::float8 f, to_char(d,'DDMMYYYY') e FROM (SELECT date '2015-01-01'+(random()*3000)::int d FROM generate_series(1,6000)) q;
SELECT judge('datest', ARRAY['to_char(to_date(a,''DD.MM.YYYY''),''DD.MM.YYYY'')=a','to_date(b,''Mon DD, YYYY'')=to_date(a,''DD.MM.YYYY'')','to_date(c,''MM/DD/YY'')=to_date(a,''DD.MM.YYYY'')','n=to_char(to_date(a,''DD.MM.YYYY''),''YYYYMMDD'')::numeric','f=n','e=replace(a,''.'','''')']);
-- durations
CREATE TABLE dur AS SELECT s, e, e-s AS iv, extract(epoch from e-s)::int AS secs, round(extract(epoch from e-s)/60) AS mins, (extract(epoch from e-s)/3600)::float8 AS hrs, (extract(epoch from e-s)/3600)::numeric(8,2) hn FROM (SELECT s, s+ (random()*random()*20000)::int*interval '1 second' e FROM (SELECT timestamp '2024-01-01'+(random()*30000000)::int*interval '1 second' s FROM generate_series(1,8000)) q) p;
SELECT judge('dur', ARRAY['s<=e','iv=e-s','secs=extract(epoch from e-s)','mins=round(extract(epoch from e-s)/60)','abs(hrs-extract(epoch from e-s)/3600)<.001','abs(hn-extract(epoch from e-s)/3600)<.01']);
-- 8 weekend by branch
CREATE TABLE branch AS SELECT b, d + (8+random()*10)*interval '1 hour' AS at FROM (SELECT CASE WHEN random()<.4 THEN 'mall' ELSE 'office' END b, date '2022-01-03'+(random()*700)::int d FROM generate_series(1,12000)) q WHERE b='mall' OR extract(isodow from d)<6;
SELECT judge('branch', ARRAY['b=''office'' AND extract(isodow from at)>5','b=''mall'' AND extract(isodow from at)>5','extract(hour from at) BETWEEN 8 AND 17']);
CREATE TABLE steps AS SELECT date_trunc('hour',ts)+(extract(minute from ts)::int/15)*interval '15 min' AS slot, ts::date::timestamp AS mid, (date_trunc('month',ts)+interval '1 month -1 day')::date AS eom, CASE WHEN random()<.5 THEN date_trunc('month',ts)::date ELSE ts::date END AS pay FROM (SELECT timestamp '2021-01-01'+random()*interval '900 days' ts FROM generate_series(1,8000)) q;
SELECT judge('steps', ARRAY['extract(minute from slot)::int%15=0 AND extract(second from slot)=0','mid::time=''00:00''','eom=(date_trunc(''month'',eom)+interval ''1 month -1 day'')::date','extract(day from pay)=1','mid::date=slot::date','date_trunc(''month'',eom)=date_trunc(''month'',slot)']);
-- 9 sums
CREATE TABLE sums AS SELECT net, tax, net+tax AS total, a, b, 100-a-b AS c, q, p, round(q*p,2) AS amt, (net/1.0/(net+tax))::float8 AS ratio FROM (SELECT net, round(net*.19,2) tax, (random()*50)::numeric(5,1) a, (random()*50)::numeric(5,1) b, 1+(random()*9)::int q, (random()*100)::numeric(6,2) p FROM (SELECT (10+random()*1000)::numeric(8,2) net FROM generate_series(1,8000)) x) y;
SELECT judge('sums', ARRAY['total=net+tax','tax=round(net*.19,2)','a+b+c=100','amt=round(q*p,2)','abs(ratio-net/(net+tax))<1e-6','c>=0']);
CREATE TABLE onehot AS SELECT (k=0)::int AS k0,(k=1)::int AS k1,(k=2)::int AS k2,(k=3) AS b3,(k<>3) AS nb3, x, y, 1-x-y AS z, (.5*x+.3*y+.2*(1-x-y)) AS w FROM (SELECT (random()*3)::int k, random()*.5 x, random()*.5 y FROM generate_series(1,8000)) q;
SELECT judge('onehot', ARRAY['k0+k1+k2+b3::int=1','b3<>nb3','abs(x+y+z-1)<1e-6','abs(.5*x+.3*y+.2*z-w)<1e-6','z>=-1e-9']);
CREATE TABLE eq AS SELECT a, CASE WHEN random()<.15 THEN a ELSE round((a*random()*2)::numeric,2) END b, CASE WHEN random()<.6 THEN addr ELSE 'addr '||(random()*100000)::int END ship, addr AS bil FROM (SELECT round((10+random()*1000)::numeric,2) a, 'addr '||(random()*100000)::int addr FROM generate_series(1,10000)) q;
SELECT judge('eq', ARRAY['a=b','ship=bil']);
CREATE TABLE prod AS SELECT w,h,w*h AS area, 2*(w+h) AS per, w::float8/h AS asp, kg, kg/((cm/100.0)^2) AS bmi, cm, c, c*9/5+32 AS f FROM (SELECT 1+(random()*99)::int w, 1+(random()*99)::int h, (45+random()*70)::numeric(5,1) kg, (150+random()*50)::int cm, (random()*40)::numeric(4,1) c FROM generate_series(1,8000)) q;
SELECT judge('prod', ARRAY['area=w*h','per=2*(w+h)','abs(asp-w::float8/h)<1e-4','abs(bmi-kg/((cm/100.0)^2))<.01','abs(f-(c*9/5+32))<.001']);
CREATE TABLE pct AS SELECT n1,n2,n3,n1+n2+n3 AS n, round(100.0*n1/(n1+n2+n3),1) p1, round(100.0*n2/(n1+n2+n3),1) p2, (n1::float8/(n1+n2+n3)) s1 FROM (SELECT 1+(random()*200)::int n1, 1+(random()*200)::int n2, 1+(random()*200)::int n3 FROM generate_series(1,8000)) q;
SELECT judge('pct', ARRAY['n=n1+n2+n3','p1=round(100.0*n1/n,1)','p2=round(100.0*n2/n,1)','abs(s1-n1::float8/n)<1e-6']);
CREATE TABLE balance AS SELECT o AS opening, i AS inn, u AS outt, o+i-u AS closing, CASE WHEN o+i-u<0 THEN 'D' ELSE 'C' END AS side, abs(o+i-u) AS mag FROM (SELECT (random()*1000)::numeric(8,2) o,(random()*random()*500)::numeric(8,2) i,(random()*random()*900)::numeric(8,2) u FROM generate_series(1,8000)) q;
SELECT judge('balance', ARRAY['closing=opening+inn-outt','side=CASE WHEN closing<0 THEN ''D'' ELSE ''C'' END','mag=abs(closing)']);
CREATE TABLE disc AS SELECT l AS list, d AS pct, round(l*(1-d/100.0),2) AS price, l-round(l*(1-d/100.0),2) AS off, greatest(l-500,0) AS over FROM (SELECT (5+random()*1000)::numeric(8,2) l, (ARRAY[0,0,5,10,20,50])[1+(random()*5)::int] d FROM generate_series(1,8000)) q;
SELECT judge('disc', ARRAY['price=round(list*(1-pct/100.0),2)','off=list-price','over=greatest(list-500,0)','price<=list','off=0']);
CREATE TABLE tz AS SELECT zone, ts, ts AT TIME ZONE zone AS lts, to_char(ts AT TIME ZONE zone,'YYYY-MM-DD"T"HH24:MI:SS')||off AS iso FROM (SELECT timestamptz '2024-01-05 08:00+00'+(random()*2592000)::int*interval '1 second' AS ts,(random()*2)::int k FROM generate_series(1,8000)) x JOIN (VALUES (0,'Asia/Tokyo','+09:00'),(1,'UTC','+00:00'),(2,'America/Denver','-07:00')) z(k,zone,off) USING (k);
SELECT judge('tz', ARRAY['lts=ts AT TIME ZONE zone','iso::timestamptz=ts']);
\pset pager off
SELECT t, left(rule,70) rule, round(src::numeric,4) src, round(syn::numeric,4) syn, CASE WHEN abs(src-syn)>.01*greatest(abs(src),.1) OR (src IN (0,1) AND src<>syn) OR src IS NULL THEN '<<<' END AS bad FROM result ORDER BY id;
