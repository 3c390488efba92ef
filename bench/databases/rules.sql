\pset footer off
CREATE OR REPLACE FUNCTION pg_temp.rules(source text, made text, q text, label text) RETURNS TABLE(schema text, rule text, in_real numeric, in_made numeric) LANGUAGE plpgsql AS $$
BEGIN
 schema:=source; rule:=label;
 PERFORM set_config('search_path', source||',public', true); EXECUTE q INTO in_real;
 PERFORM set_config('search_path', made||',public', true);
 BEGIN EXECUTE q INTO in_made; EXCEPTION WHEN others THEN in_made:=NULL; END;
 in_real:=round(in_real,4); in_made:=round(in_made,4);
 RETURN NEXT; END $$;
SELECT r.* FROM (VALUES
('bank','opened <= trans','SELECT avg((t.at>=a.opened)::int) FROM trans t JOIN account a ON a.id=account_id'),
('bank','balance chain','SELECT avg((ok)::int) FROM (SELECT balance = COALESCE(lag(balance) OVER (PARTITION BY account_id ORDER BY id),0) + CASE type WHEN ''credit'' THEN amount ELSE -amount END ok FROM trans) s'),
('bank','negative balance','SELECT avg((balance<0)::int) FROM trans'),
('bank','loan after account','SELECT avg((granted>=opened)::int) FROM loan JOIN account a ON a.id=account_id'),
('bank','payments=amount/duration','SELECT avg((abs(payments-amount::numeric/duration)<0.01)::int) FROM loan'),
('bank','loan count max 1','SELECT avg((n=1)::int) FROM (SELECT count(*) n FROM loan GROUP BY account_id) s'),
('bank','client district=account','SELECT avg((c.district_id=a.district_id)::int) FROM disposition d JOIN client c ON c.id=client_id JOIN account a ON a.id=account_id'),
('bank','one owner each account','SELECT avg((n=1)::int) FROM (SELECT count(*) FILTER (WHERE type=''OWNER'') n FROM account a LEFT JOIN disposition d ON a.id=account_id GROUP BY a.id) s'),
('bank','client one disposition','SELECT avg((n=1)::int) FROM (SELECT count(account_id) n FROM client c LEFT JOIN disposition d ON c.id=client_id GROUP BY c.id) s'),
('bank','card after account','SELECT avg((issued>=opened)::int) FROM card JOIN disposition d ON d.id=disp_id JOIN account a ON a.id=account_id'),
('bank','card only owner','SELECT avg((d.type=''OWNER'')::int) FROM card JOIN disposition d ON d.id=disp_id'),
('bank','junior iff born 1970','SELECT avg(((c.birth>''1970-01-01'')=(card.type=''junior''))::int) FROM card JOIN disposition d ON d.id=disp_id JOIN client c ON c.id=client_id'),
('race','position unique per race','SELECT 1-avg((n>1)::int) FROM (SELECT count(*) n FROM result WHERE position IS NOT NULL GROUP BY race_id,position) s'),
('race','position_order unique','SELECT 1-avg((n>1)::int) FROM (SELECT count(*) n FROM result GROUP BY race_id,position_order) s'),
('race','position_order = 1..n','SELECT avg((m=n)::int) FROM (SELECT count(*) n, max(position_order) m FROM result GROUP BY race_id) s'),
('race','grid unique','SELECT 1-avg((n>1)::int) FROM (SELECT count(*) n FROM result GROUP BY race_id,grid) s'),
('race','position=order or null','SELECT avg((position=position_order)::int) FROM result WHERE position IS NOT NULL'),
('race','points follow position','SELECT avg((points=CASE WHEN position IS NULL THEN 0 ELSE COALESCE((ARRAY[25,18,15,12,10,8,6,4,2,1])[position],0) END)::int) FROM result'),
('race','standing of who raced','SELECT avg((r.id IS NOT NULL)::int) FROM standing s LEFT JOIN result r USING (race_id,driver_id)'),
('race','standing position unique','SELECT 1-avg((n>1)::int) FROM (SELECT count(*) n FROM standing GROUP BY race_id,position) s'),
('race','standing points fall','SELECT avg((points<=p)::int) FROM (SELECT points, lag(points) OVER (PARTITION BY race_id ORDER BY position) p FROM standing) s WHERE p IS NOT NULL'),
('race','qualifying position unique','SELECT 1-avg((n>1)::int) FROM (SELECT count(*) n FROM qualifying GROUP BY race_id,position) s'),
('race','qualifying = grid','SELECT avg((q.position=r.grid)::int) FROM qualifying q JOIN result r USING (race_id,driver_id)'),
('race','season,round right','SELECT avg((extract(year from at)=season)::int) FROM race'),
('race','driver 24..39 in race','SELECT avg((season-extract(year from born) BETWEEN 24 AND 38)::int) FROM result JOIN driver d ON d.id=driver_id JOIN race r ON r.id=race_id'),
('shop','order after joined','SELECT avg((at>=joined)::int) FROM orders JOIN customer c ON c.id=customer_id'),
('shop','orders rise','SELECT avg((at>=p)::int) FROM (SELECT at, lag(at) OVER (PARTITION BY customer_id ORDER BY id) p FROM orders) s WHERE p IS NOT NULL'),
('shop','line price=product','SELECT avg((unit_price=price)::int) FROM line JOIN product p ON p.id=product_id'),
('shop','total','SELECT avg((total=unit_price*quantity)::int) FROM line'),
('shop','line_no 1..n','SELECT avg((m=n)::int) FROM (SELECT count(*) n,max(line_no) m FROM line GROUP BY order_id) s'),
('shop','orders a business customer','SELECT count(o.id)::numeric/count(DISTINCT c.id) FROM customer c LEFT JOIN orders o ON c.id=customer_id WHERE segment=''business'''),
('shop','orders a private customer','SELECT count(o.id)::numeric/count(DISTINCT c.id) FROM customer c LEFT JOIN orders o ON c.id=customer_id WHERE segment=''private'''),
('shop','quantity business','SELECT avg(quantity) FROM line JOIN orders o ON o.id=order_id JOIN customer c ON c.id=customer_id WHERE segment=''business'''),
('shop','quantity private','SELECT avg(quantity) FROM line JOIN orders o ON o.id=order_id JOIN customer c ON c.id=customer_id WHERE segment=''private'''),
('hosp','admitted after born','SELECT avg((admitted>born)::int) FROM admission JOIN patient p ON p.id=patient_id'),
('hosp','discharged after','SELECT avg((discharged>=admitted)::int) FROM admission WHERE discharged IS NOT NULL'),
('hosp','admissions rise','SELECT avg((a>=p)::int) FROM (SELECT admitted a, lag(admitted) OVER (PARTITION BY patient_id ORDER BY id) p FROM admission) s WHERE p IS NOT NULL'),
('hosp','drg follows ward','SELECT avg((drg/10-10=ward_id%7)::int) FROM admission'),
('hosp','seq 1..n','SELECT avg((m=n)::int) FROM (SELECT count(*) n,max(seq) m FROM diagnosis GROUP BY admission_id) s'),
('hosp','code near drg','SELECT avg((mod(substr(icd_code,2)::int-1-(drg*7)%100+150,150)<24)::int) FROM diagnosis JOIN admission a ON a.id=admission_id'),
('hosp','lab not before admission','SELECT avg((at>=admitted)::int) FROM lab JOIN admission a ON a.id=admission_id'),
('hosp','first lab at admission','SELECT avg((at=admitted)::int) FROM (SELECT admission_id,min(at) at FROM lab GROUP BY 1) l JOIN admission a ON a.id=admission_id'),
('hosp','no labs of wards%3=1','SELECT avg((ward_id%3<>1)::int) FROM lab JOIN admission a ON a.id=admission_id'),
('hosp','three tests a time','SELECT avg((n=3)::int) FROM (SELECT count(DISTINCT test) n FROM lab GROUP BY admission_id,at) s'),
('hosp','flag follows value','SELECT avg(((flag IS NOT NULL)=((test=''Na'' AND value NOT BETWEEN 135 AND 145) OR (test=''K'' AND value NOT BETWEEN 3.5 AND 5.1) OR (test=''Hb'' AND value<12)))::int) FROM lab'),
('ev','click time = before+dwell+.2','SELECT avg((abs(extract(epoch from at-p)*1000-d-200)<1)::int) FROM (SELECT at, lag(at) OVER w p, lag(dwell_ms) OVER w d FROM click WINDOW w AS (PARTITION BY visitor_id ORDER BY at)) s WHERE p IS NOT NULL'),
('ev','first page home','SELECT avg((page=''home'')::int) FROM (SELECT DISTINCT ON (visitor_id) page FROM click ORDER BY visitor_id,at) s'),
('ev','checkout is last','SELECT avg((nx IS NULL)::int) FROM (SELECT page, lead(page) OVER (PARTITION BY visitor_id ORDER BY at) nx FROM click) s WHERE page=''checkout'''),
('ev','transitions allowed','SELECT avg((CASE p WHEN ''home'' THEN page IN (''search'',''list'') WHEN ''search'' THEN page IN (''list'',''search'',''home'') WHEN ''list'' THEN page IN (''item'',''list'') WHEN ''item'' THEN page IN (''list'',''cart'',''item'') WHEN ''cart'' THEN page IN (''checkout'',''list'') ELSE false END)::int) FROM (SELECT page,lag(page) OVER (PARTITION BY visitor_id ORDER BY at) p FROM click) s WHERE p IS NOT NULL'),
('ev','15 minutes','SELECT avg((at-p=interval ''15 minute'')::int) FROM (SELECT at,lag(at) OVER (PARTITION BY sensor_id ORDER BY at) p FROM reading) s WHERE p IS NOT NULL'),
('ev','temp mean','SELECT avg(value) FROM reading JOIN sensor s ON s.id=sensor_id WHERE kind=''temp'''),
('ev','hum mean','SELECT avg(value) FROM reading JOIN sensor s ON s.id=sensor_id WHERE kind=''hum'''),
('ev','sd within sensor','SELECT avg(s) FROM (SELECT stddev(value) s FROM reading GROUP BY sensor_id) x'),
('ev','sd of sensor means','SELECT stddev(m) FROM (SELECT avg(value) m FROM reading r JOIN sensor s ON s.id=sensor_id WHERE kind=''temp'' GROUP BY sensor_id) x')
) v(s,l,q), LATERAL pg_temp.rules(s,'made_'||s,q,l) r;
-- children per parent: KS of every foreign key
CREATE OR REPLACE FUNCTION pg_temp.ks(s text) RETURNS TABLE(fk text, ks numeric, mean_real numeric, mean_made numeric) LANGUAGE plpgsql AS $$
DECLARE c record; q text; h text;
BEGIN FOR c IN SELECT conrelid, confrelid, (SELECT attname FROM pg_attribute WHERE attrelid=conrelid AND attnum=conkey[1]) col, (SELECT attname FROM pg_attribute WHERE attrelid=confrelid AND attnum=confkey[1]) pcol, (SELECT relname FROM pg_class WHERE oid=conrelid) t, (SELECT relname FROM pg_class WHERE oid=confrelid) p FROM pg_constraint WHERE contype='f' AND connamespace=s::regnamespace
LOOP fk:=c.t||'.'||c.col;
 h:='SELECT (SELECT count(*) FROM %1$I.%2$I c WHERE c.%3$I=p.%5$I)::int n FROM %1$I.%4$I p';
 q:=format('WITH a AS ('||h||')',s,c.t,c.col,c.p,c.pcol)||format(', b AS ('||h||')','made_'||s,c.t,c.col,c.p,c.pcol)||' SELECT max(abs((SELECT avg((n<=v)::int) FROM a)-(SELECT avg((n<=v)::int) FROM b))), (SELECT avg(n) FROM a),(SELECT avg(n) FROM b) FROM (SELECT DISTINCT n v FROM a UNION SELECT DISTINCT n FROM b) z';
 EXECUTE q INTO ks,mean_real,mean_made; ks:=round(ks,4);mean_real:=round(mean_real,2);mean_made:=round(mean_made,2); RETURN NEXT; END LOOP; END $$;
SET enable_nestloop=off;
SELECT v.s, k.* FROM (VALUES ('bank'),('race'),('shop'),('hosp'),('ev')) v(s), LATERAL pg_temp.ks(s) k;
