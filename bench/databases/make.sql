-- bank, racing, shop, hospital, events: realistic dependencies, made with setseed
SELECT setseed(0.42);
CREATE SCHEMA bank;
CREATE TABLE bank.district (id int PRIMARY KEY, name text, region text, salary int);
INSERT INTO bank.district SELECT i, 'D'||i, (ARRAY['north','south','east','west'])[1+i%4], 8000+(random()*4000)::int FROM generate_series(1,40) i;
CREATE TABLE bank.account (id int PRIMARY KEY, district_id int NOT NULL REFERENCES bank.district, frequency text NOT NULL, opened date NOT NULL);
INSERT INTO bank.account SELECT i, 1+floor(40*power(random(),2))::int, (ARRAY['monthly','monthly','monthly','weekly','on transaction'])[1+floor(random()*5)::int], date '1993-01-01'+floor(random()*1400)::int FROM generate_series(1,2000) i;
CREATE TABLE bank.client (id int PRIMARY KEY, district_id int NOT NULL REFERENCES bank.district, gender text NOT NULL, birth date NOT NULL);
INSERT INTO bank.client SELECT i, 1+floor(40*power(random(),2))::int, CASE WHEN random()<.5 THEN 'M' ELSE 'F' END, date '1930-01-01'+floor(random()*18000)::int FROM generate_series(1,2400) i;
CREATE TABLE bank.disposition (id int PRIMARY KEY, client_id int NOT NULL REFERENCES bank.client, account_id int NOT NULL REFERENCES bank.account, type text NOT NULL);
INSERT INTO bank.disposition SELECT i, i, i, 'OWNER' FROM generate_series(1,2000) i;
INSERT INTO bank.disposition SELECT 2000+i, 2000+i, i*5, 'DISPONENT' FROM generate_series(1,400) i;
UPDATE bank.client c SET district_id=a.district_id FROM bank.disposition d JOIN bank.account a ON a.id=d.account_id WHERE d.client_id=c.id AND random()<.9;
CREATE TABLE bank.card (id serial PRIMARY KEY, disp_id int NOT NULL REFERENCES bank.disposition, type text NOT NULL, issued date NOT NULL);
INSERT INTO bank.card(disp_id,type,issued) SELECT d.id, CASE WHEN c.birth > '1970-01-01' THEN 'junior' WHEN random()<.2 THEN 'gold' ELSE 'classic' END, a.opened+30+floor(random()*900)::int FROM bank.disposition d JOIN bank.account a ON a.id=account_id JOIN bank.client c ON c.id=client_id WHERE d.type='OWNER' AND random()<.25;
CREATE TABLE bank.loan (id serial PRIMARY KEY, account_id int NOT NULL REFERENCES bank.account, granted date NOT NULL, amount int NOT NULL, duration int NOT NULL, payments numeric(10,2) NOT NULL, status text NOT NULL);
INSERT INTO bank.loan(account_id,granted,amount,duration,payments,status) SELECT id, opened+60+floor(random()*600)::int, am, du, round(am::numeric/du,2), (ARRAY['A','B','C','D'])[1+floor(4*power(random(),1.5))::int] FROM (SELECT id,opened, (1000*(5+floor(random()*300)))::int am, (12*(1+floor(random()*5)))::int du FROM bank.account WHERE random()<.3) s;
CREATE TABLE bank.ord (id serial PRIMARY KEY, account_id int NOT NULL REFERENCES bank.account, bank_to text NOT NULL, amount numeric(10,1) NOT NULL, symbol text);
INSERT INTO bank.ord(account_id,bank_to,amount,symbol) SELECT a.id, (ARRAY['AB','CD','EF','GH','IJ'])[1+floor(random()*5)::int], round((100+random()*8000)::numeric,1), (ARRAY['household','loan','insurance',NULL])[1+floor(random()*4)::int] FROM bank.account a, generate_series(1,4) k WHERE random()<.4;
CREATE TABLE bank.trans (id serial PRIMARY KEY, account_id int NOT NULL REFERENCES bank.account, at date NOT NULL, type text NOT NULL, operation text, amount numeric(10,2) NOT NULL, balance numeric(12,2) NOT NULL);
INSERT INTO bank.trans(account_id,at,type,operation,amount,balance)
 SELECT account_id, at, type, op, amount, sum(CASE type WHEN 'credit' THEN amount ELSE -amount END) OVER (PARTITION BY account_id ORDER BY k) FROM (
 SELECT a.id account_id, k, a.opened+(k*12)+ (CASE WHEN k%3=0 THEN 0 ELSE (a.id*k)%9 END) AS at, CASE WHEN k=1 OR k%3=1 THEN 'credit' ELSE 'withdrawal' END type,
  CASE WHEN k=1 THEN 'cash credit' WHEN k%3=1 THEN 'salary' WHEN k%3=2 THEN 'cash withdrawal' ELSE 'transfer' END op,
  round((CASE WHEN k=1 THEN 3000 WHEN k%3=1 THEN (SELECT salary FROM bank.district d WHERE d.id=a.district_id)*(1+.2*sin(a.id)) ELSE (500+random()*3500) END)::numeric,2) amount
 FROM bank.account a, generate_series(1,24) k WHERE k <= 8+(a.id*7)%17) s;
