#!/bin/bash
# bench/schema_large.sh [--inside] [--memory]
#
# A schema of 20 tables and a million rows in all: what learning it and filling
# another one takes, as CPU time of the session's process, which a loaded
# machine hardly changes, and as time.  --memory also fills children of 1e5,
# 1e6 and 1e7 rows, each in a session of its own, and says how much memory that
# took besides shared buffers; ROWS names other numbers of them.
set -uo pipefail
# shellcheck source=bench/tables.sh
. "$(dirname "$0")/tables.sh"
memory=${1:-}
[ -z "$memory" ] || [ "$memory" = --memory ] || { echo "schema_large: unknown argument $memory" >&2; exit 2; }
start
psql << 'END' || exit 1
SET client_min_messages = warning;
CREATE SCHEMA big;
SET search_path = big, public;
SELECT setseed(0.5) \g /dev/null
CREATE TABLE region (id int PRIMARY KEY, name text NOT NULL, wealth int NOT NULL);
CREATE TABLE branch (id int PRIMARY KEY, region_id int NOT NULL REFERENCES region, opened date NOT NULL, size int NOT NULL);
CREATE TABLE customer (id int PRIMARY KEY, branch_id int NOT NULL REFERENCES branch, segment text NOT NULL, income numeric(10,2), since date NOT NULL);
CREATE TABLE account (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, kind text NOT NULL, opened date NOT NULL);
CREATE TABLE card (id int PRIMARY KEY, account_id int NOT NULL REFERENCES account, brand text NOT NULL, issued date NOT NULL, credit int);
CREATE TABLE movement (id int PRIMARY KEY, account_id int NOT NULL REFERENCES account, at date NOT NULL, kind text NOT NULL, amount numeric(10,2) NOT NULL, balance numeric(12,2) NOT NULL);
CREATE TABLE loan (id int PRIMARY KEY, account_id int NOT NULL REFERENCES account, granted date NOT NULL, amount int NOT NULL, months int NOT NULL);
CREATE TABLE repayment (loan_id int NOT NULL REFERENCES loan, no int NOT NULL, due date NOT NULL, paid numeric(10,2) NOT NULL, PRIMARY KEY (loan_id, no));
CREATE TABLE supplier (id int PRIMARY KEY, country text NOT NULL, rating int NOT NULL);
CREATE TABLE product (id int PRIMARY KEY, supplier_id int NOT NULL REFERENCES supplier, category text NOT NULL, price numeric(8,2) NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, at date NOT NULL, channel text NOT NULL);
CREATE TABLE line (order_id int NOT NULL REFERENCES orders ON DELETE CASCADE, no int NOT NULL, product_id int NOT NULL REFERENCES product, price numeric(8,2) NOT NULL, n int NOT NULL, PRIMARY KEY (order_id, no));
CREATE TABLE invoice (order_id int PRIMARY KEY REFERENCES orders, due date NOT NULL, status text NOT NULL);
CREATE TABLE payment (id int PRIMARY KEY, order_id int NOT NULL REFERENCES orders, at date NOT NULL, method text NOT NULL);
CREATE TABLE ticket (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, opened timestamp NOT NULL, topic text NOT NULL);
CREATE TABLE message (id int PRIMARY KEY, ticket_id int NOT NULL REFERENCES ticket, at timestamp NOT NULL, author text NOT NULL, length int NOT NULL);
CREATE TABLE device (id int PRIMARY KEY, branch_id int NOT NULL REFERENCES branch, model text NOT NULL, installed date NOT NULL);
CREATE TABLE reading (device_id int NOT NULL REFERENCES device, at timestamp NOT NULL, level float8 NOT NULL, PRIMARY KEY (device_id, at));
CREATE TABLE employee (id int PRIMARY KEY, branch_id int NOT NULL REFERENCES branch, grade int NOT NULL, hired date NOT NULL);
CREATE TABLE visit (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer ON DELETE CASCADE, employee_id int NOT NULL REFERENCES employee, day date NOT NULL, rating int);
INSERT INTO region SELECT i, 'region ' || i, 20 + i * 37 % 60 FROM generate_series(1, 50) AS i;
INSERT INTO branch SELECT i, 1 + i % 50, date '1990-01-01' + (random() * 5000)::int, 1 + i % 5 FROM generate_series(1, 500) AS i;
INSERT INTO customer SELECT i, 1 + (random() * 499)::int, (ARRAY['private', 'firm', 'student'])[1 + floor(random() ^ 2 * 3)::int], round((900 + 4000 * random() ^ 2)::numeric, 2), date '2005-01-01' + (random() * 5000)::int FROM generate_series(1, 40000) AS i;
INSERT INTO account SELECT row_number() OVER (), c.id, (ARRAY['current', 'savings', 'custody'])[k], since + (random() * 300 * k)::int FROM customer AS c, generate_series(1, 3) AS k WHERE k <= 1 + (random() * 1.4)::int;
INSERT INTO card SELECT row_number() OVER (), id, CASE WHEN kind = 'current' THEN 'debit' ELSE 'credit' END, opened + (random() * 400)::int, CASE WHEN kind <> 'current' THEN (1 + random() * 9)::int * 500 END FROM account WHERE random() < 0.6;
INSERT INTO movement SELECT row_number() OVER (ORDER BY id, k), id, opened + k * 20 + (random() * 10)::int, kind, amount, sum(CASE WHEN kind = 'in' THEN amount ELSE -amount END) OVER (PARTITION BY id ORDER BY k)
    FROM (SELECT id, opened, k, CASE WHEN k = 1 OR random() < 0.5 THEN 'in' ELSE 'out' END AS kind, round((10 + 500 * random() ^ 3)::numeric, 2) AS amount FROM account, generate_series(1, 9) AS k WHERE k <= 1 + id % 9) AS m;