CREATE SCHEMA race;
CREATE TABLE race.circuit (id int PRIMARY KEY, name text, country text, lap_ms int);
INSERT INTO race.circuit SELECT i,'C'||i,'L'||(i%12), 70000+(random()*30000)::int FROM generate_series(1,25) i;
CREATE TABLE race.driver (id int PRIMARY KEY, code text, forename text, surname text, nationality text, born date);
INSERT INTO race.driver SELECT i,'DRV'||i,'Fo'||md5(i::text),'Su'||md5(i||'x'),(ARRAY['British','German','Italian','French','Brazilian'])[1+floor(5*power(random(),1.5))::int], date '1920-01-01'+floor(random()*29000)::int FROM generate_series(1,500) i;
CREATE TABLE race.team (id int PRIMARY KEY, name text, nationality text);
INSERT INTO race.team SELECT i,'T'||i,(ARRAY['British','German','Italian','French'])[1+i%4] FROM generate_series(1,12) i;
CREATE TABLE race.race (id int PRIMARY KEY, season int NOT NULL, round int NOT NULL, circuit_id int NOT NULL REFERENCES race.circuit, at date NOT NULL, UNIQUE(season,round));
INSERT INTO race.race SELECT s*100+r, s, r, 1+(s*3+r*7)%25, make_date(s,3,1)+r*14 FROM generate_series(1955,2024) s, generate_series(1,15) r;
CREATE TABLE race.result (id serial PRIMARY KEY, race_id int NOT NULL REFERENCES race.race ON DELETE CASCADE, driver_id int NOT NULL REFERENCES race.driver, team_id int NOT NULL REFERENCES race.team, grid int NOT NULL, position int, position_order int NOT NULL, points float8 NOT NULL, laps int NOT NULL, status text NOT NULL, UNIQUE(race_id,driver_id));
INSERT INTO race.result(race_id,driver_id,team_id,grid,position,position_order,points,laps,status)
 SELECT race_id,driver_id,team_id,grid, CASE WHEN po<=fin THEN po END, po, CASE WHEN po<=fin THEN COALESCE((ARRAY[25,18,15,12,10,8,6,4,2,1])[po],0) ELSE 0 END, CASE WHEN po<=fin THEN 50+race_id%20 ELSE floor(random()*50)::int END, CASE WHEN po<=fin THEN 'Finished' ELSE (ARRAY['Engine','Collision','Gearbox'])[1+floor(random()*3)::int] END
 FROM (SELECT *, row_number() OVER (PARTITION BY race_id ORDER BY grid+random()*8) po, 14+race_id%6 fin FROM (
  SELECT r.id race_id, d.id driver_id, 1+(d.id+r.season)%12 team_id, row_number() OVER (PARTITION BY r.id ORDER BY ('x'||substr(md5(d.id::text),1,6))::bit(24)::int/16777216.0+random()*.6) grid FROM race.race r JOIN LATERAL (SELECT * FROM race.driver d WHERE (extract(year FROM d.born)+24 <= r.season AND extract(year FROM d.born)+38 >= r.season) ORDER BY md5(d.id::text||r.season) LIMIT 20) d ON true) x) y ORDER BY race_id, po;