INSERT INTO loan SELECT row_number() OVER (), id, opened + (random() * 900)::int, 1000 * (1 + random() * 30)::int, 12 * (1 + random() * 1)::int FROM account WHERE random() < 0.08;
INSERT INTO repayment SELECT id, k, granted + 30 * k, round(amount * 1.0 / months, 2) FROM loan, generate_series(1, 24) AS k WHERE k <= months;
INSERT INTO supplier SELECT i, (ARRAY['DE', 'FR', 'IT', 'CN'])[1 + i % 4], 1 + i % 5 FROM generate_series(1, 300) AS i;
INSERT INTO product SELECT i, 1 + i % 300, 'category ' || i % 12, round((1 + i % 12 * 10 + 20 * random())::numeric, 2) FROM generate_series(1, 2000) AS i;
INSERT INTO orders SELECT row_number() OVER (ORDER BY c.id, k), c.id, since + 40 * k + (random() * 30)::int, (ARRAY['web', 'shop', 'phone'])[1 + floor(random() ^ 2 * 3)::int] FROM customer AS c, generate_series(1, 5) AS k WHERE k <= (random() * 5)::int;
INSERT INTO line SELECT o, no, product_id, price, n FROM (SELECT o.id AS o, k AS no, 1 + (random() ^ 2 * 1999)::int AS product_id, 1 + (random() ^ 3 * 5)::int AS n FROM orders AS o, generate_series(1, 4) AS k WHERE k <= 1 + o.id % 4) AS l JOIN product ON product.id = product_id;
INSERT INTO invoice SELECT id, at + 14, CASE WHEN random() < 0.9 THEN 'paid' ELSE 'open' END FROM orders WHERE random() < 0.6;
INSERT INTO payment SELECT row_number() OVER (), order_id, due - (random() * 10)::int, (ARRAY['card', 'transfer'])[1 + (random())::int] FROM invoice WHERE status = 'paid';
INSERT INTO ticket SELECT row_number() OVER (), id, since + random() * 1000 * interval '1 day', (ARRAY['card', 'loan', 'other'])[1 + (random() * 2)::int] FROM customer WHERE random() < 0.5;
INSERT INTO message SELECT row_number() OVER (ORDER BY id, k), id, opened + k * random() * interval '1 day', CASE WHEN k % 2 = 1 THEN 'customer' ELSE 'agent' END, (20 + random() * 500)::int FROM ticket, generate_series(1, 5) AS k WHERE k <= 1 + id % 5;
INSERT INTO device SELECT i, 1 + i % 500, 'model ' || i % 7, date '2015-01-01' + (random() * 1000)::int FROM generate_series(1, 2000) AS i;
INSERT INTO reading SELECT id, installed + k * interval '15 min', id % 7 * 10 + 5 * sin(k / 4.0) + random() FROM device, generate_series(1, 25) AS k;
INSERT INTO employee SELECT i, 1 + i % 500, 1 + i % 6, date '2000-01-01' + (random() * 6000)::int FROM generate_series(1, 2000) AS i;
INSERT INTO visit SELECT row_number() OVER (), c.id, 1 + (random() ^ 2 * 1999)::int, since + (random() * 1000)::int, CASE WHEN random() < 0.8 THEN 1 + (random() * 4)::int END FROM customer AS c WHERE random() < 0.7;
ANALYZE;
SELECT count(*) AS tables, sum(reltuples) AS rows FROM pg_class WHERE relnamespace = 'big'::regnamespace AND relkind = 'r';
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
\! cut -d ' ' -f 14,15 /proc/$PID/stat | awk '{ print "CPU seconds before:", ($1 + $2) / 100 }'
\timing on
SELECT count(*) FROM synth_fit_schema('{big}', seed => 1);
\! cut -d ' ' -f 14,15 /proc/$PID/stat | awk '{ print "CPU seconds after the fit:", ($1 + $2) / 100 }'
CREATE SCHEMA made;
CALL synth_schema_into('made', 'big', seed => 1);
\! cut -d ' ' -f 14,15 /proc/$PID/stat | awk '{ print "CPU seconds after the fill:", ($1 + $2) / 100 }'
\timing off
SELECT a.relname, a.n_live_tup AS real, b.n_live_tup AS made FROM pg_stat_user_tables AS a JOIN pg_stat_user_tables AS b USING (relname) WHERE a.schemaname = 'big' AND b.schemaname = 'made' ORDER BY 1;
SELECT avg((l.price = p.price)::int) AS "line has its product's price" FROM made.line AS l JOIN made.product AS p ON p.id = product_id;
SELECT avg((abs(balance - b - CASE WHEN kind = 'in' THEN amount ELSE -amount END) < 0.005)::int) AS "balance goes on" FROM (SELECT *, lag(balance, 1, 0.0) OVER (PARTITION BY account_id ORDER BY at, id) AS b FROM made.movement) AS m;
SELECT avg((a.opened >= c.since)::int) AS "account after its customer" FROM made.account AS a JOIN made.customer AS c ON c.id = customer_id;
END
[ "$memory" = --memory ] || exit 0
for rows in ${ROWS:-1e5 1e6 1e7}; do
    psql -v rows="$rows" << 'END' || exit 1
SET client_min_messages = warning;
CREATE TABLE many_orders (LIKE big.orders INCLUDING ALL);
INSERT INTO many_orders SELECT i, 1 + i % 40000, date '2020-01-01' + i % 1000, 'web' FROM generate_series(1, (:rows / 2.5)::int) AS i;
CREATE UNLOGGED TABLE many_line (order_id int NOT NULL REFERENCES many_orders, no int NOT NULL, product_id int NOT NULL REFERENCES big.product, price numeric(8,2) NOT NULL, n int NOT NULL, PRIMARY KEY (order_id, no));
ALTER TABLE many_orders ADD FOREIGN KEY (customer_id) REFERENCES big.customer;
ANALYZE many_orders;
\c
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
SET client_min_messages = warning;
CALL synth_into('many_line', model => 'big/line', seed => 1);
SELECT count(*) AS rows FROM many_line;
\! awk '/RssAnon/ { print "kB of its own at the end:", $2 }' /proc/$PID/status
\! cut -d ' ' -f 14,15 /proc/$PID/stat | awk '{ print "CPU seconds:", ($1 + $2) / 100 }'
DROP TABLE many_line, many_orders;
END
done