CREATE TABLE race.standing (id serial PRIMARY KEY, race_id int NOT NULL REFERENCES race.race ON DELETE CASCADE, driver_id int NOT NULL REFERENCES race.driver, points float8 NOT NULL, position int NOT NULL, wins int NOT NULL, UNIQUE(race_id,driver_id));
INSERT INTO race.standing(race_id,driver_id,points,position,wins) SELECT race_id,driver_id,pts,row_number() OVER (PARTITION BY race_id ORDER BY pts DESC,driver_id),wins FROM (SELECT race_id,driver_id,sum(points) OVER w pts,count(*) FILTER (WHERE position=1) OVER w wins FROM race.result JOIN race.race r ON r.id=race_id WINDOW w AS (PARTITION BY r.season,driver_id ORDER BY r.round)) s ORDER BY race_id,3 DESC;
CREATE TABLE race.qualifying (id serial PRIMARY KEY, race_id int NOT NULL REFERENCES race.race ON DELETE CASCADE, driver_id int NOT NULL REFERENCES race.driver, position int NOT NULL, q_ms int NOT NULL, UNIQUE(race_id,driver_id));
INSERT INTO race.qualifying(race_id,driver_id,position,q_ms) SELECT race_id,driver_id,grid,lap_ms+grid*150+floor(random()*100)::int FROM race.result JOIN race.race r ON r.id=race_id JOIN race.circuit c ON c.id=circuit_id ORDER BY race_id,grid;
CREATE SCHEMA shop;
CREATE TABLE shop.category (id int PRIMARY KEY, name text);
INSERT INTO shop.category SELECT i,'cat '||i FROM generate_series(1,8) i;
CREATE TABLE shop.product (id int PRIMARY KEY, category_id int NOT NULL REFERENCES shop.category, title text NOT NULL, price numeric(8,2) NOT NULL);
INSERT INTO shop.product SELECT i,1+i%8,'product '||i, round((3+200*power(random(),3)+10*(i%8))::numeric,2) FROM generate_series(1,300) i;
CREATE TABLE shop.customer (id int PRIMARY KEY, country text NOT NULL, segment text NOT NULL, joined date NOT NULL);
INSERT INTO shop.customer SELECT i,(ARRAY['DE','DE','DE','FR','FR','IT','ES','PL'])[1+floor(random()*8)::int],CASE WHEN random()<.2 THEN 'business' ELSE 'private' END, date '2019-01-01'+floor(random()*1400)::int FROM generate_series(1,3000) i;
CREATE TABLE shop.orders (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES shop.customer, at timestamp NOT NULL, status text NOT NULL, channel text NOT NULL, freight numeric(8,2));
INSERT INTO shop.orders(customer_id,at,status,channel,freight) SELECT c.id, c.joined + (random()*20+k*(20+random()*60))*interval '1 day' + (8+floor(random()*12))*interval '1 hour', (ARRAY['done','done','done','returned','open'])[1+floor(random()*5)::int], CASE WHEN segment='business' THEN (ARRAY['phone','web'])[1+floor(random()*2)::int] ELSE (ARRAY['web','app','app'])[1+floor(random()*3)::int] END, CASE WHEN random()<.3 THEN 0 ELSE round((4+random()*12)::numeric,2) END FROM shop.customer c CROSS JOIN LATERAL generate_series(1, CASE WHEN segment='business' THEN 3+floor(random()*8)::int ELSE floor(-ln(random())*2.2)::int END) k;
CREATE TABLE shop.line (order_id int NOT NULL REFERENCES shop.orders ON DELETE CASCADE, line_no int NOT NULL, product_id int NOT NULL REFERENCES shop.product, quantity int NOT NULL, unit_price numeric(8,2) NOT NULL, total numeric(10,2) NOT NULL, PRIMARY KEY(order_id,line_no));
INSERT INTO shop.line SELECT order_id,k,product_id,q,p.price,round(q*p.price,2) FROM (SELECT o.id order_id,k,1+floor(300*power(random(),2))::int product_id,1+floor(-ln(random())*(CASE WHEN c.segment='business' THEN 4 ELSE 1 END))::int q FROM shop.orders o JOIN shop.customer c ON c.id=customer_id CROSS JOIN LATERAL generate_series(1,1+floor(-ln(random())*1.6)::int) k) s JOIN shop.product p ON p.id=product_id;
CREATE SCHEMA hosp;
CREATE TABLE hosp.ward (id int PRIMARY KEY, name text, kind text);
INSERT INTO hosp.ward SELECT i,'W'||i,(ARRAY['medical','surgical','icu'])[1+i%3] FROM generate_series(1,12) i;
CREATE TABLE hosp.patient (id int PRIMARY KEY, sex text NOT NULL, born date NOT NULL, died date, insurance text);
INSERT INTO hosp.patient SELECT id,sex,born,CASE WHEN random()<.15 THEN born+floor(15000+random()*15000)::int END,ins FROM (SELECT i id,CASE WHEN random()<.5 THEN 'M' ELSE 'F' END sex,date '1930-01-01'+floor(random()*25000)::int born,(ARRAY['public','private','none'])[1+floor(3*power(random(),2))::int] ins FROM generate_series(1,3000) i) s;
CREATE TABLE hosp.admission (id serial PRIMARY KEY, patient_id int NOT NULL REFERENCES hosp.patient, ward_id int NOT NULL REFERENCES hosp.ward, admitted timestamp NOT NULL, discharged timestamp, kind text NOT NULL, drg int NOT NULL);
INSERT INTO hosp.admission(patient_id,ward_id,admitted,discharged,kind,drg) SELECT id,ward,adm,CASE WHEN random()<.97 THEN adm+(CASE WHEN kind='emergency' THEN 3 ELSE 1 END)*(-ln(random()))*interval '2 day' END,kind,100+10*(ward%7)+floor(random()*4)::int FROM (SELECT p.id, 1+floor(random()*12)::int ward, timestamp '2010-01-01'+(random()*300+k*(100+random()*400))*interval '1 day'+floor(random()*1440)*interval '1 minute' adm, CASE WHEN random()<.4 THEN 'emergency' ELSE 'elective' END kind FROM hosp.patient p CROSS JOIN LATERAL generate_series(1,1+floor(-ln(random())*(CASE WHEN p.born<'1950-01-01' THEN 2.5 ELSE .8 END))::int) k) s;
CREATE TABLE hosp.icd (code text PRIMARY KEY, title text, chapter text);
INSERT INTO hosp.icd SELECT 'I'||i,'disease '||i,'ch'||(i%10) FROM generate_series(1,150) i;
CREATE TABLE hosp.diagnosis (admission_id int NOT NULL REFERENCES hosp.admission, seq int NOT NULL, icd_code text NOT NULL REFERENCES hosp.icd, PRIMARY KEY(admission_id,seq), UNIQUE(admission_id,icd_code));
INSERT INTO hosp.diagnosis SELECT aid, row_number() OVER (PARTITION BY aid ORDER BY k), code FROM (SELECT DISTINCT ON (a.id,code) a.id aid,k,code FROM hosp.admission a CROSS JOIN LATERAL generate_series(1,1+floor(random()*5)::int) k CROSS JOIN LATERAL (SELECT 'I'||(1+((a.drg*7)%100+floor(-ln(random()+k*0)*8)::int)%150) code) c) s;
CREATE TABLE hosp.lab (id serial PRIMARY KEY, admission_id int NOT NULL REFERENCES hosp.admission, at timestamp NOT NULL, test text NOT NULL, value numeric(8,2) NOT NULL, flag text);
INSERT INTO hosp.lab(admission_id,at,test,value,flag) SELECT id,at,test,v,CASE WHEN (test='Na' AND v NOT BETWEEN 135 AND 145) OR (test='K' AND v NOT BETWEEN 3.5 AND 5.1) OR (test='Hb' AND v<12) THEN 'abnormal' END FROM (SELECT a.id,admitted+(k/3)*interval '12 hour' AS at,(ARRAY['Na','K','Hb'])[1+k%3] test,round((CASE k%3 WHEN 0 THEN 139+3*sin(a.id)+random()*4 WHEN 1 THEN 4.1+.5*sin(a.id*2)+random()*.6 ELSE 13.5+1.5*cos(a.id)+random() END)::numeric,2) v FROM hosp.admission a CROSS JOIN LATERAL generate_series(0,3*(1+floor(random()*4)::int)-1) k WHERE ward_id%3<>1) s ORDER BY id,at;
CREATE SCHEMA ev;
CREATE TABLE ev.visitor (id int PRIMARY KEY, device text NOT NULL, source text NOT NULL);
INSERT INTO ev.visitor SELECT i,(ARRAY['phone','phone','desktop','tablet'])[1+floor(random()*4)::int],(ARRAY['ad','search','search','mail'])[1+floor(random()*4)::int] FROM generate_series(1,4000) i;
CREATE TABLE ev.click (visitor_id int NOT NULL REFERENCES ev.visitor, at timestamp NOT NULL, page text NOT NULL, dwell_ms int NOT NULL, PRIMARY KEY(visitor_id,at));
INSERT INTO ev.click WITH RECURSIVE c AS (SELECT id visitor_id, device, 1 k, timestamp '2024-01-01'+(id*137%43200)*interval '1 minute' AS at,'home' AS page, (1000*exp(random()*3))::int dwell FROM ev.visitor UNION ALL
 SELECT visitor_id,device,k+1,at+(dwell+200)*interval '1 ms', CASE page WHEN 'home' THEN (ARRAY['search','list','list'])[1+floor(random()*3)::int] WHEN 'search' THEN (ARRAY['list','search','home'])[1+floor(random()*3)::int] WHEN 'list' THEN (ARRAY['item','item','list'])[1+floor(random()*3)::int] WHEN 'item' THEN (ARRAY['list','cart','item'])[1+floor(random()*3)::int] WHEN 'cart' THEN (ARRAY['checkout','list'])[1+floor(random()*2)::int] ELSE 'home' END,(1000*exp(random()*3))::int FROM c WHERE k<25 AND page<>'checkout' AND random()<CASE device WHEN 'phone' THEN .8 ELSE .88 END) SELECT visitor_id,at,page,dwell FROM c;
CREATE TABLE ev.sensor (id int PRIMARY KEY, kind text NOT NULL, room text NOT NULL);
INSERT INTO ev.sensor SELECT i,(ARRAY['temp','hum'])[1+i%2],'room '||i/2 FROM generate_series(1,60) i;
CREATE TABLE ev.reading (sensor_id int NOT NULL REFERENCES ev.sensor, at timestamp NOT NULL, value numeric(6,2) NOT NULL, PRIMARY KEY(sensor_id,at));
INSERT INTO ev.reading SELECT s.id, timestamp '2024-03-01'+k*interval '15 minute', round((CASE kind WHEN 'temp' THEN 21+3*sin(k*2*pi()/96)+sin(s.id) ELSE 45+8*cos(k*2*pi()/96)+3*sin(s.id) END+random())::numeric,2) FROM ev.sensor s, generate_series(1,400) k;
ANALYZE;
